//! `extends`: what an environment takes from others.

use crate::node::{Kind, Node};

/// Puts `over` on top of `base`: mappings merge key by key, everything else replaces, `null` removes.
pub(super) fn merge(base: Node, over: Node) -> Node {
    let (Kind::Map(mut entries), Kind::Map(changes)) = (base.kind, over.kind.clone()) else { return over };
    for (key, change) in changes {
        let at = entries.iter().position(|(name, _)| name.value == key.value);
        match (at, change.kind == Kind::Null) {
            (Some(at), true) => drop(entries.remove(at)),
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
    Node { kind: Kind::Map(entries), span: over.span }
}

fn is_secret(node: &Node) -> bool {
    node.as_map().is_some_and(|entries| entries.len() == 1 && entries[0].0.value == "secret")
}
