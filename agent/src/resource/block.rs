//! A block of lines between two marker comments in a file that others own too.

use serde::{Deserialize, Serialize};

use super::edited_text::{EditedText, ended};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind};
use crate::host::Host;
use crate::step_error::StepError;

/// A block of lines between two marker comments in a file that others own too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Absolute path of the file.
    pub path: String,
    /// Name of the block, part of its markers.
    pub name: String,
    /// The lines.
    #[serde(default)]
    pub content: String,
    /// What starts a comment in this file.
    #[serde(default = "hash")]
    pub comment: String,
    /// Create the file when it does not exist.
    #[serde(default)]
    pub create: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn hash() -> String {
    "#".to_owned()
}

impl ResourceType for Block {
    type State = EditedText;

    fn observe(&self, host: &Host) -> Result<EditedText, StepError> {
        EditedText::observe(host, &self.path)
    }

    fn diff(&self, state: &EditedText, host: &Host) -> Result<Change, StepError> {
        state.diff(host, self.create, &self.content, &format!("block:{}\n{}", self.path, self.name), |text, content| {
            self.edit(text, content)
        })
    }

    fn apply(&self, state: &EditedText, host: &Host) -> Result<(), StepError> {
        state.apply(host, &self.content, |text, content| self.edit(text, content))
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { content: String::new(), state: Presence::Absent, ..self.clone() })
    }

    fn qualifier(&self) -> String {
        self.name.clone()
    }
}

impl Block {
    fn marker(&self, word: &str) -> String {
        format!("{} {word} cc-cloud {}", self.comment, self.name)
    }

    fn edit(&self, text: &str, content: &str) -> Result<(ChangeKind, String), StepError> {
        let (begin, end) = (self.marker("BEGIN"), self.marker("END"));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let first = lines.iter().position(|line| line.trim() == begin);
        let last =
            first.and_then(|first| lines[first..].iter().position(|line| line.trim() == end).map(|at| first + at));
        let (before, after, known) = match (first, last) {
            (None, _) => (ended(text), String::new(), false),
            (Some(first), Some(last)) => (lines[..first].concat(), lines[last + 1..].concat(), true),
            (Some(first), None) => {
                let text =
                    format!("{}: line {} begins the block `{}` and no line ends it", self.path, first + 1, self.name);
                return Err(StepError::new(text).hint(format!("add the line `{end}` where it should end")));
            }
        };
        if self.state == Presence::Absent {
            return Ok((ChangeKind::Delete, if known { before + &after } else { text.to_owned() }));
        }
        let kind = if known { ChangeKind::Update } else { ChangeKind::Create };
        Ok((kind, format!("{before}{begin}\n{}{end}\n{after}", ended(content))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::resource::tests::Bench;

    #[test]
    fn appends_replaces_and_removes() {
        let bench = Bench::new();
        let block = |content: &str| -> Block {
            serde_json::from_value(serde_json::json!({"path": bench.path("f"), "name": "n", "content": content}))
                .unwrap()
        };
        fs::write(bench.path("f"), "first").unwrap();
        assert_eq!(bench.converge(&block("a\nb")).kind, ChangeKind::Create);
        let with_tail = fs::read_to_string(bench.path("f")).unwrap() + "last\n";
        assert_eq!(with_tail, "first\n# BEGIN cc-cloud n\na\nb\n# END cc-cloud n\nlast\n");
        fs::write(bench.path("f"), with_tail).unwrap();
        assert_eq!(bench.converge(&block("c\n")).kind, ChangeKind::Update);
        assert_eq!(bench.converge(&block("").absent().unwrap()).kind, ChangeKind::Delete);
        assert_eq!(fs::read_to_string(bench.path("f")).unwrap(), "first\nlast\n");
    }

    #[test]
    fn a_block_without_end_is_an_error() {
        let block: Block = serde_json::from_value(serde_json::json!({"path": "/f", "name": "n"})).unwrap();
        let error = block.edit("x\n# BEGIN cc-cloud n\ny\n", "").unwrap_err();
        assert!(error.message.contains("line 2 begins the block"));
    }
}
