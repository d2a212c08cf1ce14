//! `cc-cloud explain [CHECK]`.

use cc_plan::suggest::closest;
use cc_preflight::report::{Look, explain};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// A check, such as os.livepatch; all are listed when none is named
    #[arg(value_name = "CHECK", add = ArgValueCompleter::new(complete::checks))]
    check: Option<String>,
}

/// Prints what a check is, why it matters, and how to mend it.
pub fn run(context: &Context, args: &ExplainArgs) -> Result<(), CliError> {
    let style = context.report.style();
    let look = Look { width: style.width, color: style.color };
    let text = match &args.check {
        None => explain::list(&cc_preflight::abouts(), look),
        Some(id) => match cc_preflight::find(id) {
            Some(check) => explain::render(check.about(), look),
            None => return Err(unknown(id)),
        },
    };
    context.report.emit(&Event::Data { text: &text });
    Ok(())
}

fn unknown(id: &str) -> CliError {
    let error = CliError::usage(format!("there is no check `{id}`"));
    match closest(id, cc_preflight::abouts().iter().map(|about| about.id)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`cc-cloud explain` lists them"),
    }
}
