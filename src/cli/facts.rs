//! `cc-cloud <env> facts [HOSTS]`.

use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::context::Context;
use super::prepared::unreachable;
use crate::error::CliError;
use crate::report::Event;
use crate::run::{Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct FactsArgs {
    /// Hosts or groups; all when none is named
    #[arg(add = ArgValueCompleter::new(complete::hosts))]
    hosts: Vec<String>,
}

/// Shows the facts that templates see.
pub async fn run(context: &Context, environment: &str, args: &FactsArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let interrupt = Interrupt::listen(context.report.clone());
    let (fleet, _) = context.connect(&spec, &Selection::hosts(&args.hosts), &interrupt).await?;
    let rows: Vec<Vec<String>> = fleet
        .members
        .values()
        .map(|member| {
            let facts = &member.facts;
            let memory = format!("{} MiB", facts.memory >> 20);
            let systemd = if facts.systemd { "yes" } else { "no" };
            [&member.host, &facts.os.name(), &facts.arch, &facts.cpus.to_string(), &memory, &facts.virtualization]
                .into_iter()
                .cloned()
                .chain([systemd.to_owned()])
                .collect()
        })
        .collect();
    let columns = ["HOST", "OS", "ARCH", "CPUS", "MEMORY", "KIND", "SYSTEMD"];
    context.report.emit(&Event::Table { name: "fact", columns: &columns, rows: &rows });
    let result = unreachable(context, &fleet);
    fleet.leave(false, &context.report).await;
    result
}
