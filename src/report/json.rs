//! NDJSON: one object a line, the first says the version.

use std::io::Write;

use super::event::Event;

/// The version of the event stream. A new major number breaks readers; anything else only adds.
const SCHEMA: &str = "1.0";

/// Writes events to a program or file.
pub(super) struct JsonSink {
    output: Box<dyn Write + Send>,
}

impl JsonSink {
    pub(super) fn new(output: Box<dyn Write + Send>) -> Self {
        let mut sink = Self { output };
        sink.line(&serde_json::json!({"type": "version", "schema": SCHEMA, "cc_cloud": env!("CARGO_PKG_VERSION")}));
        sink
    }

    pub(super) fn emit(&mut self, event: &Event) {
        self.line(event);
    }

    /// A sink that cannot be written to any more must not stop a run; what was lost is the reader's own doing.
    fn line(&mut self, value: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            let _ = writeln!(self.output, "{text}");
            let _ = self.output.flush();
        }
    }
}
