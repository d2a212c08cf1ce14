//! JSON Schema (draft 7) of the files that people write. Validation, editors and the reference are made from the same schema.

mod attestations_file;
mod environment_file;
mod format;
mod inventory_file;
mod quantity_types;
mod reference;
mod resource_rule;
mod resource_schema;
mod role_file;
mod view;
mod waivers_file;

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

pub(crate) use format::Format;
pub use reference::reference;
pub(crate) use resource_rule::ResourceRule;
pub(crate) use resource_schema::parse_quantity;
pub(crate) use view::View;

/// The schema of `environments/<env>/environment.yml`.
pub fn environment() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<environment_file::EnvironmentFile>);
    &SCHEMA
}

/// The schema of `inventories/<env>.yml`.
pub fn inventory() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<inventory_file::InventoryFile>);
    &SCHEMA
}

/// The schema of `roles/<role>/role.yml`.
pub fn role() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<role_file::RoleDescription>);
    &SCHEMA
}

/// The schema of `environments/<env>/waivers.yml`.
pub fn waivers() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<waivers_file::WaiversFile>);
    &SCHEMA
}

/// The schema of `environments/<env>/attestations.yml`.
pub fn attestations() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<attestations_file::AttestationsFile>);
    &SCHEMA
}

/// The kinds of files that have a schema, as `cc-cloud schema` names them.
pub const KINDS: [&str; 5] = ["environment", "inventory", "role", "waivers", "attestations"];

/// The schema of a kind of file, one of [`KINDS`].
pub fn of(kind: &str) -> Option<&'static Value> {
    match kind {
        "environment" => Some(environment()),
        "inventory" => Some(inventory()),
        "role" => Some(role()),
        "waivers" => Some(waivers()),
        "attestations" => Some(attestations()),
        _ => None,
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}
