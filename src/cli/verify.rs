//! `cc-cloud <env> verify`.

use cc_agent::protocol::{Reply, Request};
use futures_util::{StreamExt, stream};

use super::args::SelectionArgs;
use super::context::Context;
use super::prepared::{Prepared, unreachable};
use crate::error::{CliError, Kind};
use crate::report::Event;
use crate::run;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct VerifyArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Seconds to wait for a check that is not healthy yet
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    wait: u64,
}

/// Runs the health checks on their hosts, then the smoke test from here.
pub async fn run(context: &Context, environment: &str, args: &VerifyArgs) -> Result<(), CliError> {
    let mut prepared = Prepared::new(context, environment, &args.selection).await?;
    let (healthy, sick) = checks(context, &mut prepared, args.wait).await;
    let reached = unreachable(context, &prepared.fleet);
    // Health says that the parts are well; only a request through all of them says that the whole is.
    let smoke = if sick == 0 && reached.is_ok() && args.selection.limit.is_empty() && args.selection.services.is_empty()
    {
        let steps = context.smoke_steps(&prepared.spec, &prepared.known, &run::run_id())?;
        run::smoke(&steps, &context.report).await?
    } else {
        run::Smoke::default()
    };
    prepared.fleet.leave(false, &context.report).await;
    let (passed, failed) = (healthy + smoke.passed, sick + smoke.failed);
    context.report.emit(&Event::Note { message: &format!("verify: {passed} passed, {failed} failed") });
    if failed > 0 { Err(CliError::reported(Kind::ChecksFailed)) } else { reached }
}

/// Healthy and sick checks.
async fn checks(context: &Context, prepared: &mut Prepared, deadline: u64) -> (usize, usize) {
    let Prepared { plan, fleet, vaults, interrupt, .. } = prepared;
    let (vaults, interrupt) = (&*vaults, &*interrupt);
    let jobs = fleet.members.values_mut().filter_map(|member| {
        let host = plan.hosts.iter().find(|host| host.host == member.host)?;
        let request = Request::Check { checks: host.checks.clone(), deadline };
        Some(async move {
            if let Some(frame) = vaults.frame(&member.host)
                && let Err(trouble) = member.send_secrets(frame).await
            {
                return (member.host.clone(), Err(trouble));
            }
            (member.host.clone(), member.work(&request, interrupt, |_| {}).await)
        })
    });
    let mut replies: Vec<_> = stream::iter(jobs).buffer_unordered(usize::from(context.args.parallel)).collect().await;
    replies.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut healthy, mut sick) = (0, 0);
    for (host, reply) in replies {
        match reply {
            Ok(Reply::Checked { findings }) => {
                for finding in &findings {
                    context.report.emit(&Event::Check { host: &host, finding });
                }
                healthy += findings.iter().filter(|finding| finding.healthy).count();
                sick += findings.iter().filter(|finding| !finding.healthy).count();
            }
            Ok(_) => sick += 1,
            Err(trouble) => fleet.lose(&host, &trouble),
        }
    }
    (healthy, sick)
}
