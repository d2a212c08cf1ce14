//! `cc-cloud <env> deploy`.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::args::SelectionArgs;
use super::context::Context;
use super::prepared::Prepared;
use crate::error::{CliError, Kind};
use crate::report::{Event, HostState, PlanView};
use crate::run::{self, Interrupt, Options, Outcomes};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct DeployArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Apply without asking
    #[arg(short, long)]
    yes: bool,
    /// Also remove what is on the hosts from earlier deploys and no longer in the environment
    #[arg(long)]
    prune: bool,
    /// Seconds that a service may take to become healthy
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    health_deadline: u64,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
}

/// Plans, asks, applies.
pub async fn run(context: &Context, environment: &str, args: &DeployArgs) -> Result<(), CliError> {
    let mut prepared = Prepared::new(context, environment, &args.selection).await?;
    let observation = prepared.observe(context).await;
    let view = observation.view.clone();
    context.report.emit(&Event::Plan(&view));
    if view.errors() > 0 {
        prepared.fleet.leave(args.leave_nothing, &context.report).await;
        return Err(CliError::failed(format!("{} steps cannot be observed; nothing was changed", view.errors()))
            .hint("mend what is said above, or leave that part out with --services or --limit"));
    }
    let prune = args.prune && view.orphans() > 0;
    if !prune && !view.has_changes() {
        return finish_unchanged(context, prepared, args).await;
    }
    if prepared.interrupt.is_set() {
        return Err(Interrupt::error());
    }
    confirm(context, args, &view).await?;
    let options = Options {
        run: run::run_id(),
        parallel: usize::from(context.args.parallel),
        health_deadline: Duration::from_secs(args.health_deadline),
        prune,
    };
    let Prepared { plan, mut fleet, interrupt, .. } = prepared;
    let outcomes = run::apply(&mut fleet, &plan, observation, &options, &interrupt, &context.report).await;
    fleet.leave(args.leave_nothing, &context.report).await;
    verdict(&outcomes)
}

async fn finish_unchanged(context: &Context, prepared: Prepared, args: &DeployArgs) -> Result<(), CliError> {
    let lost = !prepared.fleet.lost.is_empty();
    prepared.fleet.leave(args.leave_nothing, &context.report).await;
    if lost { Err(CliError::reported(Kind::Unreachable)) } else { Ok(()) }
}

/// Asks a person at a terminal; anywhere else `--yes` must have been given.
async fn confirm(context: &Context, args: &DeployArgs, view: &PlanView) -> Result<(), CliError> {
    if args.yes {
        return Ok(());
    }
    if context.args.no_input || !std::io::stdin().is_terminal() {
        return Err(CliError::usage("deploy would change the hosts, and nobody can be asked here")
            .hint("look at the plan above, then run it again with `--yes`"));
    }
    context.report.pause();
    let question = format!("Apply these changes to {}? [y/N] ", view.environment);
    let _ = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    let read = tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut answer).map(|_| answer)).await;
    let answer = read.ok().and_then(Result::ok).unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError { kind: Kind::Interrupted, message: "nothing was changed".to_owned(), hints: Vec::new() }),
    }
}

/// The exit code of a run.
fn verdict(outcomes: &Outcomes) -> Result<(), CliError> {
    let any = |state: HostState| outcomes.hosts.iter().any(|host| host.state == state);
    match () {
        () if outcomes.interrupted => Err(Interrupt::error().hint("the next deploy goes on from here")),
        () if any(HostState::Failed) => Err(CliError::failed("the run failed; see above")
            .hint("mend it and deploy again: what is done is not done twice")),
        () if any(HostState::Unreachable) => Err(CliError::reported(Kind::Unreachable)),
        () if any(HostState::Skipped) => Err(CliError::failed("some steps were not begun; see above")),
        () => Ok(()),
    }
}
