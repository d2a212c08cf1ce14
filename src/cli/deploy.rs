//! `cc-cloud <env> deploy`.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use cc_agent::fence::Fence;
use cc_preflight::Selection as Checks;
use clap::ValueHint;
use jiff::Timestamp;

use super::args::SelectionArgs;
use super::attach::ReconnectArgs;
use super::context::Context;
use super::locked::{self, LockArgs};
use super::notices::{HookArgs, Notices};
use super::preflight;
use super::prepared::Prepared;
use super::saved_plan;
use crate::error::{CliError, Kind};
use crate::history::{Gate, OpenRun};
use crate::hooks::Point;
use crate::preflight::{Found, Hosts, Record, Round, Site};
use crate::report::{Event, HostState, PlanView};
use crate::run::{self, Intent, Interrupt, Options, Outcomes, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct DeployArgs {
    /// Apply this saved plan (`plan -o FILE`) as it is and without asking; refused when anything moved since it was made
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath, conflicts_with_all = ["limit", "services", "tags", "prune"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Apply without asking
    #[arg(short, long)]
    yes: bool,
    /// Also remove what is on the hosts from earlier deploys and no longer in the environment
    #[arg(long)]
    prune: bool,
    /// Why, for the history and for hooks
    #[arg(short, long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    message: Option<String>,
    /// Seconds that a service may take to become healthy
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    health_deadline: u64,
    /// Begin although preflight was not asked, for this reason
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    skip_preflight: Option<String>,
    #[command(flatten)]
    lock: LockArgs,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
    #[command(flatten)]
    hooks: HookArgs,
    #[command(flatten)]
    reconnect: ReconnectArgs,
    /// What was approved before, when this goes on with a run.
    #[arg(skip)]
    approved: Option<Intent>,
}

impl DeployArgs {
    /// Goes on with what was approved before; what has changed since is asked about again, unless `yes`.
    pub fn resume(
        approved: Intent,
        message: String,
        yes: bool,
        health_deadline: u64,
        lock: LockArgs,
        reconnect: ReconnectArgs,
        hooks: HookArgs,
    ) -> Self {
        let Selection { limit, services, tags } = approved.selection.clone();
        Self {
            plan: None,
            selection: SelectionArgs { limit, services, tags },
            yes,
            prune: approved.prune,
            health_deadline,
            skip_preflight: None,
            lock,
            leave_nothing: false,
            message: Some(message),
            hooks,
            reconnect,
            approved: Some(approved),
        }
    }
}

/// Plans, asks, applies; tells hooks.
pub async fn run(context: &Context, environment: &str, args: &DeployArgs) -> Result<(), CliError> {
    let mut notices = Notices::new(context, environment, "deploy", &args.hooks, args.message.as_deref());
    let result = attempt(context, environment, args, &mut notices).await;
    notices.finish(result).await
}

async fn attempt(
    context: &Context,
    environment: &str,
    args: &DeployArgs,
    notices: &mut Notices<'_>,
) -> Result<(), CliError> {
    let saved = args.plan.as_deref().map(|file| saved_plan::Opened::open(context, environment, file)).transpose()?;
    notices.at(Point::BeforeDeploy).await?;
    let mut prepared = match &saved {
        Some(saved) => saved.prepare(context, environment).await?,
        None => Prepared::to_change(context, environment, (&args.selection).into(), None).await?,
    };
    match locked::lock(context, &mut prepared, "deploy", args.lock).await {
        Ok(lock) => {
            let result =
                deploy(context, environment, prepared, lock.fence().clone(), (args, saved.as_ref()), notices).await;
            locked::unlock(environment, lock, result).await
        }
        Err(refused) => {
            prepared.fleet.leave(args.leave_nothing, &context.report).await;
            Err(refused)
        }
    }
}

/// What is done while the lock is held.
async fn deploy(
    context: &Context,
    environment: &str,
    mut prepared: Prepared,
    fence: Fence,
    (args, saved): (&DeployArgs, Option<&saved_plan::Opened>),
    notices: &mut Notices<'_>,
) -> Result<(), CliError> {
    let observation = prepared.observe(context).await;
    let view = observation.view.clone();
    if let Some(Err(stale)) = saved.map(|saved| saved.check(context, &prepared, &view)) {
        prepared.fleet.leave(args.leave_nothing, &context.report).await;
        return Err(stale);
    }
    context.report.emit(&Event::Plan(&view));
    if view.errors() > 0 {
        prepared.fleet.leave(args.leave_nothing, &context.report).await;
        return Err(CliError::failed(format!("{} steps cannot be observed; nothing was changed", view.errors()))
            .hint("mend what is said above, or leave that part out with --services or --limit"));
    }
    let mask = prepared.mask()?;
    notices.planned(&view, &mask);
    let prune = (args.prune || saved.is_some_and(saved_plan::Opened::prunes)) && view.orphans() > 0;
    if !prune && !view.has_changes() {
        return finish_unchanged(context, prepared, args).await;
    }
    if prepared.interrupt.is_set() {
        return Err(Interrupt::error());
    }
    let gate = match gate(context, environment, &mut prepared, args).await {
        Ok(gate) => gate,
        Err(refused) => {
            prepared.fleet.leave(args.leave_nothing, &context.report).await;
            return Err(refused);
        }
    };
    let approved = |intent: &Intent| intent.covers(&prepared.plan);
    if saved.is_none() && !args.approved.as_ref().is_some_and(approved) {
        confirm(context, args, &view, &prepared.interrupt).await?;
    }
    let intent = Intent::new(&prepared.selection, prune, &prepared.plan);
    let options = Options {
        fence,
        parallel: usize::from(context.args.parallel),
        health_deadline: Duration::from_secs(args.health_deadline),
        prune,
        intent,
        reconnect: args.reconnect.patience(),
        vaults: prepared.vaults,
    };
    notices.approved(&options.fence.run);
    let began = context.began(environment, "deploy", args.message.as_deref(), &view, gate);
    let open = OpenRun::begin(context.archive(environment), &options.fence.run, began, mask, &context.report).await?;
    let Prepared { plan, mut fleet, interrupt, .. } = prepared;
    let outcomes = run::apply(&mut fleet, &plan, observation, &options, &interrupt, &context.report).await;
    let result = verdict(&outcomes);
    notices.done(open.end(&result, &context.report).await);
    fleet.leave(args.leave_nothing, &context.report).await;
    result
}

async fn finish_unchanged(context: &Context, mut prepared: Prepared, args: &DeployArgs) -> Result<(), CliError> {
    // Where nothing is left to do, nobody needs to go on with a run that was cut off.
    if !prepared.selection.is_partial() {
        for member in prepared.fleet.members.values_mut() {
            member.over = member.last.as_ref().map(|last| last.run.clone());
        }
    }
    let lost = !prepared.fleet.lost.is_empty();
    prepared.fleet.leave(args.leave_nothing, &context.report).await;
    if lost { Err(CliError::reported(Kind::Unreachable)) } else { Ok(()) }
}

/// Refuses the first change on hosts that cannot carry it.
async fn gate(context: &Context, name: &str, prepared: &mut Prepared, args: &DeployArgs) -> Result<Gate, CliError> {
    if let Some(reason) = &args.skip_preflight {
        context.report.emit(&Event::Warning { message: &format!("preflight is skipped: {reason}"), hint: None });
        return Ok(Gate::skipped(reason));
    }
    let hosts: Vec<String> = prepared.fleet.members.keys().cloned().collect();
    let site = Site {
        spec: &prepared.spec,
        plan: &prepared.plan,
        hosts: &hosts,
        addresses: &prepared.known.addresses,
        phase: None,
        deep: false,
        now: Timestamp::now(),
    };
    let (waivers, attestations) = context.accepted(&prepared.spec)?;
    let mut hosts = Hosts::Fleet(Box::new(std::mem::take(&mut prepared.fleet)));
    let scene = context.scene(&site, &hosts)?;
    let round = Round {
        selection: Checks { blocking: true, ..Checks::default() },
        waivers: &waivers,
        attestations: &attestations,
        record: Record::path(&context.root, name),
        recheck: false,
    };
    let found = round.run(&scene, &mut hosts, &prepared.interrupt, &context.report).await;
    let refusal = found.stops().then(|| {
        let results = preflight::results(Some(name), &scene, site.now, &found);
        preflight::show(context, &results, false);
        refused(name, &found)
    });
    if let Hosts::Fleet(fleet) = hosts {
        prepared.fleet = *fleet;
    }
    refusal.map_or_else(|| Ok(Gate::passed(&found.findings)), Err)
}

fn refused(name: &str, found: &Found) -> CliError {
    let stopping: Vec<_> = found.findings.iter().filter(|finding| finding.stops()).collect();
    let ids: BTreeSet<&str> = stopping.iter().map(|finding| finding.id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let message = format!("preflight stops this deploy before its first change: {}", ids.join(", "));
    let error = CliError { kind: Kind::ChecksFailed, message, hints: Vec::new() };
    let error = error.hint(format!("mend what is said above; `cc-cloud explain {}` says more", ids[0]));
    let host = stopping[0].host.as_ref().map(|host| format!(" --host {host}")).unwrap_or_default();
    error.hint(format!(
        "or accept it for a time: `cc-cloud {name} preflight waive {}{host} --owner NAME --reason TEXT --until DATE`",
        ids[0]
    ))
}

/// Asks a person at a terminal; anywhere else `--yes` must have been given.
async fn confirm(context: &Context, args: &DeployArgs, view: &PlanView, interrupt: &Interrupt) -> Result<(), CliError> {
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
    let read = tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut answer).map(|_| answer));
    let read = tokio::select! {
        read = read => read,
        () = interrupt.wait() => return Err(Interrupt::error()),
    };
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
