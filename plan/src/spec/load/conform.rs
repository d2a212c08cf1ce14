//! Compares a tree with the schema of its file.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Kind, Node};
use crate::schema::Format;
use crate::source::{Span, Spanned};
use crate::suggest::closest;
use crate::yaml::Document;

/// Reports everything in which a document does not fit to a schema.
pub(super) fn conform(document: &Document, schema: &Value, diagnostics: &mut Diagnostics) {
    let mut walk = Walk { root: schema, complete: document.complete, found: Vec::new() };
    walk.value(&document.root, schema, document.root.span);
    walk.found.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
}

struct Walk<'s> {
    root: &'s Value,
    /// Whether what is not there is really missing.
    complete: bool,
    found: Vec<Diagnostic>,
}

impl<'s> Walk<'s> {
    /// Checks a value. `at` is where something missing in it is reported: its key, or itself.
    fn value(&mut self, node: &Node, schema: &'s Value, at: Span) {
        let schema = self.resolve(schema);
        if let Some(format) = format_of(schema) {
            if !format.accepts(node) {
                self.report(node, format.expected, Some(format.hint.to_owned()));
            }
        } else if let Some(kind) = schema.get("x-first-key").and_then(Value::as_str) {
            self.first_key(node, schema, kind);
        } else if let Some(names) = names(schema) {
            self.name(node, &names);
        } else if let Some(choices) = choices(schema) {
            self.choice(node, choices, at);
        } else if !self.accepts_type(schema, &node.kind) {
            self.report(node, &self.expected(schema), hint(schema, node));
        } else {
            self.content(node, schema, at);
        }
    }

    /// Follows references; `allOf` with one reference is how draft 7 describes it.
    fn resolve(&self, mut schema: &'s Value) -> &'s Value {
        loop {
            let single = schema.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1).map(|all| &all[0]);
            let reference = |schema: &'s Value| schema.get("$ref").and_then(Value::as_str);
            let Some(path) = reference(schema).or_else(|| single.and_then(reference)) else { return schema };
            match path.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => schema = target,
                None => return schema,
            }
        }
    }

    fn report(&mut self, node: &Node, expected: &str, hint: Option<String>) {
        let message = format!("expected {expected}, found {}", node.describe());
        self.found.push(Diagnostic { hint, ..Diagnostic::error(node.span, message) });
    }

    /// An alternative by the first key of a mapping.
    fn first_key(&mut self, node: &Node, schema: &'s Value, kind: &str) {
        let Some((key, _)) = node.as_map().and_then(<[_]>::first) else {
            return self.report(node, &format!("a mapping that begins with a {kind}"), None);
        };
        let choices = schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let title = |choice: &'s Value| choice.get("title").and_then(Value::as_str).unwrap_or_default();
        match choices.iter().find(|choice| title(choice) == key.value) {
            Some(choice) => self.value(node, choice, key.span),
            None => {
                let known: Vec<&str> = choices.iter().map(title).collect();
                let later = node.as_map().unwrap_or_default().iter().find(|(name, _)| known.contains(&name.as_str()));
                let error = Diagnostic::error(key.span, format!("unknown {kind} `{}`", key.value));
                self.found.push(match later {
                    Some((name, _)) => error.hint(format!("the type comes first: begin with `{}:`", name.value)),
                    None => error.hint(did_you_mean(key, &known)),
                });
            }
        }
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

    /// One of several schemas: the one whose type fits.
    fn choice(&mut self, node: &Node, choices: &'s [Value], at: Span) {
        let choices: Vec<&Value> = choices.iter().map(|choice| self.resolve(choice)).collect();
        let before = self.found.len();
        let mut best: Option<Vec<Diagnostic>> = None;
        for choice in &choices {
            if !self.accepts_type(choice, &node.kind) {
                continue;
            }
            self.value(node, choice, at);
            let found = self.found.split_off(before);
            if found.is_empty() {
                return;
            }
            best.get_or_insert(found);
        }
        match best {
            Some(found) => self.found.extend(found),
            None => {
                let expected: Vec<String> = choices
                    .iter()
                    .filter(|choice| !is_template(choice) && !is_null(choice))
                    .map(|choice| self.expected(choice))
                    .collect();
                let hint = choices.iter().find_map(|choice| self.hint(choice, node));
                self.report(node, &expected.join(" or "), hint);
            }
        }
    }

    /// What to write instead of a value that does not fit.
    fn hint(&self, schema: &'s Value, node: &Node) -> Option<String> {
        let schema = self.resolve(schema);
        match format_of(schema) {
            Some(_) if is_template(schema) => None,
            Some(format) => Some(format.hint.to_owned()),
            None => match choices(schema) {
                Some(choices) => choices.iter().find_map(|choice| self.hint(choice, node)),
                None => hint(schema, node),
            },
        }
    }

    /// What is inside of a value of the right type.
    fn content(&mut self, node: &Node, schema: &'s Value, at: Span) {
        match &node.kind {
            Kind::Map(entries) => self.entries(entries, schema, at),
            Kind::List(items) => {
                if items.is_empty() && schema.get("minItems").and_then(Value::as_u64) > Some(0) {
                    self.found.push(Diagnostic::error(node.span, "the list is empty"));
                }
                if let Some(schema) = schema.get("items") {
                    items.iter().for_each(|item| self.value(item, schema, item.span));
                }
            }
            Kind::Int(number) => {
                let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
                let (least, most) = (bound("minimum"), bound("maximum"));
                if least.is_some_and(|least| *number < least) || most.is_some_and(|most| *number > most) {
                    let range = match (least, most) {
                        (Some(least), Some(most)) => format!("from {least} to {most}"),
                        (Some(least), None) => format!("from {least} up"),
                        _ => format!("up to {}", most.unwrap_or_default()),
                    };
                    self.report(node, &format!("a whole number {range}"), None);
                }
            }
            _ => {}
        }
    }

    fn entries(&mut self, entries: &[(Spanned<String>, Node)], schema: &'s Value, at: Span) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let title = schema.get("title").and_then(Value::as_str).unwrap_or("mapping");
        let more = schema.get("additionalProperties");
        let key_format = schema.get("propertyNames").and_then(format_of);
        for (key, node) in entries {
            if let Some(schema) = properties.and_then(|properties| properties.get(&key.value)) {
                self.value(node, schema, key.span);
            } else if more == Some(&Value::Bool(false)) {
                let known: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let error =
                    Diagnostic::error(key.span, format!("unknown key `{}` in {}", key.value, with_article(title)));
                self.found.push(error.hint(did_you_mean(key, &known)));
            } else if let Some(schema) = more {
                self.value(node, schema, key.span);
            }
            let name = Node { kind: Kind::String(key.value.clone()), span: key.span };
            if let Some(format) = key_format.filter(|format| !format.accepts(&name)) {
                let error = Diagnostic::error(key.span, format!("`{}` is not {}", key.value, format.expected));
                self.found.push(error.hint(format.hint));
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let missing: Vec<&str> = required.filter(|name| !entries.iter().any(|(key, _)| key.value == *name)).collect();
        if self.complete && !missing.is_empty() {
            let message = format!("{} needs `{}`", with_article(title), missing.join("`, `"));
            let doc =
                |name| properties.and_then(|p| p.get(name)).and_then(|s| s.get("description")).and_then(Value::as_str);
            let hint = missing.iter().find_map(|name| doc(*name).map(|doc| format!("`{name}`: {}", lower_first(doc))));
            self.found.push(Diagnostic { hint, ..Diagnostic::error(at, message) });
        }
    }

    /// Whether a kind of value can fit.
    fn accepts_type(&self, schema: &'s Value, kind: &Kind) -> bool {
        let schema = self.resolve(schema);
        if is_template(schema) {
            return matches!(kind, Kind::String(text) if text.contains("{{") || text.contains("{%"));
        }
        if let Some(choices) = choices(schema) {
            return choices.iter().any(|choice| self.accepts_type(choice, kind));
        }
        let types = types(schema);
        types.is_empty()
            || types.iter().any(|name| match kind {
                Kind::Null => *name == "null",
                Kind::Bool(_) => *name == "boolean",
                Kind::Int(_) => matches!(*name, "integer" | "number"),
                Kind::Float(_) => *name == "number",
                Kind::String(_) => *name == "string",
                Kind::List(_) => *name == "array",
                Kind::Map(_) => *name == "object",
            })
    }

    /// What a schema accepts, in words.
    fn expected(&self, schema: &'s Value) -> String {
        if let Some(format) = format_of(schema) {
            return format.expected.to_owned();
        }
        if let Some(names) = names(schema) {
            return format!("one of {}", names.join(", "));
        }
        if let Some(choices) = choices(schema) {
            let choices = choices.iter().map(|choice| self.resolve(choice));
            let words: Vec<String> = choices
                .filter(|choice| !is_template(choice) && !is_null(choice))
                .map(|choice| self.expected(choice))
                .collect();
            return words.join(" or ");
        }
        let word = |name: &str| match name {
            "string" => "text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            _ => "a mapping",
        };
        // A number is accepted for text only so that nobody has to quote it.
        let types = types(schema);
        let text = types.contains(&"string");
        let words =
            types.iter().filter(|name| **name != "null" && !(text && **name == "integer")).map(|name| word(name));
        words.collect::<Vec<_>>().join(" or ")
    }
}

/// What to write instead, from what is like it.
pub(super) fn did_you_mean(written: &str, known: &[&str]) -> String {
    match closest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known: {}", known.join(", ")),
    }
}

fn format_of(schema: &Value) -> Option<&'static Format> {
    Format::named(schema.get("format")?.as_str()?)
}

fn is_template(schema: &Value) -> bool {
    schema.get("format").is_some_and(|format| format == "template")
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null")
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The texts of an enumeration.
fn names(schema: &Value) -> Option<Vec<&str>> {
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().map(Value::as_str).collect();
    }
    if let Some(name) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![name]);
    }
    // Documented and undocumented names of an enumeration stand in groups of their own.
    let groups: Option<Vec<Vec<&str>>> = schema.get("oneOf")?.as_array()?.iter().map(names).collect();
    groups.map(|groups| groups.concat())
}

fn choices(schema: &Value) -> Option<&[Value]> {
    schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array().map(Vec::as_slice)
}

fn hint(schema: &Value, node: &Node) -> Option<String> {
    let types = types(schema);
    let hint = match node.kind {
        Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) if types.contains(&"string") => "put text in quotes",
        Kind::String(_) | Kind::Int(_) if types.contains(&"array") => "write a list: [first, second]",
        Kind::Null if types.contains(&"object") => "write entries below it, or `{}` for none",
        Kind::String(ref text) if types.contains(&"integer") && text.starts_with('0') && text.len() > 1 => {
            "a number does not begin with 0: YAML versions read it differently"
        }
        _ => return None,
    };
    Some(hint.to_owned())
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
