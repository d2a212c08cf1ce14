//! A resource as written becomes the desired state of one host.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use cc_agent::resource::Resource;
use cc_agent::secret::{Token, contains_token};
use minijinja::Value;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::content;
use super::world::World;
use crate::diagnostic::Diagnostic;
use crate::node::Kind;
use crate::quantity::{parse_bytes, parse_duration};
use crate::schema;
use crate::source::{Span, Spanned};
use crate::spec::Role;
use crate::spec::role::ResourceSpec;
use crate::template::{Compiled, Engine, Fault};

/// A resource as written, parsed once for all hosts.
#[derive(Debug)]
pub(crate) struct CompiledResource<'w> {
    pub written: &'w ResourceSpec,
    pub when: Option<Compiled<'w>>,
    pub each: Option<Compiled<'w>>,
    pub requires: Vec<Compiled<'w>>,
    role: &'w Role,
    identity: Compiled<'w>,
    fields: Vec<Field<'w>>,
    /// The result, when it is the same for every host.
    constant: Option<OnceLock<Result<Desired, Fault>>>,
}

/// A field of a resource.
#[derive(Debug)]
struct Field<'w> {
    name: &'w Spanned<String>,
    value: Compiled<'w>,
}

/// What a resource should be on one host.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub resource: Resource,
    /// Names of the secrets in it.
    pub secrets: BTreeSet<String>,
    /// Content that goes by its digest.
    pub blob: Option<(String, Arc<[u8]>)>,
}

/// Fields in which a secret may stand, by resource type: what the agent reveals and never shows.
const SECRET_FIELDS: &[(&str, &str)] = &[
    ("file", "content"),
    ("unit", "content"),
    ("block", "content"),
    ("command", "stdin"),
    ("command", "env"),
    ("user", "password_hash"),
    ("postgres_role", "password"),
];

/// Parses a number with a unit.
type ParseQuantity = fn(&str) -> Result<u64, String>;

/// Fields that may be written with a unit, by resource type.
const QUANTITIES: &[(&str, &str, ParseQuantity)] =
    &[("swap_file", "size", parse_bytes), ("command", "timeout", parse_duration)];

impl<'w> CompiledResource<'w> {
    /// Parses a resource. `None` with findings in `found` when a template in it has a syntax error.
    pub(crate) fn new(
        engine: &'w Engine,
        role: &'w Role,
        written: &'w ResourceSpec,
        found: &mut Vec<Fault>,
    ) -> Option<Self> {
        let before = found.len();
        let name = role.name.value.as_str();
        let mut keep = |compiled: Result<Compiled<'w>, Fault>| compiled.map_err(|fault| found.push(fault)).ok();
        let when = written.when.as_ref().map(|when| keep(engine.compile_condition(when)));
        let each = written.each.as_ref().map(|each| {
            keep(match &each.kind {
                Kind::String(text) => engine.compile_condition(&Spanned::new(text.clone(), each.span)),
                _ => engine.compile(name, each),
            })
        });
        let requires: Vec<_> = written
            .requires
            .iter()
            .map(|text| {
                let kind = Kind::String(text.value.clone());
                keep(engine.compile(name, &crate::node::Node { kind, span: text.span }))
            })
            .collect();
        let identity = keep(engine.compile(name, &written.identity));
        let fields: Vec<_> = written
            .fields
            .iter()
            .filter_map(|(field, node)| Some(Field { name: field, value: keep(engine.compile(name, node))? }))
            .collect();
        if found.len() > before {
            return None;
        }
        let identity = identity?;
        let constant = identity.as_constant().is_some()
            && fields.iter().all(|field| field.value.as_constant().is_some())
            && !content::depends_on_host(&written.type_name, &fields_named(&fields, "source"), role);
        Some(Self {
            written,
            when: when.flatten(),
            each: each.flatten(),
            requires: requires.into_iter().flatten().collect(),
            role,
            identity,
            fields,
            constant: constant.then(OnceLock::new),
        })
    }

    /// What it should be, and its identity as written in the role.
    ///
    /// # Errors
    /// What is wrong, at the field's place.
    pub(crate) fn desired(&self, world: &World, context: &Value) -> Result<Desired, Fault> {
        match &self.constant {
            Some(constant) => constant.get_or_init(|| self.evaluate(world, context)).clone(),
            None => self.evaluate(world, context),
        }
    }

    fn evaluate(&self, world: &World, context: &Value) -> Result<Desired, Fault> {
        let engine = &world.engine;
        let type_name = self.written.type_name.value.as_str();
        let written_type = content::resource_type(type_name);
        let Some(identity_field) = Resource::identity_field(written_type) else {
            return Err(
                Diagnostic::error(self.written.type_name.span, format!("unknown resource `{type_name}`")).into()
            );
        };
        let mut map = Map::new();
        map.insert("type".to_owned(), Json::from(written_type));
        let identity = match self.identity.json(engine, context)? {
            Json::Number(number) => Json::String(number.to_string()),
            other => other,
        };
        if !identity.is_string() {
            let message = format!("`{type_name}` wants text here, not {}", kind_of(&identity));
            return Err(Diagnostic::error(self.identity.span(), message).into());
        }
        map.insert(identity_field.to_owned(), identity);
        for field in &self.fields {
            let mut value = field.value.json(engine, context)?;
            let quantity = value.as_str().and_then(|text| schema::parse_quantity(type_name, field.name, text));
            if let Some(quantity) = quantity {
                value = quantity.map(Json::from).map_err(|message| {
                    Diagnostic::error(field.value.span(), format!("`{}` of `{type_name}`: {message}", field.name.value))
                })?;
            }
            if !value.is_null() {
                map.insert(field.name.value.clone(), value);
            }
        }
        self.quantities(written_type, &mut map)?;
        let source = content::Source { world, role: self.role, context, type_name, place: &|name| self.place(name) };
        let blob = source.fill(&mut map)?;
        let secrets = self.secrets(world, written_type, identity_field, &map)?;
        Ok(Desired { resource: self.typed(map)?, secrets, blob })
    }

    /// Converts fields that are written with a unit.
    fn quantities(&self, type_name: &str, map: &mut Map<String, Json>) -> Result<(), Fault> {
        for (_, field, parse) in QUANTITIES.iter().filter(|(known, ..)| *known == type_name) {
            if let Some(Json::String(text)) = map.get(*field) {
                let number = parse(text).map_err(|why| Diagnostic::error(self.place(field), why))?;
                map.insert((*field).to_owned(), Json::from(number));
            }
        }
        Ok(())
    }

    /// Names of the secrets in it, all of them in fields that may hold one.
    fn secrets(
        &self,
        world: &World,
        type_name: &str,
        identity_field: &str,
        map: &Map<String, Json>,
    ) -> Result<BTreeSet<String>, Fault> {
        let mut secrets = BTreeSet::new();
        for (field, value) in map {
            let mut names = Vec::new();
            secrets_in(value, &world.secrets, &mut names);
            if names.is_empty() {
                continue;
            }
            let span = if field == identity_field { self.identity.span() } else { self.place(field) };
            if !SECRET_FIELDS.contains(&(type_name, field.as_str())) {
                let message = format!("a secret can't stand in `{field}` of `{}`", self.written.type_name.value);
                return Err(Diagnostic::error(span, message).hint(hint_for(type_name)).into());
            }
            for name in names {
                secrets.insert(name.ok_or_else(|| {
                    Diagnostic::error(span, "a secret was cut into pieces here")
                        .hint("text with a secret in it can be joined to other text, but not sliced or iterated")
                })?);
            }
        }
        Ok(secrets)
    }

    fn typed(&self, map: Map<String, Json>) -> Result<Resource, Fault> {
        let mut map = Json::Object(map);
        loop {
            let error = match Resource::deserialize(&map) {
                Ok(resource) => return Ok(resource),
                Err(error) => error.to_string(),
            };
            let culprit = culprit(&map, &error);
            let place = culprit.as_deref().map_or(self.written.span, |name| self.place(name));
            // YAML makes a number of `15`, where the resource wants text; a fraction may have lost digits and stays an error.
            let wants_text = error.contains("expected a string") || error.contains(CONTENT_MISMATCH);
            let retry = wants_text.then_some(culprit.as_deref()).flatten();
            let changed = retry.and_then(|name| map.get_mut(name)).is_some_and(whole_numbers_to_text);
            if !changed {
                let type_name = &self.written.type_name.value;
                let message = match &culprit {
                    Some(name) => format!("`{name}` of `{type_name}`: {}", plain_words(&error)),
                    None => format!("`{type_name}`: {}", plain_words(&error)),
                };
                return Err(Diagnostic::error(place, message).into());
            }
        }
    }

    /// Where a field was written; the resource's type when it was not.
    fn place(&self, field: &str) -> Span {
        let written = self.fields.iter().find(|f| f.name.value == field);
        match written {
            Some(field) => field.value.span(),
            None if Resource::identity_field(content::resource_type(&self.written.type_name)) == Some(field) => {
                self.identity.span()
            }
            None => fields_named(&self.fields, "source").first().map_or(self.written.type_name.span, |f| f.1),
        }
    }
}

/// Constant text of fields with this name, with their places.
fn fields_named<'f>(fields: &'f [Field<'_>], name: &str) -> Vec<(Option<&'f str>, Span)> {
    fields
        .iter()
        .filter(|field| field.name.value == name)
        .map(|field| (field.value.as_constant().and_then(Value::as_str), field.value.span()))
        .collect()
}

/// The field without which the error would be another one.
fn culprit(map: &Json, error: &str) -> Option<String> {
    let object = map.as_object()?;
    let named = object.keys().find(|name| error.starts_with(&format!("unknown field `{name}`")));
    let causes = |name: &&String| {
        let mut without = object.clone();
        without.remove(name.as_str());
        Resource::deserialize(&Json::Object(without)).map_or_else(|e| e.to_string() != error, |_| true)
    };
    named.or_else(|| object.keys().filter(|name| *name != "type").find(causes)).cloned()
}

/// What serde says of content that is neither text nor a blob.
const CONTENT_MISMATCH: &str = "did not match any variant of untagged enum Content";

/// A type error in the words that people write roles in.
pub(crate) fn plain_words(error: &str) -> String {
    if error.contains(CONTENT_MISMATCH) {
        return "it wants text".to_owned();
    }
    let Some((found, expected)) = error
        .strip_prefix("invalid type: ")
        .or_else(|| error.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return error.to_owned();
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "text",
        "a sequence" => "a list",
        "a map" => "a mapping",
        other => other,
    };
    let found = match found {
        "sequence" => "a list".to_owned(),
        "map" => "a mapping".to_owned(),
        "null" => "nothing".to_owned(),
        other => other.replacen("string ", "the text ", 1).replacen("integer ", "", 1).replacen("boolean ", "", 1),
    };
    format!("it wants {expected}, not {found}")
}

/// Turns the first whole number into text, at any depth; says whether there was one.
fn whole_numbers_to_text(value: &mut Json) -> bool {
    match value {
        Json::Number(number) if number.is_i64() || number.is_u64() => {
            *value = Json::String(number.to_string());
            true
        }
        Json::Array(items) => items.iter_mut().any(whole_numbers_to_text),
        Json::Object(map) => map.values_mut().any(whole_numbers_to_text),
        _ => false,
    }
}

/// Names of the secrets in a value; `None` for a damaged token, whose name is cut or not among the `known`.
pub(crate) fn secrets_in(value: &Json, known: &BTreeSet<String>, names: &mut Vec<Option<String>>) {
    match value {
        // The bytes of private-use characters begin with 0xEE: nearly all text is done after this look.
        Json::String(text) if text.as_bytes().contains(&0xEE) && contains_token(text) => {
            for piece in Token::split(text) {
                match piece {
                    Token::Text(_) => {}
                    Token::Secret(name, _) => names.push(known.get(name).cloned()),
                    Token::Broken(_) => names.push(None),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| secrets_in(item, known, names)),
        Json::Object(map) => map.iter().for_each(|(key, item)| {
            if contains_token(key) {
                names.push(None);
            }
            secrets_in(item, known, names);
        }),
        _ => {}
    }
}

fn hint_for(type_name: &str) -> &'static str {
    match type_name {
        "command" => "everybody on the host can read a command line: give it through `env` or `stdin`",
        _ => {
            "secrets may stand in the content of files, units and blocks, `stdin` and `env` of commands, \
             `password_hash` of users and `password` of PostgreSQL roles"
        }
    }
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a mapping",
    }
}
