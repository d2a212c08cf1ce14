//! `roles/<role>/role.yml` as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::quantity_types::{Name, Port, Template, Texts};
use super::resource_schema;
use crate::spec::role::ParamType;

/// A reusable description of what a service needs on its hosts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "role")]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct RoleDescription {
    /// Its name, equal to its folder's.
    role: Name,
    /// One line for a person.
    description: Option<String>,
    /// Parameters by name.
    #[schemars(extend("propertyNames" = {"x-format": "identifier", "type": "string", "pattern": "^[a-z_][a-z0-9_]*$"}))]
    params: Option<BTreeMap<String, ParamEntry>>,
    /// What other services can use.
    offers: Option<Vec<OfferEntry>>,
    /// Offers that it uses. Stage order, firewall, port checks and the diagram follow from them.
    uses: Option<Vec<UseEntry>>,
    /// What it takes of a host.
    needs: Option<NeedsEntry>,
    /// Desired states in the order in which they are applied.
    resources: Option<Vec<ResourceEntry>>,
    /// Resources that run once per host, after that host's last step of the stage, when a step notified them.
    handlers: Option<BTreeMap<String, HandlerEntry>>,
    /// What must answer before the stage counts as healthy.
    health: Option<Vec<CheckEntry>>,
}

/// A parameter.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "param")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct ParamEntry {
    /// What its values are.
    r#type: ParamType,
    /// The value when the environment gives none; may be a template.
    default: Option<Value>,
    /// Whether it may be absent without a default; templates see `none` then.
    optional: Option<bool>,
    /// With `type: enum`: the accepted values.
    values: Option<Vec<String>>,
    /// One line for a person.
    doc: Option<String>,
}

/// What other services can use.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "offer")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct OfferEntry {
    /// Its name.
    name: Name,
    /// Its port; may be a template of the role's params.
    port: Option<PortOrTemplate>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum PortOrTemplate {
    Port(Port),
    Template(Template),
}

/// An offer that a role uses: its name, or a mapping.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum UseEntry {
    Name(Name),
    Mapping(UseMapping),
}

/// An offer that a role uses.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "used offer")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct UseMapping {
    /// The offer's name.
    name: Name,
    /// Whether the environment may do without.
    optional: Option<bool>,
}

/// What it takes of a host.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "needs")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct NeedsEntry {
    /// Memory in bytes; may be a template.
    memory: Option<BytesOrTemplate>,
    /// Disk space in bytes; may be a template.
    disk: Option<BytesOrTemplate>,
}

/// Declares types whose schema is computed from the resource vocabulary.
macro_rules! computed {
    ($($type:ident = $schema:expr;)*) => {$(
        struct $type;

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Value = $schema;
                Schema::try_from(schema(generator)).unwrap_or_default()
            }
        }
    )*};
}

computed! {
    BytesOrTemplate = |generator| resource_schema::templated(json!({
        "x-format": "bytes",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9.]+ ?([KMGT]i?|k)?B?$"}],
        "description": "A number of bytes: 512MiB (1024), 2GB (1000), a plain number",
    }), generator);
    ResourceEntry = resource_schema::resource;
    HandlerEntry = resource_schema::handler;
    CheckEntry = resource_schema::check;
}

/// Keys that every resource may have beside the fields of its type.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct ResourceKeys {
    /// Only when this expression is true.
    when: Option<super::quantity_types::Expression>,
    /// Once for each item of this list, or expression that gives one; templates see `item`.
    each: Option<Each>,
    /// Handlers that run when this changed something.
    notify: Option<Texts>,
    /// Steps of this role that must have succeeded first: `type:identity`.
    requires: Option<Texts>,
    /// Labels for `--tags`.
    tags: Option<Texts>,
}

/// Keys that a handler or a health check may have beside its fields.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct WhenKey {
    /// Only when this expression is true.
    when: Option<super::quantity_types::Expression>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only the schema of this type is used")]
enum Each {
    List(Vec<Value>),
    Expression(String),
}
