//! `cc-cloud <env> plan`.

use super::args::SelectionArgs;
use super::context::Context;
use super::notices::{HookArgs, Notices};
use super::prepared::Prepared;
use crate::error::{CliError, Kind};
use crate::hooks::Point;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct PlanArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
    #[command(flatten)]
    hooks: HookArgs,
}

/// Shows what deploy would change.
pub async fn run(context: &Context, environment: &str, args: &PlanArgs) -> Result<(), CliError> {
    let mut notices = Notices::new(context, environment, "plan", &args.hooks, None);
    notices.at(Point::BeforePlan).await?;
    let mut prepared = Prepared::new(context, environment, &args.selection).await?;
    let observation = prepared.observe(context).await;
    context.report.emit(&Event::Plan(&observation.view));
    notices.planned(&observation.view, &prepared.mask()?);
    notices.at(Point::AfterPlan).await?;
    let lost = prepared.fleet.lost.len();
    prepared.fleet.leave(args.leave_nothing, &context.report).await;
    let view = &observation.view;
    match () {
        () if view.errors() > 0 => {
            Err(CliError::failed(format!("{} steps cannot be observed; see above", view.errors())))
        }
        () if lost > 0 => Err(CliError::reported(Kind::Unreachable)),
        () if args.detailed_exitcode && (view.has_changes() || view.orphans() > 0) => {
            Err(CliError::reported(Kind::Pending))
        }
        () => Ok(()),
    }
}
