//! What roles write of resources and checks, derived from the vocabulary: the first key is the type and holds the identity,
//! any field may be a template, and a role has files of its own to take content from.

use cc_agent::check::Check;
use cc_agent::resource::Resource;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::ResourceRule;
use super::quantity_types::Template;
use super::role_file::{ResourceKeys, WhenKey};
use crate::quantity::{parse_bytes, parse_duration};

/// Fields that only roles have: types, name, description.
const ROLE_FIELDS: [(&[&str], &str, &str); 5] = [
    (
        &["unit", "block"],
        "source",
        "Takes the content from the role: a template below `templates/`, or a file below `files/`",
    ),
    (&["file"], "source", "Takes the content from a file of the role below `files/`"),
    (
        &["python_venv"],
        "source",
        "Takes the requirements from a file: below `files/` of the role, or relative to the folder of the environments",
    ),
    (&["apt_repository"], "key_source", "Takes the key from a file of the role below `files/`"),
    (&["template"], "source", "Template of the role, below `templates/`"),
];

/// Fields that the controller fills in: types, name.
const COMPUTED_FIELDS: [(&str, &str); 1] = [("archive", "length")];

/// Numbers that roles write with a unit: type, field, format.
const QUANTITIES: [(&str, &str, &str); 2] = [("swap_file", "size", "bytes"), ("command", "timeout", "duration")];

/// The field of a check that a bare value stands for: `tcp: 6379`.
const MAIN_FIELDS: [(&str, &str); 6] = [
    ("tcp", "port"),
    ("http", "url"),
    ("redis_ping", "port"),
    ("postgres", "port"),
    ("unit", "unit"),
    ("command", "argv"),
];

/// The format of a resource's field that is written with a unit: `bytes` or `duration`.
fn quantity_of(type_name: &str, field: &str) -> Option<&'static str> {
    QUANTITIES.iter().find(|(of, name, _)| *of == type_name && *name == field).map(|(_, _, format)| *format)
}

/// Reads the text of a resource's field that is written with a unit; `None` for every other field.
pub(crate) fn parse_quantity(type_name: &str, field: &str, text: &str) -> Option<Result<u64, String>> {
    quantity_of(type_name, field).map(|format| if format == "bytes" { parse_bytes(text) } else { parse_duration(text) })
}

/// The field of a check that a bare value stands for.
fn main_field(check: &str) -> Option<&'static str> {
    MAIN_FIELDS.iter().find(|(name, _)| *name == check).map(|(_, field)| *field)
}

/// The schema of an entry of `resources`.
pub(super) fn resource(generator: &mut SchemaGenerator) -> Value {
    let keys = properties_of::<ResourceKeys>(generator);
    entries(generator, &keys, &["restart", "reload"])
}

/// The schema of an entry of `handlers`.
pub(super) fn handler(generator: &mut SchemaGenerator) -> Value {
    let keys = properties_of::<WhenKey>(generator);
    entries(generator, &keys, &[])
}

fn entries(generator: &mut SchemaGenerator, keys: &Map<String, Value>, without: &[&str]) -> Value {
    let mut entries = Vec::new();
    for (name, schema) in vocabulary(generator) {
        let mut entry = entry(&name, &schema, keys, generator);
        if name == "service"
            && let Some(properties) = entry["properties"].as_object_mut()
        {
            properties.retain(|field, _| !without.contains(&field.as_str()));
        }
        let has_state = entry["properties"].get("state").is_some();
        let rules = ResourceRule::of(&name).filter(|rule| without.contains(&"restart") || !rule.is_about("service"));
        let rules: Vec<Value> = rules.map(|rule| rule.schema(has_state)).collect();
        if !rules.is_empty() {
            entry["allOf"] = Value::Array(rules);
        }
        entries.push(entry);
    }
    json!({"x-first-key": "resource type", "oneOf": entries})
}

/// The schema of each resource type, as the agent knows it, and of those that become another type on the way.
fn vocabulary(generator: &mut SchemaGenerator) -> Vec<(String, Map<String, Value>)> {
    let variants = Resource::json_schema(generator).to_value();
    let mut types = variants_of(&variants);
    generator.definitions_mut().remove("Content");
    let text = json!({"type": "string", "description": "What it holds; not managed when absent."});
    for (name, schema) in &mut types {
        let computed = COMPUTED_FIELDS.iter().filter(|(of, _)| of == name).map(|(_, field)| *field);
        for field in computed {
            remove_field(schema, field);
        }
        if name == "file" {
            schema["properties"]["content"] = text.clone();
        }
    }
    if let Some(at) = types.iter().position(|(name, _)| name == "file") {
        let mut template = types[at].1.clone();
        remove_field(&mut template, "content");
        template.insert("description".to_owned(), json!("A file rendered from a template of the role."));
        template["required"] = json!(["path", "source"]);
        types.insert(at + 1, ("template".to_owned(), template));
        types.insert(at + 2, ("tree".to_owned(), tree()));
    }
    types
}

fn tree() -> Map<String, Value> {
    let schema = json!({
        "description": "A folder with all files below it. Files on the host that are not in the source are left alone.",
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Absolute path on the host."},
            "source": {
                "type": "string",
                "description": "Folder below `files/` of the role, or relative to the folder of the environments.",
            },
            "exclude": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Names of files and folders that are left out; `*` stands for any characters.",
            },
            "owner": {"type": "string", "description": "Owner of everything in it by name or number."},
            "group": {"type": "string", "description": "Group of everything in it by name or number."},
        },
        "required": ["path", "source"],
        "additionalProperties": false,
    });
    object(schema)
}

/// A type as a role writes it.
fn entry(name: &str, schema: &Map<String, Value>, keys: &Map<String, Value>, generator: &mut SchemaGenerator) -> Value {
    let identity = match name {
        "template" | "tree" => "path",
        _ => Resource::identity_field(name).unwrap_or("name"),
    };
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut properties = Map::new();
    let mut first = fields.get(identity).cloned().unwrap_or_default();
    if identity == "path" {
        first["x-format"] = json!("path");
        first["pattern"] = json!("^/");
    }
    properties.insert(name.to_owned(), templated(first, generator));
    for (field, mut schema) in fields {
        if field == identity || field == "type" {
            continue;
        }
        if let Some(format) = quantity_of(name, &field) {
            schema = quantity(&schema, format);
        }
        properties.insert(field, templated(schema, generator));
    }
    for (_, field, doc) in ROLE_FIELDS.iter().filter(|(types, _, _)| types.contains(&name)) {
        properties.insert((*field).to_owned(), json!({"type": "string", "description": doc}));
    }
    properties.extend(keys.clone());
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut needed = vec![json!(name)];
    needed.extend(required.into_iter().filter(|field| field != identity && field != "type"));
    json!({
        "title": name,
        "description": schema.get("description"),
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

/// The schema of an entry of `health`.
pub(super) fn check(generator: &mut SchemaGenerator) -> Value {
    let keys = properties_of::<WhenKey>(generator);
    let variants = Check::json_schema(generator).to_value();
    let mut entries = Vec::new();
    for (name, mut schema) in variants_of(&variants) {
        remove_field(&mut schema, "type");
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (_, field) in properties.iter_mut() {
                *field = templated(field.take(), generator);
            }
        }
        let description = schema.remove("description");
        schema.insert("title".to_owned(), json!(name));
        let main = main_field(&name).map(|field| schema["properties"][field].clone());
        let mut properties = Map::new();
        let value = json!({"anyOf": main.into_iter().chain([Value::Object(schema)]).collect::<Vec<_>>()});
        properties.insert(name.clone(), value);
        properties.extend(keys.clone());
        entries.push(json!({
            "title": name,
            "description": description,
            "type": "object",
            "properties": properties,
            "required": [name],
            "additionalProperties": false,
        }));
    }
    json!({"x-first-key": "check", "oneOf": entries})
}

/// Accepts a template beside what a schema accepts, at every depth. A number may stand where text is expected.
pub(super) fn templated(mut schema: Value, generator: &mut SchemaGenerator) -> Value {
    let types = schema.get("type").cloned();
    let is = |name: &str| match &types {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    if is("string") && schema.get("x-format").is_none() && schema.get("const").is_none() && schema.get("enum").is_none()
    {
        schema["type"] = if is("null") { json!(["string", "integer", "null"]) } else { json!(["string", "integer"]) };
        return schema;
    }
    for inner in ["items", "additionalProperties"] {
        if schema.get(inner).is_some_and(Value::is_object) {
            schema[inner] = templated(schema[inner].take(), generator);
        }
    }
    let template = generator.subschema_for::<Template>().to_value();
    let mut outer = Map::new();
    for key in ["description", "default", "title"] {
        if let Some(value) = schema.as_object_mut().and_then(|schema| schema.remove(key)) {
            outer.insert(key.to_owned(), value);
        }
    }
    let plain = schema.get("x-format").is_none();
    let choices = match schema.get_mut("anyOf").filter(|_| plain) {
        Some(Value::Array(choices)) => choices.drain(..).chain([template]).collect(),
        _ => vec![schema, template],
    };
    outer.insert("anyOf".to_owned(), Value::Array(choices));
    Value::Object(outer)
}

fn quantity(schema: &Value, format: &str) -> Value {
    let pattern = if format == "bytes" { "^[0-9.]+ ?([KMGT]i?|k)?B?$" } else { "^([0-9]+[smhd])+$" };
    let mut quantity = schema.clone();
    for key in ["type", "minimum"] {
        quantity.as_object_mut().and_then(|quantity| quantity.shift_remove(key));
    }
    quantity["x-format"] = json!(format);
    quantity["anyOf"] = json!([{"type": "integer", "minimum": 0}, {"type": "string", "pattern": pattern}]);
    quantity
}

/// The variants of an enum with a `type` tag.
fn variants_of(schema: &Value) -> Vec<(String, Map<String, Value>)> {
    let variants = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = variants.into_iter().map(|variant| {
        let name = variant["properties"]["type"]["const"].as_str().unwrap_or_default().to_owned();
        (name, object(variant))
    });
    named.collect()
}

fn remove_field(schema: &mut Map<String, Value>, field: &str) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove(field);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != field);
    }
}

fn properties_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Map<String, Value> {
    object(T::json_schema(generator).to_value()).get("properties").cloned().map(object).unwrap_or_default()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
