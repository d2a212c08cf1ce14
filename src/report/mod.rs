//! Everything that a person or a program reads goes through here: one stream of events, shown on a terminal, as plain lines
//! or as NDJSON.

mod event;
mod json;
mod plan_text;
mod plan_view;
mod printer;
mod progress;
mod style;
mod table;
mod text;

pub use event::{Event, HostState, HostSummary, Pair, Standing};
pub use plan_view::{HostView, PlanView, StepView};
pub use printer::Printer;
pub use style::Style;

use std::sync::Mutex;

use crate::error::CliError;
use json::JsonSink;
use text::TextSink;

/// How to report, as the command line says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// NDJSON on standard output instead of text.
    pub json: bool,
    /// NDJSON into this file as well.
    pub json_into: Option<std::path::PathBuf>,
    /// Only errors and data.
    pub quiet: bool,
    /// 1: also what did not change; 2: also how things were done.
    pub verbose: u8,
    /// Colour, `None` to decide by the terminal.
    pub color: Option<bool>,
}

/// The sinks of a command.
pub struct Report {
    text: Option<Mutex<TextSink>>,
    json: Vec<Mutex<JsonSink>>,
    style: Style,
}

impl Report {
    /// Opens the sinks.
    ///
    /// # Errors
    /// When `--json-into` cannot be created.
    pub fn new(settings: &Settings) -> Result<Self, CliError> {
        let style = Style::detect(settings.color);
        let mut json = Vec::new();
        if settings.json {
            json.push(Mutex::new(JsonSink::new(Box::new(Printer::stdout()))));
        }
        if let Some(path) = &settings.json_into {
            let file = std::fs::File::create(path).map_err(|error| {
                CliError::failed(format!("cannot create {}: {error}", path.display()))
                    .hint("choose another path for `--json-into`")
            })?;
            json.push(Mutex::new(JsonSink::new(Box::new(file))));
        }
        let text = (!settings.json).then(|| Mutex::new(TextSink::new(style, settings.quiet, settings.verbose)));
        Ok(Self { text, json, style })
    }

    /// How text is shown.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Shows one event in every sink.
    pub fn emit(&self, event: &Event) {
        for sink in &self.json {
            if let Ok(mut sink) = sink.lock() {
                sink.emit(event);
            }
        }
        if let Some(Ok(mut sink)) = self.text.as_ref().map(Mutex::lock) {
            sink.emit(event);
        }
    }

    /// Takes a running progress display off the screen, so that something else can be written or asked.
    pub fn pause(&self) {
        if let Some(Ok(mut sink)) = self.text.as_ref().map(Mutex::lock) {
            sink.pause();
        }
    }
}
