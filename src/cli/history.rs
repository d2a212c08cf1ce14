//! `cc-cloud <env> history`.

use super::context::Context;
use crate::error::CliError;
use crate::history::{Chain, Entry, PastRun, Record, text};
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArgs {
    /// The newest runs that are listed
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    limit_runs: u32,
    #[command(subcommand)]
    action: Option<HistoryAction>,
}

/// What else can be done with it.
#[derive(clap::Subcommand, Debug)]
enum HistoryAction {
    /// Say which records were changed, removed or exchanged since they were written
    Verify,
}

/// Lists runs, or verifies their records.
pub async fn run(context: &Context, environment: &str, args: &HistoryArgs) -> Result<(), CliError> {
    if let Some(HistoryAction::Verify) = args.action {
        return verify(context, environment).await;
    }
    let wanted = args.limit_runs as usize;
    let begun = |records: &[Record]| records.iter().filter(|record| matches!(record.entry, Entry::Began(_))).count();
    let (records, troubles) = context.archive(environment).newest(|records| begun(records) >= wanted).await;
    context.warn(&troubles);
    let mut runs = PastRun::all(&records);
    runs.truncate(wanted);
    let objects = runs.iter().filter_map(|run| serde_json::to_value(run).ok()).collect();
    context.report.emit(&Event::History { text: &text::list(&runs, context.report.style()), runs: objects });
    Ok(())
}

async fn verify(context: &Context, environment: &str) -> Result<(), CliError> {
    let (copies, troubles) = context.archive(environment).copies().await;
    context.warn(&troubles);
    let chain = Chain::of(&copies);
    for fault in &chain.faults {
        context.report.emit(&Event::Fault { record: fault.number(), message: &fault.to_string() });
    }
    let places: Vec<&str> = copies.iter().map(|copy| copy.place.as_str()).collect();
    match (chain.faults.len(), troubles.len()) {
        (0, 0) => {
            let count = chain.records.len();
            let message = format!("{count} records are as they were written, on {}", places.join(", "));
            context.report.emit(&Event::Note { message: &message });
            Ok(())
        }
        (0, silent) => Err(CliError::failed(format!("{silent} places could not be asked for the history; see above"))),
        (1, _) => Err(fault("the history of this environment has a fault")),
        (count, _) => Err(fault(&format!("the history of this environment has {count} faults"))),
    }
}

fn fault(message: &str) -> CliError {
    CliError::failed(message).hint("the record is kept in several places: `show` takes it from one where it is sound")
}
