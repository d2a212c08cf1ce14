//! `cc-cloud <env> graph`.

use cc_plan::graph::{self, Graph};

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
    let spec = context.load_without_secrets(environment)?.spec;
    let graph = Graph::new(&spec).map_err(|diagnostics| {
        context.show(&diagnostics, &spec.sources);
        CliError::failed("the services have no order")
    })?;
    let text = match args.format {
        Format::Mermaid => graph::mermaid(&graph),
        Format::Dot => graph::dot(&graph),
    };
    context.report.emit(&Event::Data { text: &text });
    Ok(())
}
