//! `cc-cloud <env> exec HOSTS -- COMMAND`.

use cc_agent::protocol::{Event as Reported, Reply, Request};
use clap_complete::engine::ArgValueCompleter;
use futures_util::{StreamExt, stream};

use super::complete;
use super::context::Context;
use super::prepared::unreachable;
use crate::error::CliError;
use crate::report::Event;
use crate::run::{Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ExecArgs {
    /// Hosts or groups, separated by commas; `all` for every host
    #[arg(value_delimiter = ',', required = true, add = ArgValueCompleter::new(complete::hosts))]
    hosts: Vec<String>,
    /// Command and its arguments; runs as root without a shell. Secrets in what it prints are hidden
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs a command on several hosts at the same time.
pub async fn run(context: &Context, environment: &str, args: &ExecArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let interrupt = Interrupt::listen(context.report.clone());
    let (mut fleet, _) = context.connect(&spec, &Selection::hosts(&args.hosts), &interrupt).await?;
    let request = Request::Exec { argv: args.command.clone() };
    let mask = context.mask(&spec);
    let show = |host: &str, event: &Reported| {
        if let Reported::Output { stderr, text } = event {
            context.report.emit(&Event::Output { host, stderr: *stderr, text: &mask.scrub(text) });
        }
    };
    let jobs = fleet.members.values_mut().map(|member| {
        let (request, interrupt, show) = (&request, &interrupt, &show);
        async move {
            let host = member.host.clone();
            let shown = host.clone();
            let reply = member.work(request, interrupt, |event| show(&shown, event)).await;
            (host, reply)
        }
    });
    let replies: Vec<_> = stream::iter(jobs).buffer_unordered(usize::from(context.args.parallel)).collect().await;
    let mut failed = Vec::new();
    for (host, reply) in replies {
        match reply {
            Ok(Reply::Exited { status: 0 }) => {}
            Ok(Reply::Exited { status }) => failed.push(format!("{host} (exit status {status})")),
            Ok(_) => failed.push(format!("{host} (no exit status)")),
            Err(trouble) => {
                let (message, hint) = (trouble.to_string(), trouble.hint());
                context.report.emit(&Event::Unreachable { host: &host, message: &message, hint: hint.as_deref() });
                fleet.lose(&host, &trouble);
                failed.push(host);
            }
        }
    }
    let reached = unreachable(context, &fleet);
    fleet.leave(false, &context.report).await;
    if failed.is_empty() {
        return reached;
    }
    failed.sort();
    Err(CliError::failed(format!("the command failed on {}", failed.join(", "))))
}
