//! A schema as a reader sees it: references followed, types in words.

use serde_json::{Map, Value};

use super::Format;
use crate::node::{Kind, Node};

/// A part of a schema.
#[derive(Clone, Copy)]
pub(crate) struct View<'s> {
    root: &'s Value,
    schema: &'s Value,
}

impl<'s> View<'s> {
    /// A whole schema.
    pub(crate) fn new(root: &'s Value) -> Self {
        Self { root, schema: root }
    }

    /// A part of it, references followed. `allOf` with one reference is how draft 7 describes it.
    pub(crate) fn part(self, mut schema: &'s Value) -> Self {
        loop {
            let single = schema.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1).map(|all| &all[0]);
            let reference = |schema: &'s Value| schema.get("$ref").and_then(Value::as_str);
            let path = reference(schema).or_else(|| single.and_then(reference));
            match path.and_then(|path| self.root.pointer(path.strip_prefix('#')?)) {
                Some(target) => schema = target,
                None => return Self { schema, ..self },
            }
        }
    }

    /// What is under a keyword.
    pub(crate) fn get(self, keyword: &str) -> Option<&'s Value> {
        self.schema.get(keyword)
    }

    /// The part under a keyword that holds a schema.
    pub(crate) fn under(self, keyword: &str) -> Option<Self> {
        self.get(keyword).filter(|schema| schema.is_object()).map(|schema| self.part(schema))
    }

    /// The text under a keyword.
    pub(crate) fn text(self, keyword: &str) -> Option<&'s str> {
        self.get(keyword)?.as_str()
    }

    /// The form that values must have.
    pub(crate) fn format(self) -> Option<&'static Format> {
        Format::named(self.text("x-format")?)
    }

    /// The known keys of a mapping, unresolved: a reference has its own description beside it.
    pub(crate) fn properties(self) -> Option<&'s Map<String, Value>> {
        self.get("properties")?.as_object()
    }

    /// The keys that a mapping must have.
    pub(crate) fn required(self) -> impl Iterator<Item = &'s str> {
        self.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether it is text that holds a template.
    pub(crate) fn is_template(self) -> bool {
        self.text("x-format") == Some("template")
    }

    fn is_null(self) -> bool {
        self.text("type") == Some("null")
    }

    /// The names of JSON types.
    pub(crate) fn types(self) -> Vec<&'s str> {
        match self.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The texts of an enumeration.
    pub(crate) fn names(self) -> Option<Vec<&'s str>> {
        if let Some(names) = self.get("enum").and_then(Value::as_array) {
            return names.iter().map(Value::as_str).collect();
        }
        if let Some(name) = self.text("const") {
            return Some(vec![name]);
        }
        // Documented and undocumented names of an enumeration stand in groups of their own.
        let groups = self.get("oneOf")?.as_array()?.iter().map(|group| self.part(group).names());
        groups.collect::<Option<Vec<_>>>().map(|groups| groups.concat())
    }

    /// The alternatives.
    pub(crate) fn choices(self) -> Option<Vec<Self>> {
        let choices = self.get("anyOf").or_else(|| self.get("oneOf"))?.as_array()?;
        Some(choices.iter().map(|choice| self.part(choice)).collect())
    }

    /// The alternatives that a person thinks of: a template may stand nearly everywhere.
    pub(crate) fn plain_choices(self) -> Option<Vec<Self>> {
        let choices = self.choices()?;
        Some(choices.into_iter().filter(|choice| !choice.is_template() && !choice.is_null()).collect())
    }

    /// Whether a kind of value can fit.
    pub(crate) fn accepts(self, kind: &Kind) -> bool {
        if self.is_template() {
            return matches!(kind, Kind::String(text) if text.contains("{{") || text.contains("{%"));
        }
        if let Some(choices) = self.choices() {
            return choices.into_iter().any(|choice| choice.accepts(kind));
        }
        let types = self.types();
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

    /// What it accepts, in words: "a whole number or a list".
    pub(crate) fn words(self) -> String {
        if let Some(format) = self.format() {
            return format.expected.to_owned();
        }
        if let Some(names) = self.names() {
            return format!("one of {}", names.join(", "));
        }
        if let Some(choices) = self.plain_choices() {
            return choices.into_iter().map(Self::words).collect::<Vec<_>>().join(" or ");
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
        let types = self.types();
        let text = types.contains(&"string");
        let words = types.iter().filter(|name| **name != "null" && !(text && **name == "integer"));
        words.map(|name| word(name)).collect::<Vec<_>>().join(" or ")
    }

    /// What to write instead of a value that does not fit.
    pub(crate) fn hint(self, node: &Node) -> Option<String> {
        if self.is_template() {
            return None;
        }
        if let Some(format) = self.format() {
            return Some(format.hint.to_owned());
        }
        if let Some(choices) = self.choices() {
            return choices.into_iter().find_map(|choice| choice.hint(node));
        }
        let types = self.types();
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
}
