//! `cc-cloud <env> down`.

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct DownArgs {}

/// Removes the environment's rehearsal hosts.
pub async fn run(context: &Context, environment: &str, _: &DownArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let gone = context.end_rehearsal(&spec).await?;
    let message = match gone.as_slice() {
        [] => format!("environment `{environment}` has no rehearsal hosts"),
        hosts => format!("removed {}", hosts.join(", ")),
    };
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}
