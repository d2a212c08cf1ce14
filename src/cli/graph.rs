//! `cc-cloud <env> graph`.

use cc_plan::compile::Known;
use cc_plan::graph;

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct GraphArgs {
    /// Format
    #[arg(long, default_value = "mermaid")]
    format: Format,
}

/// Formats of a graph.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Format {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// Prints the order of services.
pub fn run(context: &Context, environment: &str, args: &GraphArgs) -> Result<(), CliError> {
    let spec = context.load(environment)?;
    let plan = context.compile(&spec, &Known::default())?;
    let text = match args.format {
        Format::Mermaid => graph::mermaid(&spec, &plan),
        Format::Dot => graph::dot(&spec, &plan),
    };
    context.report.emit(&Event::Data { text: &text });
    Ok(())
}
