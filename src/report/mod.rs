//! Everything that a person or a program reads goes through here: one stream of events, shown on a terminal, as plain lines
//! or as NDJSON.

mod drift_junit;
mod drift_text;
mod drift_view;
mod event;
mod json;
mod listener;
mod moved;
mod moved_text;
mod plan_text;
mod plan_view;
mod printer;
mod progress;
pub mod run_text;
mod style;
mod table;
mod text;

pub use drift_view::{Cause, DriftView, Drifted, HostDrift};
pub use event::{Event, HostState, HostSummary, Pair, Standing};
pub use listener::Listener;
pub use moved::Moved;
pub use plan_view::{HostView, PENDING, PlanView, StepView};
pub use printer::Printer;
pub use style::Style;
pub use table::render as table;

use std::sync::{Arc, Mutex};

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
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
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
        Ok(Self { text, json, listeners: Mutex::default(), style })
    }

    /// How text is shown.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Lets something else of this program hear every event from now on.
    pub fn listen(&self, listener: Arc<dyn Listener>) {
        if let Ok(mut listeners) = self.listeners.lock() {
            listeners.push(listener);
        }
    }

    /// Shows one event in every sink.
    pub fn emit(&self, event: &Event) {
        if let Ok(listeners) = self.listeners.lock() {
            listeners.iter().for_each(|listener| listener.hear(event));
        }
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
