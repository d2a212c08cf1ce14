//! Typed access to the entries of a mapping that has been checked against its schema. What has the wrong type has been
//! reported there and reads as absent here.

use crate::node::{Kind, Node};
use crate::quantity::parse_duration;
use crate::source::Spanned;

/// The entries of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n>(pub(super) &'n Node);

impl<'n> Fields<'n> {
    /// A value that is not `null`.
    pub(super) fn node(self, key: &str) -> Option<&'n Node> {
        self.0.get(key).filter(|node| node.kind != Kind::Null)
    }

    /// Text.
    pub(super) fn text(self, key: &str) -> Option<Spanned<String>> {
        self.node(key).and_then(text)
    }

    /// Text, or empty.
    pub(super) fn plain(self, key: &str) -> String {
        self.text(key).map(|text| text.value).unwrap_or_default()
    }

    /// A list of texts, or one text that stands for a list of one.
    pub(super) fn texts(self, key: &str) -> Vec<Spanned<String>> {
        let Some(node) = self.node(key) else { return Vec::new() };
        node.as_list().unwrap_or(std::slice::from_ref(node)).iter().filter_map(text).collect()
    }

    /// A whole number that fits.
    pub(super) fn number<T: TryFrom<i64>>(self, key: &str) -> Option<T> {
        match self.node(key)?.kind {
            Kind::Int(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    /// A length of time, in seconds.
    pub(super) fn seconds(self, key: &str) -> Option<u64> {
        match &self.node(key)?.kind {
            Kind::Int(number) => u64::try_from(*number).ok(),
            Kind::String(text) => parse_duration(text).ok(),
            _ => None,
        }
    }

    /// `true` or `false`; `false` when absent.
    pub(super) fn flag(self, key: &str) -> bool {
        self.node(key).is_some_and(|node| node.kind == Kind::Bool(true))
    }

    /// One of the names of a type.
    pub(super) fn choice<T: serde::de::DeserializeOwned>(self, key: &str) -> Option<T> {
        serde_json::from_value(serde_json::Value::String(self.text(key)?.value)).ok()
    }

    /// The entries of a mapping that are not `null`.
    pub(super) fn entries(self, key: &str) -> Vec<(Spanned<String>, &'n Node)> {
        let entries = self.node(key).and_then(Node::as_map).unwrap_or_default();
        entries.iter().filter(|(_, node)| node.kind != Kind::Null).map(|(name, node)| (name.clone(), node)).collect()
    }

    /// The items of a list.
    pub(super) fn items(self, key: &str) -> &'n [Node] {
        self.node(key).and_then(Node::as_list).unwrap_or_default()
    }

    /// Entries under keys that are not among `known`.
    pub(super) fn others(self, known: &[&str]) -> Vec<(Spanned<String>, Node)> {
        let entries = self.0.as_map().unwrap_or_default().iter();
        entries.filter(|(name, _)| !known.contains(&name.as_str())).cloned().collect()
    }
}

/// Text with its place.
pub(super) fn text(node: &Node) -> Option<Spanned<String>> {
    Some(Spanned::new(node.as_str()?.to_owned(), node.span))
}
