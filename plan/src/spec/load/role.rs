//! `roles/<role>/role.yml`, of one's own or shipped.

use super::Context;
use super::conform::{conform, did_you_mean};
use super::fields::{Fields, text};
use super::role_files::RoleFiles;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::schema;
use crate::source::Spanned;
use crate::spec::check::Read;
use crate::spec::role::{Offer, Param, ParamType, ResourceSpec, Role, Use};

/// Keys of a resource that are not fields of its type.
pub const RESOURCE_KEYS: [&str; 5] = ["when", "each", "notify", "requires", "tags"];

/// Reads a role; `None` when there is none of this name or its file cannot be read, which has been reported.
pub(super) fn load(context: &mut Context<'_>, name: &Spanned<String>) -> Option<Read<Role>> {
    let file = context.repository.role_folder(name).join("role.yml");
    let (document, shipped) = if file.exists() {
        (context.read_yaml(&file)?, false)
    } else if let Some(bytes) = context.repository.shipped.read(&format!("{}/role.yml", name.value)) {
        (context.parse_yaml(format!("roles/{}/role.yml (shipped)", name.value).as_ref(), bytes)?, true)
    } else {
        let known = context.repository.roles();
        let hint = did_you_mean(name, &known.iter().map(String::as_str).collect::<Vec<_>>());
        context.report(Diagnostic::error(name.span, format!("unknown role `{}`", name.value)).hint(hint));
        return None;
    };
    conform(&document, schema::role(), &mut context.diagnostics);
    let files = RoleFiles::read(context, name, shipped);
    let complete = document.complete && !files.failed;
    Some(Read { value: build(&document.root, files, shipped), complete })
}

fn build(root: &Node, files: RoleFiles, shipped: bool) -> Role {
    let fields = Fields(root);
    Role {
        name: fields.text("role").unwrap_or_else(|| Spanned::new(String::new(), root.span)),
        description: fields.plain("description"),
        params: fields.entries("params").into_iter().map(|(name, node)| param(name, node)).collect(),
        offers: fields.items("offers").iter().filter_map(offer).collect(),
        uses: fields.items("uses").iter().filter_map(uses).collect(),
        needs: fields.entries("needs").into_iter().map(|(name, node)| (name, node.clone())).collect(),
        resources: fields.items("resources").iter().filter_map(resource).collect(),
        handlers: fields
            .entries("handlers")
            .into_iter()
            .filter_map(|(name, node)| Some((name, resource(node)?)))
            .collect(),
        health: fields.items("health").to_vec(),
        shipped,
        templates: files.templates,
        files: files.files,
    }
}

fn param(name: Spanned<String>, node: &Node) -> Param {
    let fields = Fields(node);
    let kind = match fields.plain("type") {
        name if name == "enum" => {
            ParamType::Enum(fields.texts("values").into_iter().map(|value| value.value).collect())
        }
        // One that is unknown has been reported.
        name => serde_json::from_value(name.into()).unwrap_or(ParamType::String),
    };
    Param {
        name,
        kind,
        default: fields.node("default").cloned(),
        optional: fields.flag("optional"),
        doc: fields.plain("doc"),
    }
}

fn offer(node: &Node) -> Option<Offer> {
    let fields = Fields(node);
    Some(Offer { name: fields.text("name")?, port: fields.node("port").cloned() })
}

fn uses(node: &Node) -> Option<Use> {
    match text(node) {
        Some(name) => Some(Use { name, optional: false }),
        None => Some(Use { name: Fields(node).text("name")?, optional: Fields(node).flag("optional") }),
    }
}

fn resource(node: &Node) -> Option<ResourceSpec> {
    let (type_name, identity) = node.as_map()?.first()?.clone();
    let fields = Fields(node);
    let mut known = RESOURCE_KEYS.to_vec();
    known.push(&type_name.value);
    Some(ResourceSpec {
        fields: fields.others(&known),
        when: fields.node("when").and_then(expression),
        each: fields.node("each").cloned(),
        notify: fields.texts("notify"),
        requires: fields.texts("requires"),
        tags: fields.texts("tags").into_iter().map(|tag| tag.value).collect(),
        span: node.span,
        type_name,
        identity,
    })
}

/// `when: true` is an expression too.
fn expression(node: &Node) -> Option<Spanned<String>> {
    match node.kind {
        Kind::Bool(value) => Some(Spanned::new(value.to_string(), node.span)),
        _ => text(node),
    }
}
