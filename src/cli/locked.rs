//! The lock around commands that change hosts.

use std::time::Duration;

use jiff::Timestamp;

use super::attach;
use super::context::Context;
use super::prepared::Prepared;
use crate::error::{CliError, Kind};
use crate::lock::{Claim, EnvironmentLock, Freeze, LockError, Terms};
use crate::operator::Operator;
use crate::run;

/// Options of commands that change hosts.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct LockArgs {
    /// Seconds to wait for a colleague who is at work; refuse at once with 0
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    lock_timeout: u64,
    /// Seconds without a heartbeat from here after which colleagues may take the lock over
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(3..=3600))]
    lock_lease: u64,
}

/// Takes the environment's lock for a run, unless it is frozen, and tells the hosts.
///
/// # Errors
/// The environment is frozen, somebody else is at work, a run goes on that its holder left, or too few keepers answer.
pub async fn lock(
    context: &Context,
    prepared: &mut Prepared,
    command: &str,
    args: LockArgs,
) -> Result<EnvironmentLock, CliError> {
    let name = prepared.spec.environment.name.value.clone();
    let failed = |error: LockError| error.in_environment(&name);
    let mut keepers = prepared.fleet.keepers(&prepared.spec).await;
    match Freeze::read(&mut keepers).await.map_err(failed)? {
        Some(freeze) if freeze.holds(Timestamp::now()) => return Err(failed(LockError::Frozen(Box::new(freeze)))),
        _ => {}
    }
    let claim = Claim { operator: Operator::here(), run: run::run_id(), command: command.to_owned(), reason: None };
    let terms = Terms {
        lease: Duration::from_secs(args.lock_lease),
        wait: Duration::from_secs(args.lock_timeout),
        ..Terms::default()
    };
    let lock = EnvironmentLock::take(keepers, &claim, terms, &prepared.interrupt, &context.report).await;
    let lock = lock.map_err(failed)?;
    let shown = prepared.fleet.show(lock.fence(), usize::from(context.args.parallel)).await;
    let Err(refusal) = shown else { return Ok(lock) };
    unlock(&name, lock, Ok(())).await?;
    attach::refuse(&prepared.fleet, &name)?;
    let hint = format!(
        "when the other run is not at work, as after the first hosts of the inventory were replaced or restored, \
         `cc-cloud {name} unlock --force --reason TEXT` gives out a higher number"
    );
    Err(CliError { kind: Kind::Locked, message: refusal.to_string(), hints: Vec::new() }.hint(hint))
}

/// Gives the lock back. That it was lost says more than how the run ended.
///
/// # Errors
/// The lock was lost, or the run's own error.
pub async fn unlock(environment: &str, lock: EnvironmentLock, result: Result<(), CliError>) -> Result<(), CliError> {
    match lock.release().await {
        Ok(()) => result,
        Err(lost) => Err(lost.in_environment(environment)),
    }
}
