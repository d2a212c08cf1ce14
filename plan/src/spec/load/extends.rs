//! `extends`: what an environment takes from others.

use std::collections::HashMap;

use crate::node::{Kind, Node};

/// Puts `over` on top of `base`: mappings merge key by key, everything else replaces, `null` removes.
pub(super) fn merge(base: Node, over: Node) -> Node {
    let (Kind::Map(mut entries), Kind::Map(changes)) = (base.kind, over.kind.clone()) else { return over };
    let places: HashMap<String, usize> =
        entries.iter().enumerate().map(|(index, (name, _))| (name.value.clone(), index)).collect();
    for (key, change) in changes {
        match (places.get(&key.value).copied(), change.kind == Kind::Null) {
            (Some(at), true) => entries[at].1.kind = Kind::Null,
            (None, true) => {}
            (Some(at), false) => {
                let (_, node) = &mut entries[at];
                let below = std::mem::replace(node, Node { kind: Kind::Null, span: change.span });
                // `{secret: name}` is one value: half of one and half of another would be none.
                *node = if is_secret(&below) || is_secret(&change) { change } else { merge(below, change) };
            }
            (None, false) => {
                let nothing = Node { kind: Kind::Map(Vec::new()), span: change.span };
                let node = if change.as_map().is_some() { merge(nothing, change) } else { change };
                entries.push((key, node));
            }
        }
    }
    entries.retain(|(_, node)| node.kind != Kind::Null);
    Node { kind: Kind::Map(entries), span: over.span }
}

fn is_secret(node: &Node) -> bool {
    node.as_map().is_some_and(|entries| entries.len() == 1 && entries[0].0.value == "secret")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::Sources;

    fn node(text: &str) -> Node {
        let mut sources = Sources::default();
        let file = sources.add("a.yml", text);
        crate::yaml::parse(&sources, file, &mut Diagnostics::default()).unwrap().root
    }

    fn merged(base: &str, over: &str) -> Value {
        (&merge(node(base), node(over))).into()
    }

    #[test]
    fn mappings_merge_and_everything_else_replaces() {
        let value = merged("{a: {x: 1, y: 2}, b: [1, 2], c: 3}", "{a: {y: 4, z: 5}, b: [6], d: 7}");
        assert_eq!(value, json!({"a": {"x": 1, "y": 4, "z": 5}, "b": [6], "c": 3, "d": 7}));
        assert_eq!(merged("{a: 1}", "{a: {b: 2}}"), json!({"a": {"b": 2}}));
        assert_eq!(merged("{a: {b: 2}}", "{a: 1}"), json!({"a": 1}));
    }

    #[test]
    fn null_removes_at_every_depth() {
        assert_eq!(
            merged("{a: {x: 1, y: 2}, b: 1}", "{a: {x: null}, b: ~, c: ~, d: {e: ~, f: 1}}"),
            json!({"a": {"y": 2}, "d": {"f": 1}})
        );
    }

    #[test]
    fn a_secret_is_one_value() {
        assert_eq!(merged("{a: {secret: x}}", "{a: {b: 1}}"), json!({"a": {"b": 1}}));
        assert_eq!(merged("{a: {b: 1}}", "{a: {secret: x}}"), json!({"a": {"secret": "x"}}));
    }
}
