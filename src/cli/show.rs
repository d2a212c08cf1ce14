//! `cc-cloud <env> show RUN`.

use std::path::PathBuf;

use clap::ValueHint;

use super::context::Context;
use crate::error::CliError;
use crate::history::{Entry, PastRun, Record, html, text};
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ShowArgs {
    /// The run, or a part of its name that no other has; the newest when not given
    run: Option<String>,
    /// Write one self-contained HTML page instead
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
}

/// Shows one run.
pub async fn run(context: &Context, environment: &str, args: &ShowArgs) -> Result<(), CliError> {
    let (records, troubles) =
        context.archive(environment).newest(|records| is_whole(args.run.as_deref(), records)).await;
    context.warn(&troubles);
    let run = find(environment, &records, args.run.as_deref())?;
    if let Some(file) = &args.html {
        context.write(file, &html(environment, &run))?;
        return Ok(());
    }
    let objects = serde_json::to_value(&run).into_iter().collect();
    context.report.emit(&Event::History { text: &text::show(&run, context.report.style()), runs: objects });
    Ok(())
}

/// Whether records, the newest first, have all of a run that is named in full: a part of a name may fit an older one too.
fn is_whole(named: Option<&str>, records: &[Record]) -> bool {
    let beginning = |record: &Record| matches!(record.entry, Entry::Began(_));
    records.last().is_some_and(|record| beginning(record) && named.is_none_or(|name| record.run == name))
}

fn find(environment: &str, records: &[Record], named: Option<&str>) -> Result<PastRun, CliError> {
    let list = format!("`cc-cloud {environment} history` lists them");
    let mut runs = PastRun::all(records);
    let Some(name) = named else {
        return runs.into_iter().next().ok_or_else(|| CliError::failed("nothing has been run yet"));
    };
    if runs.iter().any(|run| run.run == name) {
        runs.retain(|run| run.run == name);
    }
    runs.retain(|run| run.run.contains(name));
    match runs.len() {
        0 => Err(CliError::failed(format!("there is no run `{name}` in the history of {environment}")).hint(list)),
        1 => Ok(runs.remove(0)),
        count => Err(CliError::usage(format!("`{name}` is a part of the names of {count} runs")).hint(list)),
    }
}
