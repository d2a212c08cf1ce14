//! `cc-cloud <env> preflight waive CHECK`.

use cc_preflight::{Waiver, Waivers};
use clap_complete::engine::ArgValueCompleter;
use jiff::civil::Date;

use super::complete;
use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct WaiveArgs {
    /// The check whose failure is accepted
    #[arg(value_name = "CHECK", add = ArgValueCompleter::new(complete::checks))]
    check: String,
    /// Only on this host; on all when not given
    #[arg(long, value_name = "HOST", add = ArgValueCompleter::new(complete::hosts))]
    host: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Last day on which it holds, as 2026-12-31; at most a year from now
    #[arg(long, value_name = "DATE")]
    until: Date,
}

/// Adds a waiver to the environment's file.
pub fn run(context: &Context, environment: &str, args: &WaiveArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let waiver = Waiver {
        check: args.check.clone(),
        host: args.host.clone(),
        owner: args.owner.clone(),
        reason: args.reason.clone(),
        until: args.until,
    };
    let added = Waivers::add(&context.repository(), &spec, &waiver, super::context::today());
    let path = added.map_err(|error| context.not_added(error))?;
    let path = context.repository().display(&path).display().to_string();
    let message =
        format!("`{}` is waived until {} in {path}; commit it so that colleagues see it", args.check, args.until);
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}
