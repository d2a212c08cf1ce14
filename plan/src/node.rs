//! YAML as a tree in which every key and value knows its place.

use crate::source::{Span, Spanned};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub kind: Kind,
    /// Its place.
    pub span: Span,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing, `null` or `~`.
    Null,
    /// `true`, `false` and their YAML 1.1 spellings.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text; may be a template.
    String(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in written order, without duplicate keys, merge keys resolved.
    Map(Vec<(Spanned<String>, Node)>),
}

impl Node {
    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// The entries, when it is a mapping.
    pub fn as_map(&self) -> Option<&[(Spanned<String>, Node)]> {
        if let Kind::Map(entries) = &self.kind { Some(entries) } else { None }
    }

    /// The items, when it is a sequence.
    pub fn as_list(&self) -> Option<&[Node]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }
}

impl Node {
    /// What it is, for messages: "the number 5", "a list". Text that is long or may be a secret by mistake is not repeated.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Int(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {value}"),
            Kind::String(text) if text.len() <= 40 && !text.contains('\n') => format!("`{text}`"),
            Kind::String(_) => "text".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// Forgets places, keeps values. Templates stay text.
impl From<&Node> for serde_json::Value {
    fn from(node: &Node) -> Self {
        match &node.kind {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(*value),
            Kind::Int(value) => Self::from(*value),
            Kind::Float(value) => Self::from(*value),
            Kind::String(text) => Self::String(text.clone()),
            Kind::List(items) => Self::Array(items.iter().map(Self::from).collect()),
            Kind::Map(entries) => Self::Object(entries.iter().map(|(k, v)| (k.value.clone(), Self::from(v))).collect()),
        }
    }
}
