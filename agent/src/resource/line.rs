//! One line in a file that others own too.

use serde::{Deserialize, Serialize};

use super::edited_text::{EditedText, ended};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind};
use crate::host::Host;
use crate::step_error::StepError;

/// One line in a file that others own too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Absolute path of the file.
    pub path: String,
    /// The line, without line end.
    pub text: String,
    /// Replaces the last line that starts with this text (leading white space ignored) instead of appending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Create the file when it does not exist.
    #[serde(default)]
    pub create: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

impl ResourceType for Line {
    type State = EditedText;

    fn observe(&self, host: &Host) -> Result<EditedText, StepError> {
        EditedText::observe(host, &self.path)
    }

    fn diff(&self, state: &EditedText, host: &Host) -> Result<Change, StepError> {
        if self.text.contains('\n') {
            return Err(StepError::new("a line holds a line end").hint("use a `block` for several lines"));
        }
        state.diff(host, self.create, &self.text, &format!("line:{}\n{}", self.path, self.qualifier()), |text, line| {
            Ok(self.edit(text, line))
        })
    }

    fn apply(&self, state: &EditedText, host: &Host) -> Result<(), StepError> {
        state.apply(host, &self.text, |text, line| Ok(self.edit(text, line)))
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }

    fn qualifier(&self) -> String {
        self.starts_with.clone().unwrap_or_else(|| self.text.clone())
    }
}

impl Line {
    fn edit(&self, text: &str, line: &str) -> (ChangeKind, String) {
        let matches = |have: &str| self.starts_with.as_ref().is_some_and(|start| have.trim_start().starts_with(start));
        if self.state == Presence::Absent {
            let kept: Vec<&str> = text
                .split_inclusive('\n')
                .filter(|have| have.trim_end_matches('\n') != line && !matches(have))
                .collect();
            return (ChangeKind::Delete, kept.concat());
        }
        let lines: Vec<&str> = text.lines().collect();
        let place = lines.iter().rposition(|have| matches(have));
        // A line that does not begin with what it replaces would otherwise replace one more each time.
        let foreign = !matches(line);
        if lines.iter().enumerate().any(|(at, have)| *have == line && (foreign || place == Some(at))) {
            return (ChangeKind::None, text.to_owned());
        }
        let Some(place) = place else {
            return (ChangeKind::Create, format!("{}{line}\n", ended(text)));
        };
        let mut edited = String::with_capacity(text.len() + line.len());
        for (at, have) in text.split_inclusive('\n').enumerate() {
            if at == place {
                edited.push_str(line);
                edited.push_str(if have.ends_with('\n') { "\n" } else { "" });
            } else {
                edited.push_str(have);
            }
        }
        (ChangeKind::Update, edited)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::resource::tests::Bench;
    use crate::secret::token;

    fn line(text: &str, starts_with: Option<&str>) -> Line {
        let starts_with = starts_with.map(str::to_owned);
        Line { path: String::new(), text: text.to_owned(), starts_with, create: true, state: Presence::Present }
    }

    #[test]
    fn appends_replaces_and_removes() {
        let bench = Bench::new();
        let at = |mut line: Line| {
            line.path = bench.path("conf");
            line
        };
        assert_eq!(bench.converge(&at(line("a=1", None))).kind, ChangeKind::Create);
        fs::write(bench.path("conf"), "b=0\n  a=0\na=1\nc").unwrap();
        assert_eq!(bench.converge(&at(line("a=2", Some("a=")))).kind, ChangeKind::Update);
        bench.converge(&at(line("d=1", None)));
        assert_eq!(fs::read_to_string(bench.path("conf")).unwrap(), "b=0\n  a=0\na=2\nc\nd=1\n");
        assert_eq!(bench.converge(&at(line("a=2", Some("a="))).absent().unwrap()).kind, ChangeKind::Delete);
        assert_eq!(fs::read_to_string(bench.path("conf")).unwrap(), "b=0\nc\nd=1\n");
    }

    #[test]
    fn a_secret_line_is_masked_before_and_after() {
        let bench = Bench::new();
        let mut secret = line(&format!("pass={}", token("pw", &[])), Some("pass="));
        secret.path = bench.path("conf");
        fs::write(bench.path("conf"), "user=x\npass=older-one\n").unwrap();
        let shown = serde_json::to_string(&bench.converge(&secret)).unwrap();
        assert!(
            shown.contains("pass=(secret)") && !shown.contains("older-one") && !shown.contains("hunter22"),
            "{shown}"
        );
        assert_eq!(fs::read_to_string(bench.path("conf")).unwrap(), "user=x\npass=hunter22\n");
    }

    #[test]
    fn a_missing_file_is_named() {
        let bench = Bench::new();
        let missing = Line { path: bench.path("none"), create: false, ..line("a", None) };
        let state = missing.observe(&bench.host).unwrap();
        assert!(missing.diff(&state, &bench.host).unwrap_err().message.contains("none: it does not exist"));
    }

    proptest! {
        #[test]
        fn an_edit_is_made_once(text in "([ab#]{0,3}\n?){0,6}", line_text in "[ab]{1,3}", start in proptest::option::of("[ab#]{1,2}"), absent: bool) {
            let mut line = line(&line_text, start.as_deref());
            line.state = if absent { Presence::Absent } else { Presence::Present };
            let (_, once) = line.edit(&text, &line_text);
            let (_, twice) = line.edit(&once, &line_text);
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(once.lines().any(|have| have == line_text), !absent);
        }
    }
}
