//! `cc-cloud <env> plan`.

use std::path::PathBuf;

use clap::ValueHint;

use super::args::SelectionArgs;
use super::context::Context;
use super::notices::{HookArgs, Notices};
use super::prepared::Prepared;
use super::saved_plan;
use crate::error::{CliError, Kind};
use crate::hooks::Point;
use crate::report::{Event, PlanView};
use crate::run::Selection;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PlanArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Save the plan, sealed with the environment's data key; `deploy FILE` applies it
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Let the saved plan remove what is no longer in the environment
    #[arg(long, requires = "output")]
    prune: bool,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
    #[command(flatten)]
    hooks: HookArgs,
    #[command(subcommand)]
    action: Option<PlanAction>,
}

/// What is done with saved plans; no host is asked.
#[derive(clap::Subcommand, Debug)]
enum PlanAction {
    /// Show a saved plan
    Show {
        /// What `plan -o` wrote
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show what is different in another saved plan
    Diff {
        /// The older one
        #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
        old: PathBuf,
        /// The newer one
        #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
        new: PathBuf,
    },
}

/// Shows what deploy would change.
pub async fn run(context: &Context, environment: &str, args: &PlanArgs) -> Result<(), CliError> {
    match &args.action {
        Some(PlanAction::Show { file }) => return saved_plan::show(context, environment, file),
        Some(PlanAction::Diff { old, new }) => return saved_plan::diff(context, environment, old, new),
        None => {}
    }
    let mut notices = Notices::new(context, environment, "plan", &args.hooks, None);
    // Before anything is asked of a host: without a key there is nothing to save with.
    let unlocked = args.output.as_ref().map(|_| saved_plan::unlock(context, environment)).transpose()?;
    notices.at(Point::BeforePlan).await?;
    let selection = Selection::from(&args.selection);
    let mut prepared = Prepared::unlocked(context, environment, selection, unlocked.as_ref()).await?;
    let view = prepared.observe(context).await.view;
    context.report.emit(&Event::Plan(&view));
    notices.planned(&view, &prepared.mask()?);
    notices.at(Point::AfterPlan).await?;
    let saved = match (&args.output, &unlocked) {
        (Some(file), Some(unlocked)) => saved_plan::save(context, &prepared, &view, unlocked, args.prune, file),
        _ => Ok(()),
    };
    prepared.fleet.leave(args.leave_nothing, &context.report).await;
    saved?;
    verdict(&view, args.detailed_exitcode)
}

fn verdict(view: &PlanView, detailed: bool) -> Result<(), CliError> {
    match () {
        () if view.errors() > 0 => {
            Err(CliError::failed(format!("{} steps cannot be observed; see above", view.errors())))
        }
        () if view.unreachable() > 0 => Err(CliError::reported(Kind::Unreachable)),
        () if detailed && (view.has_changes() || view.orphans() > 0) => Err(CliError::reported(Kind::Pending)),
        () => Ok(()),
    }
}
