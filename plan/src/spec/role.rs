//! `roles/<role>/role.yml` with its templates and files.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::node::Node;
use crate::source::{FileId, Span, Spanned};

/// A reusable description of what a service needs on its hosts.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name, equal to its folder's.
    pub name: Spanned<String>,
    /// One line for a person.
    pub description: String,
    /// Parameters in written order.
    pub params: Vec<Param>,
    /// What other services can use.
    pub offers: Vec<Offer>,
    /// Offers that it uses.
    pub uses: Vec<Use>,
    /// What it takes of a host: `memory`, `disk`, as templates of bytes.
    pub needs: Vec<(Spanned<String>, Node)>,
    /// Resources in written order.
    pub resources: Vec<ResourceSpec>,
    /// Handlers by name, in written order.
    pub handlers: Vec<(Spanned<String>, ResourceSpec)>,
    /// Health checks: a mapping whose first key is the check's type.
    pub health: Vec<Node>,
    /// `true` when it comes from the binary.
    pub shipped: bool,
    /// Every template, by path below `templates/`.
    pub templates: BTreeMap<String, FileId>,
    /// Every file, by path below `files/`.
    pub files: BTreeMap<String, RoleFile>,
}

/// A file of a role.
#[derive(Clone, Debug)]
pub struct RoleFile {
    /// What it holds.
    pub bytes: std::sync::Arc<[u8]>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type.
    pub kind: ParamType,
    /// The value when the environment gives none; may be a template.
    pub default: Option<Node>,
    /// Whether it may be absent without a default; templates see `none` then.
    pub optional: bool,
    /// One line for a person.
    pub doc: String,
}

/// The types of parameters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A number of bytes: `512MiB` (1024), `2GB` (1000), a plain number.
    Bytes,
    /// A length of time; templates see seconds: `90s`, `5m`, `2h`, `1d`.
    Duration,
    /// A share; templates see the number: `25%`.
    Percent,
    /// A file mode in quotes: `"0640"`.
    Mode,
    /// An absolute path.
    Path,
    /// A port number.
    Port,
    /// `{secret: name}`.
    Secret,
    /// A list of anything.
    List,
    /// A mapping of anything; may hold `{secret: name}` at any depth.
    Map,
    /// One of `values`.
    #[schemars(transform = name_alone)]
    Enum(Vec<String>),
}

/// In the file, the values stand beside the type.
fn name_alone(schema: &mut Schema) {
    schema.remove("properties");
    schema.remove("required");
    schema.remove("additionalProperties");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("const".to_owned(), "enum".into());
}

/// What other services can use.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its name.
    pub name: Spanned<String>,
    /// Its port; may be a template of the role's params.
    pub port: Option<Node>,
}

/// An offer that a role uses.
#[derive(Clone, Debug)]
pub struct Use {
    /// The offer's name.
    pub name: Spanned<String>,
    /// Whether the environment may do without.
    pub optional: bool,
}

/// A resource as written: values may be templates.
#[derive(Clone, Debug)]
pub struct ResourceSpec {
    /// The first key: `package`, `template` …
    pub type_name: Spanned<String>,
    /// The first key's value.
    pub identity: Node,
    /// The other keys.
    pub fields: Vec<(Spanned<String>, Node)>,
    /// Expression that must be true.
    pub when: Option<Spanned<String>>,
    /// List, or expression that gives one; the resource is repeated with `item`.
    pub each: Option<Node>,
    /// Handlers.
    pub notify: Vec<Spanned<String>>,
    /// Steps of the same role that must have succeeded: `type:identity`.
    pub requires: Vec<Spanned<String>>,
    /// Labels for `--tags`.
    pub tags: Vec<String>,
    /// The whole entry.
    pub span: Span,
}
