//! `cc-cloud <env> unlock`.

use std::time::Duration;

use cc_agent::fence::{self, Fence};

use super::context::Context;
use crate::error::{CliError, Kind};
use crate::keeper::Keeper;
use crate::lock::{Claim, EnvironmentLock, LockError, LockRecord, Terms, holder};
use crate::operator::Operator;
use crate::report::Event;
use crate::run::{self, Fleet, Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct UnlockArgs {
    /// Take the lock away from somebody who may be at work
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why; colleagues see it in `status`
    #[arg(long, value_name = "TEXT", requires = "force", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,
}

/// Ends the lock of a command that is not running any more.
pub async fn run(context: &Context, environment: &str, args: &UnlockArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let interrupt = Interrupt::listen(context.report.clone());
    let (fleet, _) = context.connect_with_keepers(&spec, &Selection::default(), &interrupt).await?;
    let failed = |error: LockError| error.in_environment(environment);
    let mut keepers = fleet.keepers(&spec).await;
    let records = LockRecord::read(&mut keepers).await.map_err(failed);
    let before = match (records, args.force) {
        (Ok(records), _) => holder(&records.iter().collect::<Vec<_>>()).cloned(),
        (Err(_), true) => None,
        (Err(error), false) => return Err(error),
    };
    if before.is_none() && !args.force {
        context.report.emit(&Event::Note { message: &format!("{environment} is not locked") });
        return Ok(());
    }
    let claim = Claim {
        operator: Operator::here(),
        run: run::run_id(),
        command: "unlock".to_owned(),
        reason: args.reason.clone(),
    };
    let above = if args.force { highest(&fleet).await } else { 0 };
    // Its holder's lease says how long that takes.
    let wait = Duration::from_secs(24 * 3600);
    let terms = Terms { wait, force: args.force, above, only_expired: true, ..Terms::default() };
    let taken = EnvironmentLock::take(keepers, &claim, terms, &interrupt, &context.report).await;
    let held = taken.map_err(|error| match error {
        LockError::Held(by) => alive(environment, &by),
        error => failed(error),
    })?;
    held.release().await.map_err(failed)?;
    let message = match before {
        Some(before) => format!("{environment} is unlocked; it was locked by {}", before.describe()),
        None => format!("{environment} is unlocked"),
    };
    context.report.emit(&Event::Note { message: &message });
    fleet.leave(false, &context.report).await;
    Ok(())
}

/// The highest lock that a host has seen: after keepers were replaced, they may not know of it.
async fn highest(fleet: &Fleet) -> u64 {
    let fences = fleet.members.values().map(async |member| {
        let kept = member.keeper().await.ok()?.get(fence::KEY).await.ok()??;
        Fence::read(&kept.content).map(|fence| fence.token)
    });
    futures_util::future::join_all(fences).await.into_iter().flatten().max().unwrap_or_default()
}

fn alive(environment: &str, by: &LockRecord) -> CliError {
    let message = format!("its holder is at work, the heartbeat was seen to move: {}", by.describe());
    CliError { kind: Kind::Locked, message, hints: Vec::new() }
        .hint("ask them to stop it with Ctrl-C: that gives the lock back")
        .hint(format!(
            "`cc-cloud {environment} unlock --force --reason TEXT` stops their run after the step that it is in"
        ))
}
