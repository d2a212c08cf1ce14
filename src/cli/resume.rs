//! `cc-cloud <env> resume`.

use cc_agent::protocol::RunState;

use super::attach::{self, ReconnectArgs};
use super::context::Context;
use super::deploy::{self, DeployArgs};
use super::locked::LockArgs;
use super::notices::HookArgs;
use super::prepared::unreachable;
use crate::error::CliError;
use crate::report::Event;
use crate::run::{Intent, Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ResumeArgs {
    /// Apply without asking, also where the plan is no longer the one that was approved
    #[arg(short, long)]
    yes: bool,
    /// Seconds that a service may take to become healthy
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    health_deadline: u64,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    reconnect: ReconnectArgs,
    #[command(flatten)]
    hooks: HookArgs,
}

/// Follows what is still at work of the newest run that has not come to its end, then deploys the same part of the environment
/// again, which does what is left. Asks only where the plan is another one than was approved.
pub async fn run(context: &Context, environment: &str, args: &ResumeArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let (mut fleet, _) = context.connect(&spec, &Selection::default(), &Interrupt::never()).await?;
    let newest = fleet.last_runs().into_iter().next();
    let open = newest.filter(|(last, _)| last.state != RunState::Over);
    let Some((last, _)) = open else {
        context.report.emit(&Event::Note { message: "nothing to go on with: the newest run has come to its end" });
        let reached = unreachable(context, &fleet);
        fleet.leave(false, &context.report).await;
        return reached;
    };
    if last.state == RunState::Working {
        attach::follow(context, &mut fleet, &last, false, args.reconnect.patience()).await;
    }
    fleet.leave(false, &context.report).await;
    let Some(intent) = Intent::of(&last) else {
        let message =
            format!("what the run {} was begun for cannot be read: another version of cc-cloud began it", last.run);
        return Err(
            CliError::failed(message).hint(format!("`cc-cloud {environment} deploy` does what is left, and asks"))
        );
    };
    let message = format!("going on with run {} of {}", last.run, last.origin.owner());
    context.report.emit(&Event::Note { message: &message });
    let why = format!("goes on with run {}", last.run);
    let (reconnect, hooks) = (args.reconnect.clone(), args.hooks.clone());
    let deploy = DeployArgs::resume(intent, why, args.yes, args.health_deadline, args.lock, reconnect, hooks);
    deploy::run(context, environment, &deploy).await
}
