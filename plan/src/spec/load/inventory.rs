//! `inventories/<env>.yml`.

use super::Context;
use super::conform::conform;
use super::extends::merge;
use super::fields::Fields;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::schema;
use crate::source::Spanned;
use crate::spec::check::Read;
use crate::spec::inventory::{Bootstrap, Host, Inventory, Login};

/// Reads the inventory; `None` when its file cannot be read.
pub(super) fn load(context: &mut Context<'_>, environment: &str) -> Option<Read<Inventory>> {
    let path = context.repository.inventory_file(environment);
    if !path.exists() {
        // Without the environment, the inventory is not what is missing.
        if context.repository.environment_file(environment).exists() {
            let shown = context.repository.display(&path).display().to_string();
            let error =
                Diagnostic::missing_file(format!("there is no {shown}: environment `{environment}` has no hosts"));
            context.report(error.hint(format!("list its hosts there; `cc-cloud init {environment}` shows how")));
        }
        return None;
    }
    let document = context.read_yaml(&path)?;
    conform(&document, schema::inventory(), &mut context.diagnostics);
    let complete = document.complete && document.root.get("hosts").is_some_and(|hosts| hosts.as_map().is_some());
    Some(Read { value: build(&document.root), complete })
}

fn build(root: &Node) -> Inventory {
    let fields = Fields(root);
    let defaults = fields.node("defaults");
    let hosts = fields.0.get("hosts").and_then(Node::as_map).unwrap_or_default();
    Inventory {
        provider: fields.choice("provider").unwrap_or_default(),
        hosts: hosts.iter().map(|(name, node)| host(name.clone(), node, defaults)).collect(),
        bootstrap: fields.node("bootstrap").map(|node| {
            let fields = Fields(node);
            let identity_file = fields.text("identity_file").map(|file| file.value);
            Bootstrap { user: fields.plain("user"), identity_file }
        }),
    }
}

fn host(name: Spanned<String>, node: &Node, defaults: Option<&Node>) -> Host {
    let own = match node.kind {
        Kind::Null => Node { kind: Kind::Map(Vec::new()), span: node.span },
        _ => node.clone(),
    };
    let merged = match defaults {
        Some(defaults) => merge(defaults.clone(), own),
        None => own,
    };
    let fields = Fields(&merged);
    Host {
        name,
        address: fields.text("address"),
        groups: fields.texts("groups"),
        params: fields.entries("params").into_iter().map(|(name, node)| (name, node.clone())).collect(),
        login: Login {
            user: fields.text("user").map(|user| user.value),
            port: fields.number("port"),
            become_root: fields.choice("become").unwrap_or_default(),
            jump: fields.texts("jump").into_iter().map(|jump| jump.value).collect(),
            identity_file: fields.text("identity_file").map(|file| file.value),
        },
        span: node.span,
    }
}
