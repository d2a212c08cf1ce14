//! `cc-cloud schema`.

use std::path::{Path, PathBuf};

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
pub struct SchemaArgs {
    /// File whose schema to print
    #[arg(value_parser = cc_plan::schema::KINDS)]
    file: Option<String>,
    /// Write the schemas of all files into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    write: Option<PathBuf>,
}

/// Prints or writes JSON Schema, draft 7.
pub fn run(context: &Context, args: &SchemaArgs) -> Result<(), CliError> {
    if let Some(folder) = &args.write {
        write_all(context, folder)?;
        let message = format!("schemas are in {}", folder.display());
        context.report.emit(&Event::Note { message: &message });
        return Ok(());
    }
    let wanted = args.file.as_deref().unwrap_or_default();
    if let Some((_, schema)) = schemas().find(|(name, _)| *name == wanted) {
        context.report.emit(&Event::Data { text: &format!("{schema:#}\n") });
    }
    Ok(())
}

/// Writes the schemas that editors look for.
pub fn write_all(_: &Context, folder: &Path) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("cannot write schemas to {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, schema) in schemas() {
        std::fs::write(folder.join(format!("{name}.schema.json")), format!("{schema:#}\n")).map_err(failed)?;
    }
    Ok(())
}

fn schemas() -> impl Iterator<Item = (&'static str, &'static serde_json::Value)> {
    use cc_plan::schema;
    schema::KINDS.into_iter().filter_map(|kind| Some((kind, schema::of(kind)?)))
}
