//! `cc-cloud <env> validate`.

use cc_plan::compile::Known;

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ValidateArgs {}

/// Checks all files; compiles too, since only that shows what is wrong inside templates.
pub fn run(context: &Context, environment: &str, _: &ValidateArgs) -> Result<(), CliError> {
    let spec = context.load(environment)?;
    let plan = context.compile(&spec, &Known::default())?;
    context.policy(&spec)?;
    context.accepted(&spec)?;
    context.smoke_steps(&spec, &Known::default(), "validate")?;
    let steps: usize = plan.hosts.iter().map(|host| host.steps.len()).sum();
    let message = format!(
        "environment `{environment}` is valid: {}, {}, {}, {} read",
        count(plan.hosts.len(), "host"),
        count(spec.environment.services.len(), "service"),
        count(steps, "step"),
        count(spec.sources.files().count(), "file")
    );
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}

/// "1 host", "3 hosts".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
