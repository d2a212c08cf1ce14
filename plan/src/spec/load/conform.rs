//! Compares a tree with the schema of its file.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Kind, Node};
use crate::schema::View;
use crate::source::{Span, Spanned};
use crate::suggest::closest;
use crate::yaml::Document;

/// Reports everything in which a document does not fit to a schema.
pub(super) fn conform(document: &Document, schema: &Value, diagnostics: &mut Diagnostics) {
    let mut walk = Walk { complete: document.complete, found: Vec::new() };
    walk.value(&document.root, View::new(schema), document.root.span);
    walk.found.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
}

/// What to write instead, from what is like it.
pub(super) fn did_you_mean(written: &str, known: &[&str]) -> String {
    match closest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known: {}", known.join(", ")),
    }
}

struct Walk {
    /// Whether what is not there is really missing.
    complete: bool,
    found: Vec<Diagnostic>,
}

impl Walk {
    /// Checks a value. `at` is where something missing in it is reported: its key, or itself.
    fn value(&mut self, node: &Node, schema: View<'_>, at: Span) {
        if let Some(format) = schema.format() {
            if !format.accepts(node) {
                self.report(node, format.expected, Some(format.hint.to_owned()));
            }
        } else if let Some(kind) = schema.text("x-first-key") {
            self.first_key(node, schema, kind);
        } else if let Some(names) = schema.names() {
            self.name(node, &names);
        } else if let Some(choices) = schema.choices() {
            self.choice(node, schema, &choices, at);
        } else if !schema.accepts(&node.kind) {
            self.report(node, &schema.words(), schema.hint(node));
        } else {
            self.content(node, schema, at);
        }
    }

    fn report(&mut self, node: &Node, expected: &str, hint: Option<String>) {
        let message = format!("expected {expected}, found {}", node.describe());
        self.found.push(Diagnostic { hint, ..Diagnostic::error(node.span, message) });
    }

    /// An alternative by the first key of a mapping.
    fn first_key(&mut self, node: &Node, schema: View<'_>, kind: &str) {
        let Some((key, _)) = node.as_map().and_then(<[_]>::first) else {
            return self.report(node, &format!("a mapping that begins with a {kind}"), None);
        };
        let choices = schema.choices().unwrap_or_default();
        let title = |choice: &View<'_>| choice.text("title") == Some(key.as_str());
        if let Some(choice) = choices.iter().find(|choice| title(choice)) {
            return self.value(node, *choice, key.span);
        }
        let known: Vec<&str> = choices.iter().filter_map(|choice| choice.text("title")).collect();
        let later = node.as_map().unwrap_or_default().iter().find(|(name, _)| known.contains(&name.as_str()));
        let error = Diagnostic::error(key.span, format!("unknown {kind} `{}`", key.value));
        self.found.push(match later {
            Some((name, _)) => error.hint(format!("the type comes first: begin with `{}:`", name.value)),
            None => error.hint(did_you_mean(key, &known)),
        });
    }

    /// One of some texts.
    fn name(&mut self, node: &Node, names: &[&str]) {
        match node.as_str() {
            Some(text) if names.contains(&text) => {}
            Some(text) => {
                let error = Diagnostic::error(node.span, format!("`{text}` is not accepted here"));
                self.found.push(error.hint(did_you_mean(text, names)));
            }
            None => self.report(node, &format!("one of {}", names.join(", ")), None),
        }
    }

    /// One of several schemas: the first whose type fits, when none fits as a whole.
    fn choice(&mut self, node: &Node, schema: View<'_>, choices: &[View<'_>], at: Span) {
        let before = self.found.len();
        let mut best: Option<Vec<Diagnostic>> = None;
        for choice in choices.iter().filter(|choice| choice.accepts(&node.kind)) {
            self.value(node, *choice, at);
            let found = self.found.split_off(before);
            if found.is_empty() {
                return;
            }
            best.get_or_insert(found);
        }
        match best {
            Some(found) => self.found.extend(found),
            None => self.report(node, &schema.words(), schema.hint(node)),
        }
    }

    /// What is inside of a value of the right type.
    fn content(&mut self, node: &Node, schema: View<'_>, at: Span) {
        match &node.kind {
            Kind::Map(entries) => self.entries(entries, schema, at),
            Kind::List(items) => {
                if items.is_empty() && schema.get("minItems").and_then(Value::as_u64) > Some(0) {
                    self.found.push(Diagnostic::error(node.span, "the list is empty"));
                }
                if let Some(schema) = schema.under("items") {
                    items.iter().for_each(|item| self.value(item, schema, item.span));
                }
            }
            Kind::Int(number) => self.number(node, *number, schema),
            _ => {}
        }
    }

    fn number(&mut self, node: &Node, number: i64, schema: View<'_>) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("from {least} up"),
                _ => format!("up to {}", most.unwrap_or_default()),
            };
            self.report(node, &format!("a whole number {range}"), None);
        }
    }

    fn entries(&mut self, entries: &[(Spanned<String>, Node)], schema: View<'_>, at: Span) {
        let title = with_article(schema.text("title").unwrap_or("mapping"));
        let properties = schema.properties();
        let key_format = schema.under("propertyNames").and_then(View::format);
        for (key, node) in entries {
            if let Some(property) = properties.and_then(|properties| properties.get(&key.value)) {
                self.value(node, schema.part(property), key.span);
            } else if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                let known: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let error = Diagnostic::error(key.span, format!("unknown key `{}` in {title}", key.value));
                self.found.push(error.hint(did_you_mean(key, &known)));
            } else if let Some(more) = schema.under("additionalProperties") {
                self.value(node, more, key.span);
            }
            let name = Node { kind: Kind::String(key.value.clone()), span: key.span };
            if let Some(format) = key_format.filter(|format| !format.accepts(&name)) {
                let error = Diagnostic::error(key.span, format!("`{}` is not {}", key.value, format.expected));
                self.found.push(error.hint(format.hint));
            }
        }
        let missing = schema.required().filter(|name| !entries.iter().any(|(key, _)| key.value == *name));
        let missing: Vec<&str> = missing.collect();
        if self.complete && !missing.is_empty() {
            let message = format!("{title} needs `{}`", missing.join("`, `"));
            let doc = |name: &&str| properties?.get(*name)?.get("description")?.as_str();
            let hint = missing.iter().find_map(|name| doc(name).map(|doc| format!("`{name}`: {}", lower_first(doc))));
            self.found.push(Diagnostic { hint, ..Diagnostic::error(at, message) });
        }
    }
}

/// "a host"; the keys of a file are called as they are.
fn with_article(title: &str) -> String {
    match title {
        "bootstrap" | "defaults" | "needs" | "policy" | "rollout" => format!("`{title}`"),
        "http" | "http step" => format!("an {title}"),
        "user" | "unit" => format!("a {title}"),
        _ if title.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {title}"),
        _ => format!("a {title}"),
    }
}

fn lower_first(doc: &str) -> String {
    let mut characters = doc.trim_end_matches('.').chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
