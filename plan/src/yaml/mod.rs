//! YAML text becomes [`Node`] trees that know their places; every problem becomes one diagnostic.
//!
//! YAML 1.2 with what people know from 1.1: `yes`, `no`, `on`, `off` are booleans as values (never as keys), merge keys and
//! aliases are resolved. A number that YAML versions read differently (`0640`) stays text, so that it never silently becomes
//! another number.

mod builder;
mod scalar;
mod syntax;

use serde_saphyr::granit_parser::{Parser, options};

use self::builder::Builder;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::Node;
use crate::source::{FileId, Sources, Span};

/// Bytes that a YAML file may have.
pub const SIZE_LIMIT: usize = 4 << 20;
/// Levels of lists and mappings.
const DEPTH_LIMIT: usize = 64;
/// Nodes of a file once its aliases are resolved.
const NODE_LIMIT: usize = 250_000;

/// What could be read of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The tree, as far as it could be read.
    pub root: Node,
    /// `false` when something is missing from the tree, because it was an error that has been reported: what is not there
    /// must not be reported as missing.
    pub complete: bool,
}

/// Parses a file. All problems go to `diagnostics`; `None` when nothing could be read.
pub fn parse(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Document> {
    let text = sources.get(file).text.as_str();
    let path = sources.get(file).path.display();
    let top = Span { file, start: 0, end: 0 };
    if text.len() > SIZE_LIMIT {
        let message = format!("{path} is {} KiB long; at most {} KiB are read", text.len() >> 10, SIZE_LIMIT >> 10);
        diagnostics.push(Diagnostic::error(top, message).hint("move large content to a file of a role"));
        return None;
    }
    let mut builder = Builder::new(file, text, diagnostics);
    let settings = options! { emit_comments: false, emit_unresolved_aliases: true, block_nesting_limit: 2 * DEPTH_LIMIT, flow_nesting_limit: 2 * DEPTH_LIMIT };
    // The parser refuses a byte order mark only inside of a document; its offsets count it.
    for event in Parser::new_from_str_with_options(text, settings) {
        let result = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(builder.stop(syntax::diagnostic(&error, file, text))),
        };
        if result.is_err() {
            break;
        }
    }
    let (root, complete) = builder.finish();
    if root.is_none() && complete {
        diagnostics.push(Diagnostic::error(top, format!("{path} is empty")));
    }
    root.map(|root| Document { root, complete })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::node::Kind;

    fn read(text: &str) -> (Option<Document>, Vec<String>, Sources) {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let file = sources.add("test.yml", text);
        let document = parse(&sources, file, &mut diagnostics);
        (document, diagnostics.iter().map(|d| d.message.clone()).collect(), sources)
    }

    fn json(text: &str) -> serde_json::Value {
        let (document, messages, _) = read(text);
        assert_eq!(messages, [""; 0], "{text}");
        (&document.unwrap().root).into()
    }

    #[test]
    fn scalars_keep_what_was_written() {
        let value =
            json("{a: yes, b: Off, c: 0640, d: 12, e: 1.5, f: ~, g: '1', h: 0x1f, i: 1e3, j: 12:30, k: y, l: null}");
        let expected = serde_json::json!({"a": true, "b": false, "c": "0640", "d": 12, "e": 1.5, "f": null, "g": "1", "h": "0x1f",
            "i": "1e3", "j": "12:30", "k": "y", "l": null});
        assert_eq!(value, expected);
    }

    #[test]
    fn keys_are_text() {
        assert_eq!(json("on: 1\n80: 2\nyes: 3\n"), serde_json::json!({"on": 1, "80": 2, "yes": 3}));
    }

    #[test]
    fn merge_keys_and_aliases_are_resolved() {
        let value = json("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 0\nd: *a\n");
        assert_eq!(value["c"], serde_json::json!({"x": 0, "y": 2, "z": 4}));
        assert_eq!(value["d"], serde_json::json!({"x": 1, "y": 2}));
    }

    #[test]
    fn every_node_knows_its_place() {
        let text = "# käse\nhosts:\n  web1: {groups: [web, \"ü\"]}\nempty:\nlast: |\n  text\n";
        let (document, _, sources) = read(text);
        let root = document.unwrap().root;
        let slice = |node: &Node| &text[node.span.start..node.span.end];
        let host = root.get("hosts").unwrap().get("web1").unwrap();
        assert_eq!(slice(host), "{groups: [web, \"ü\"]}");
        assert_eq!(slice(&host.get("groups").unwrap().as_list().unwrap()[1]), "\"ü\"");
        assert_eq!(slice(root.get("hosts").unwrap()), "web1: {groups: [web, \"ü\"]}");
        assert_eq!(sources.position(root.get("hosts").unwrap().span), (3, 3));
        assert_eq!(slice(root.get("empty").unwrap()), "empty", "nothing is shown at its key");
        assert_eq!(root.get("last").unwrap().kind, Kind::String("text\n".to_owned()));
    }

    #[test]
    fn each_problem_is_one_message_and_the_rest_is_read() {
        for (text, expected) in [
            ("", "test.yml is empty"),
            ("# nothing\n", "test.yml is empty"),
            ("a: 1\nb: 2\na: 3\n", "`a` is written twice"),
            ("a: *none\n", "no anchor `&none` stands before this alias"),
            ("a: &a [*a]\n", "the alias stands inside of what it refers to"),
            ("a: 1\n---\nb: 2\n", "a second YAML document begins here"),
            ("a: !vault x\n", "the tag `!vault` is not known"),
            ("a: {{ b }}\n", "a key must be text"),
            ("a: 99999999999999999999\n", "`99999999999999999999` is too large for a number"),
            ("<<: 1\n", "`<<` takes a mapping or a list of mappings"),
            ("a:\n\tb: 1\n", "a tab cannot indent"),
        ] {
            let (_, messages, _) = read(text);
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            assert!(messages[0].starts_with(expected), "{text}: {messages:?}");
        }
        let (document, messages, _) = read("a: 1\nb: [1, 2\nc: 3\n");
        assert_eq!(messages.len(), 1, "{messages:?}");
        let document = document.unwrap();
        assert!(!document.complete);
        assert_eq!(document.root.get("a").unwrap().kind, Kind::Int(1));
    }

    #[test]
    fn bombs_end_in_an_error() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", ")));
        }
        assert!(read(&text).1[0].contains("aliases"), "{:?}", read(&text).1);
        let deep = format!("{}x", "- ".repeat(5000));
        assert!(read(&deep).1[0].contains("nested"), "{:?}", read(&deep).1);
        assert!(read(&"[".repeat(5000)).1[0].contains("nested"), "{:?}", read(&"[".repeat(5000)).1);
        assert!(read(&"x".repeat(SIZE_LIMIT + 1)).1[0].contains("4096 KiB"));
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        assert_eq!(json("\u{feff}a: 1\n"), serde_json::json!({"a": 1}));
    }
}
