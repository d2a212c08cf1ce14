//! `cc-cloud <env> preflight attest CHECK`.

use cc_preflight::{Attestation, Attestations};
use clap::{ArgGroup, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use jiff::civil::Date;

use super::complete;
use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(group(ArgGroup::new("document").args(["link", "file"]).required(true).multiple(true)))]
pub struct AttestArgs {
    /// The check that is answered
    #[arg(value_name = "CHECK", add = ArgValueCompleter::new(complete::checks))]
    check: String,
    /// Only for this host; for all when not given
    #[arg(long, value_name = "HOST", add = ArgValueCompleter::new(complete::hosts))]
    host: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// When it was said, as 2026-11-22
    #[arg(long, value_name = "DATE")]
    date: Date,
    /// Address of the document that shows it; this or --file is needed
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Path of that document in the repository; this or --link is needed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<String>,
}

/// Adds an attestation to the environment's file.
pub fn run(context: &Context, environment: &str, args: &AttestArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let attestation = Attestation {
        check: args.check.clone(),
        host: args.host.clone(),
        owner: args.owner.clone(),
        date: args.date,
        link: args.link.clone(),
        file: args.file.clone(),
    };
    let added = Attestations::add(&context.repository(), &spec, &attestation, super::context::today());
    let path = added.map_err(|error| context.not_added(error))?;
    let path = context.repository().display(&path).display().to_string();
    let message = format!("`{}` is attested in {path}; commit it so that colleagues see it", args.check);
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}
