//! `cc-cloud <env> attach`.

use std::time::{Duration, Instant};

use cc_agent::protocol::{LastRun, RunState};

use super::context::Context;
use super::prepared::unreachable;
use crate::error::{CliError, Kind};
use crate::report::{Event, HostState};
use crate::run::{self, Attached, Fleet, Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct AttachArgs {
    /// The run, if it is not the one that is at work
    run: Option<String>,
    /// Let the running steps finish and begin no other
    #[arg(long)]
    stop: bool,
    #[command(flatten)]
    reconnect: ReconnectArgs,
}

/// What to do when a connection is cut.
#[derive(clap::Args, Clone, Debug)]
pub struct ReconnectArgs {
    /// Seconds to try to reach a host again whose connection was cut while it is at work; 0 to give up at once
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    reconnect: u64,
}

impl ReconnectArgs {
    /// How long to try.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.reconnect)
    }
}

/// Shows a run from its first step on and follows what is under way. Ctrl-C leaves it alone.
pub async fn run(context: &Context, environment: &str, args: &AttachArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let (mut fleet, _) = context.connect(&spec, &Selection::default(), &Interrupt::never()).await?;
    let last = match choose(&fleet, args.run.as_deref(), environment) {
        Ok(last) => last,
        Err(error) => {
            let reached = unreachable(context, &fleet);
            fleet.leave(false, &context.report).await;
            return reached.and(Err(error));
        }
    };
    let attached = follow(context, &mut fleet, &last, args.stop, args.reconnect.patience()).await;
    let reached = unreachable(context, &fleet);
    fleet.leave(false, &context.report).await;
    verdict(&attached, environment, &last).and(reached)
}

/// Follows a run and shows how its hosts ended.
pub async fn follow(context: &Context, fleet: &mut Fleet, last: &LastRun, stop: bool, patience: Duration) -> Attached {
    let begun = Instant::now();
    let message = format!("run {} of {}, begun {} s ago", last.run, last.origin.owner(), last.age);
    context.report.emit(&Event::Note { message: &message });
    let attached = run::attach(fleet, &last.run, stop, patience, &context.report).await;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    context.report.emit(&Event::Summary { run: &last.run, hosts: &attached.hosts, millis });
    attached
}

/// Refuses to begin a run while another one is at work.
///
/// # Errors
/// Names the run, its owner, its hosts and how to follow it.
pub fn refuse(fleet: &Fleet, environment: &str) -> Result<(), CliError> {
    let Some((last, hosts)) = fleet.at_work().into_iter().next() else { return Ok(()) };
    let LastRun { run, origin, age, .. } = last;
    let message = format!("run {run} of {} is at work on {}, since {age} s", origin.owner(), hosts.join(", "));
    let error = CliError { kind: Kind::Locked, message, hints: Vec::new() };
    Err(error.hint(format!("`cc-cloud {environment} attach {run}` follows it to its end; deploy then")))
}

/// The run that was named, or the only one that is at work.
fn choose(fleet: &Fleet, named: Option<&str>, environment: &str) -> Result<LastRun, CliError> {
    let runs = fleet.last_runs();
    if let Some(name) = named {
        let known = runs.iter().find(|(last, _)| last.run == name).map(|(last, _)| last.clone());
        let other =
            LastRun { run: name.to_owned(), origin: Default::default(), since: 0, age: 0, state: RunState::Over };
        return Ok(known.unwrap_or(other));
    }
    match fleet.at_work().as_slice() {
        [(last, _)] => Ok(last.clone()),
        [] => {
            let error = CliError::failed("no run is at work on these hosts");
            Err(match runs.first() {
                Some((last, _)) => error.hint(format!(
                    "the newest is {}: `cc-cloud {environment} attach {}` shows what it did",
                    last.run, last.run
                )),
                None => error,
            })
        }
        several => {
            let names = several.iter().map(|(last, hosts)| format!("{} on {}", last.run, hosts.join(", ")));
            let error = CliError::usage("several runs are at work: name the one to follow");
            Err(error.hint(names.collect::<Vec<_>>().join("; ")))
        }
    }
}

fn verdict(attached: &Attached, environment: &str, last: &LastRun) -> Result<(), CliError> {
    let any = |state: HostState| attached.hosts.iter().any(|host| host.state == state);
    let go_on = format!("`cc-cloud {environment} resume` goes on from there");
    match () {
        () if attached.hosts.is_empty() => {
            Err(CliError::failed(format!("no host has a record of the run {}", last.run))
                .hint("hosts keep the records of their last five runs"))
        }
        () if !attached.cut.is_empty() => {
            Err(CliError::failed(format!("the run was cut off on {}", attached.cut.join(", "))).hint(go_on))
        }
        () if any(HostState::Failed) => Err(CliError::failed("the run failed; see above")
            .hint("mend it and deploy again: what is done is not done twice")),
        () if any(HostState::Skipped) => Err(CliError::failed("the run was stopped before its last step").hint(go_on)),
        () if any(HostState::Unreachable) => Err(CliError::reported(Kind::Unreachable)),
        () => Ok(()),
    }
}
