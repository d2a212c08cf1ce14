//! `cc-cloud <env> validate`.

use cc_plan::compile::Known;
use cc_plan::counted;

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
        counted(plan.hosts.len(), "host"),
        counted(spec.environment.services.len(), "service"),
        counted(steps, "step"),
        counted(spec.sources.files().count(), "file")
    );
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}
