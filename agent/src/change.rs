//! What a step would do, or did: the unit of every plan, diff and report.

use serde::{Deserialize, Serialize};

/// What happens to a resource. The plan reads without colour by its [`ChangeKind::symbol`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The resource is as desired.
    None,
    /// It does not exist yet.
    Create,
    /// It exists and differs.
    Update,
    /// It exists and should not.
    Delete,
    /// An action that leaves no state to compare, such as a guarded command or a restart.
    Run,
    /// It cannot be known before an earlier step has been applied; never shown as "no change".
    Unknown,
}

impl ChangeKind {
    /// The mark in front of a plan line.
    pub fn symbol(self) -> char {
        match self {
            Self::None => ' ',
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
            Self::Run => '!',
            Self::Unknown => '?',
        }
    }
}

/// The difference between the observed and the desired state of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens.
    pub kind: ChangeKind,
    /// What differs, in the order in which the resource type names it. Never holds a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// One difference inside a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// A value before and after; `None` where there is none.
    Value {
        /// The field as written in a role: `mode`, `version` …
        field: String,
        /// The observed value.
        before: Option<String>,
        /// The desired value.
        after: Option<String>,
    },
    /// A unified diff of text, without the two header lines.
    Text {
        /// The field as written in a role, mostly `content`.
        field: String,
        /// Hunks of a unified diff with three lines of context.
        diff: String,
    },
    /// A field that holds a secret changes; its values are never shown.
    Secret {
        /// The field as written in a role.
        field: String,
    },
    /// A remark: why a command would run, why a state is unknown.
    Note {
        /// One line for a person.
        text: String,
    },
}

impl Change {
    /// Nothing differs.
    pub fn none() -> Self {
        Self { kind: ChangeKind::None, details: Vec::new() }
    }

    /// A change of this kind, without details yet.
    pub fn of(kind: ChangeKind) -> Self {
        Self { kind, details: Vec::new() }
    }

    /// The state cannot be known yet, because of `why`.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::of(ChangeKind::Unknown).note(why)
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.details.push(Detail::Note { text: text.into() });
        self
    }

    /// Adds a value before and after.
    #[must_use]
    pub fn value(mut self, field: &str, before: Option<String>, after: Option<String>) -> Self {
        self.details.push(Detail::Value { field: field.to_owned(), before, after });
        self
    }

    /// Whether the host is already as desired.
    pub fn is_none(&self) -> bool {
        self.kind == ChangeKind::None
    }
}

/// Compares fields one by one and builds the [`Change`] that `diff` returns.
///
/// ```
/// use cc_agent::change::{ChangeKind, Differ};
/// let mut differ = Differ::default();
/// differ.field("mode", Some("0644"), Some("0640"));
/// differ.field("owner", Some("root"), None::<&str>); // not managed: no difference
/// assert_eq!(differ.update().kind, ChangeKind::Update);
/// ```
#[derive(Default)]
pub struct Differ {
    details: Vec<Detail>,
}

impl Differ {
    /// Notes a difference of `field` unless the desired value is absent (not managed) or equal.
    pub fn field<A: ToString, B: ToString>(&mut self, field: &str, observed: Option<A>, desired: Option<B>) {
        let (Some(after), before) = (desired.map(|v| v.to_string()), observed.map(|v| v.to_string())) else {
            return;
        };
        if before.as_ref() != Some(&after) {
            self.details.push(Detail::Value { field: field.to_owned(), before, after: Some(after) });
        }
    }

    /// Notes any other difference.
    pub fn push(&mut self, detail: Detail) {
        self.details.push(detail);
    }

    /// An update with what was noted, or no change when nothing was.
    pub fn update(self) -> Change {
        let kind = if self.details.is_empty() { ChangeKind::None } else { ChangeKind::Update };
        Change { kind, details: self.details }
    }

    /// A creation with what was noted.
    pub fn create(self) -> Change {
        Change { kind: ChangeKind::Create, details: self.details }
    }
}
