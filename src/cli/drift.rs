//! `cc-cloud <env> drift`.

use std::path::PathBuf;

use clap::ValueHint;

use super::args::SelectionArgs;
use super::context::Context;
use super::prepared::Prepared;
use crate::drift;
use crate::error::{CliError, Kind};
use crate::report::{Cause, DriftView, Event};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct DriftArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
}

/// Shows what is not as it was deployed.
pub async fn run(context: &Context, environment: &str, args: &DriftArgs) -> Result<(), CliError> {
    let mut prepared = Prepared::new(context, environment, &args.selection).await?;
    let observation = prepared.observe_with_past(context).await;
    let drift = drift::compare(&prepared.plan, &observation);
    context.report.emit(&Event::Drift(&drift));
    prepared.fleet.leave(args.leave_nothing, &context.report).await;
    if let Some(file) = &args.junit {
        context.write(file, &drift.junit())?;
    }
    verdict(&drift)
}

/// What cannot be told weighs more than what drifted: a cron job must not take silence for an answer.
fn verdict(drift: &DriftView) -> Result<(), CliError> {
    match drift.count(Cause::Unobserved) {
        0 if drift.unreachable() > 0 => Err(CliError::reported(Kind::Unreachable)),
        0 if drift.is_any() => Err(CliError::reported(Kind::Pending)),
        0 => Ok(()),
        count => Err(CliError::failed(format!("{count} steps cannot be observed; see above"))),
    }
}
