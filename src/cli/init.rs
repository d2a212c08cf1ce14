//! `cc-cloud init NAME`.

use std::path::Path;

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct InitArgs {
    /// Name of the environment: lower-case letters, digits, hyphens
    name: String,
}

/// Writes the files of a new environment; never over one that exists.
pub fn run(context: &Context, arguments: &InitArgs) -> Result<(), CliError> {
    let name = &arguments.name;
    let repository = context.repository();
    let files = cc_plan::spec::init(name).map_err(|why| CliError::usage(why).hint("choose another name"))?;
    let paths: Vec<_> = files.iter().map(|(path, _)| repository.root.join(path)).collect();
    if let Some(existing) = paths.iter().find(|path| path.exists()) {
        return Err(CliError::failed(format!("{} exists already", existing.display()))
            .hint("choose another name, or remove that file first"));
    }
    for (path, (_, text)) in paths.iter().zip(&files) {
        write(path, text)?;
        context.report.emit(&Event::Note { message: &format!("wrote {}", repository.display(path).display()) });
    }
    super::schema::write_all(context, &repository.root.join("schema"))?;
    let next = format!("next: edit these files, then `cc-cloud {name} validate`");
    context.report.emit(&Event::Note { message: &next });
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}
