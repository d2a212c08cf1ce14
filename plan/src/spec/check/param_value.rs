//! Whether what was written for a parameter is of its type.

use crate::node::{Kind, Node};
use crate::schema::Format;
use crate::spec::role::ParamType;
use crate::suggest::closest;

/// A value that is wrong whatever it would be rendered to.
pub(super) struct Mismatch {
    /// "a whole number".
    pub(super) expected: String,
    /// What to write.
    pub(super) hint: Option<String>,
}

/// Whether text is computed when a host's plan is made.
pub(super) fn is_template(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

/// The name inside of `{secret: name}`.
pub(super) fn secret_name(node: &Node) -> Option<&Node> {
    node.as_map().filter(|entries| entries.len() == 1 && entries[0].0.value == "secret").map(|entries| &entries[0].1)
}

/// What is wrong with a value; templates are never wrong here.
pub(super) fn mismatch(kind: &ParamType, node: &Node) -> Option<Mismatch> {
    if is_template(node) {
        return None;
    }
    let wrong = |expected: &str, hint: Option<&str>| {
        Some(Mismatch { expected: expected.to_owned(), hint: hint.map(str::to_owned) })
    };
    if secret_name(node).is_some() && !matches!(kind, ParamType::Secret | ParamType::Map) {
        return wrong(&words(kind), Some("a value from the secrets file needs `type: secret` in role.yml"));
    }
    let fits = match kind {
        ParamType::String => matches!(node.kind, Kind::String(_) | Kind::Int(_)),
        ParamType::Integer => matches!(node.kind, Kind::Int(_)),
        ParamType::Number => matches!(node.kind, Kind::Int(_) | Kind::Float(_)),
        ParamType::Boolean => matches!(node.kind, Kind::Bool(_)),
        ParamType::List => matches!(node.kind, Kind::List(_)),
        ParamType::Map => matches!(node.kind, Kind::Map(_)),
        ParamType::Secret => secret_name(node).is_some_and(|name| name.as_str().is_some()),
        ParamType::Enum(choices) => node.as_str().is_some_and(|text| choices.iter().any(|choice| choice == text)),
        _ => format(kind).is_none_or(|format| format.accepts(node)),
    };
    if fits {
        return None;
    }
    let hint = match kind {
        ParamType::Enum(choices) => {
            let similar = node.as_str().and_then(|text| closest(text, choices.iter().map(String::as_str)));
            return Some(Mismatch {
                expected: words(kind),
                hint: similar.map(|name| format!("did you mean `{name}`?")),
            });
        }
        ParamType::Secret => Some("write `{secret: name}`; the value itself belongs into the secrets file"),
        ParamType::String if !matches!(node.kind, Kind::List(_) | Kind::Map(_)) => Some("put text in quotes"),
        _ => format(kind).map(|format| format.hint),
    };
    wrong(&words(kind), hint)
}

fn format(kind: &ParamType) -> Option<&'static Format> {
    let name = match kind {
        ParamType::Bytes => "bytes",
        ParamType::Duration => "duration",
        ParamType::Percent => "percent",
        ParamType::Mode => "mode",
        ParamType::Path => "path",
        ParamType::Port => "port",
        _ => return None,
    };
    Format::named(name)
}

fn words(kind: &ParamType) -> String {
    match kind {
        ParamType::String => "text".to_owned(),
        ParamType::Integer => "a whole number".to_owned(),
        ParamType::Number => "a number".to_owned(),
        ParamType::Boolean => "true or false".to_owned(),
        ParamType::List => "a list".to_owned(),
        ParamType::Map => "a mapping".to_owned(),
        ParamType::Secret => "a secret".to_owned(),
        ParamType::Enum(choices) => format!("one of {}", choices.join(", ")),
        _ => format(kind).map_or("a value", |format| format.expected).to_owned(),
    }
}
