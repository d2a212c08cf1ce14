//! Values with a form of their own. `x-format` is what validation goes by, because `format` has meanings of its own; the pattern is for editors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Declares types that exist only for their schema.
macro_rules! formats {
    ($($(#[$doc:meta])* $type:ident $schema:tt)*) => {$(
        $(#[$doc])*
        pub(super) struct $type;

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

formats! {
    /// `90s`, `5m`.
    Duration {
        "x-format": "duration",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^([0-9]+[smhd])+$"}],
        "description": "A length of time: 90s, 5m, 2h, 1d, 1h30m; a plain number is seconds",
    }
    /// `25%` or a number of hosts.
    BatchSize {
        "x-format": "batch-size",
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+%$"}],
        "description": "A number of hosts, or a share of them such as 25%",
    }
    /// A day.
    Date {
        "x-format": "date",
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    }
    /// A TCP or UDP port.
    Port {
        "x-format": "port",
        "type": "integer",
        "minimum": 1,
        "maximum": 65535,
    }
    /// An IP address or a host name.
    Address {
        "x-format": "address",
        "type": "string",
        "pattern": "^[A-Za-z0-9.:_-]+$",
    }
    /// A name as people write it in lower case.
    Name {
        "x-format": "name",
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9_-]*$",
    }
    /// Text that holds a template.
    Template {
        "x-format": "template",
        "type": "string",
        "pattern": "\\{[{%]",
        "description": "A template, such as \"{{ params.port }}\"",
    }
    /// One text, or a list of texts.
    Texts {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    /// An expression that is true or false.
    Expression {
        "type": ["string", "boolean"],
        "description": "An expression, such as params.persistent, without {{ }}",
    }
}
