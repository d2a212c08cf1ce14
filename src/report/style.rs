//! Colour and width.

use std::io::IsTerminal;

use cc_agent::change::ChangeKind;

/// How text is shown. Everything reads without colour too.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Colour on standard output.
    pub color: bool,
    /// Columns that a line may have.
    pub width: usize,
    /// Whether progress can be drawn on standard error.
    pub progress: bool,
}

impl Style {
    /// From the terminal, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and `COLUMNS`; `choice` wins.
    pub fn detect(choice: Option<bool>) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = std::io::stdout().is_terminal();
        let color = choice.unwrap_or_else(|| !set("NO_COLOR") && (set("CLICOLOR_FORCE") || (terminal && !dumb)));
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = columns.unwrap_or_else(|| if terminal { usize::from(terminal_width()) } else { 120 });
        Self { color, width: width.max(20), progress: std::io::stderr().is_terminal() && !dumb }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A heading.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something of less weight.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Something that is well.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something to look at.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Something that failed.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Text in the colour of a kind of change.
    pub fn change(self, kind: ChangeKind, text: &str) -> String {
        match kind {
            ChangeKind::None => self.dim(text),
            ChangeKind::Create => self.good(text),
            ChangeKind::Update | ChangeKind::Run => self.warn(text),
            ChangeKind::Delete => self.bad(text),
            ChangeKind::Unknown => self.paint("36", text),
        }
    }
}

fn terminal_width() -> u16 {
    console::Term::stdout().size().1
}
