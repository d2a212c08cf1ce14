//! `cc-cloud man DIR`.

use std::path::PathBuf;

use super::args;
use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct ManArgs {
    /// Folder for the pages; made when missing
    #[arg(value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

/// Writes one page for each command.
pub fn run(context: &Context, args: &ManArgs) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::failed(format!("cannot write man pages to {}: {error}", args.folder.display()))
            .hint("name a folder that you may write to")
    };
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    let command = args::command(&["ENV".to_owned()]).disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.folder).map_err(failed)?;
    let message = format!("man pages are in {}", args.folder.display());
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}
