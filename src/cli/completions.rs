//! `cc-cloud completions SHELL`.

use clap_complete::env::Shells;

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    shell: String,
}

/// Prints the script that makes the shell ask this program for completions, so that environments and hosts are among them.
pub fn run(context: &Context, args: &CompletionsArgs) -> Result<(), CliError> {
    let shells = Shells::builtins();
    let mut script = Vec::new();
    shells
        .completer(&args.shell)
        .ok_or_else(|| CliError::usage(format!("there are no completions for `{}`", args.shell)))?
        .write_registration("COMPLETE", "cc-cloud", "cc-cloud", "cc-cloud", &mut script)
        .map_err(|error| CliError::failed(format!("cannot write the completion script: {error}")))?;
    context.report.emit(&Event::Data { text: &String::from_utf8_lossy(&script) });
    Ok(())
}
