//! `environments/<env>/environment.yml` with what it extends.

use std::path::{Path, PathBuf};

use super::fields::{Fields, text};
use super::{Context, extends};
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::quantity::parse_percent;
use crate::source::Spanned;
use crate::spec::environment::{BatchSize, Environment, External, Policy, Rollout, Service};

/// Keys of a service that are not parameters of its role.
pub const SERVICE_KEYS: [&str; 5] = ["role", "on", "uses", "rollout", "tags"];

/// Reads the environment; `None` when its own file cannot be read.
pub(super) fn load(context: &mut Context<'_>, name: &str) -> Option<Environment> {
    let path = context.repository.environment_file(name);
    let merged = read(context, &path, &mut Vec::new())?;
    Some(build(&merged))
}

/// Reads a file on top of what it extends. `chain` holds the files that are being read.
fn read(context: &mut Context<'_>, path: &Path, chain: &mut Vec<PathBuf>) -> Option<Node> {
    let own = context.read_yaml(path)?.root;
    chain.push(path.to_path_buf());
    let mut below: Option<Node> = None;
    for base in Fields(&own).items("extends").iter().filter_map(text) {
        let target = resolve(context, path, &base);
        if chain.contains(&target) {
            let names: Vec<String> = chain
                .iter()
                .chain([&target])
                .map(|path| context.repository.display(path).display().to_string())
                .collect();
            context.report(Diagnostic::error(base.span, format!("`extends` goes in a circle: {}", names.join(" → "))));
            continue;
        }
        if let Some(node) = read(context, &target, chain) {
            below = Some(match below {
                Some(before) => extends::merge(before, node),
                None => node,
            });
        }
    }
    chain.pop();
    Some(match below {
        Some(below) => extends::merge(below, own),
        None => own,
    })
}

/// An environment's name, or a path relative to the file that names it.
fn resolve(context: &Context<'_>, from: &Path, base: &str) -> PathBuf {
    if base.contains('/') || base.ends_with(".yml") || base.ends_with(".yaml") {
        let joined = from.parent().unwrap_or(Path::new("")).join(base);
        joined.canonicalize().unwrap_or(joined)
    } else {
        context.repository.environment_file(base)
    }
}

fn build(root: &Node) -> Environment {
    let fields = Fields(root);
    Environment {
        name: fields.text("environment").unwrap_or_else(|| Spanned::new(String::new(), root.span)),
        description: fields.plain("description"),
        size: fields.choice("size").unwrap_or_default(),
        policy: Policy { os: fields.node("policy").map(|policy| Fields(policy).texts("os")).unwrap_or_default() },
        services: fields.entries("services").into_iter().map(|(name, node)| service(name, node)).collect(),
        external: fields.entries("external").into_iter().map(|(name, node)| (name.value, external(node))).collect(),
        rollout: fields.node("rollout").map(|node| rollout(node, &Rollout::default())).unwrap_or_default(),
        verify: fields.items("verify").to_vec(),
    }
}

fn service(name: Spanned<String>, node: &Node) -> Service {
    let fields = Fields(node);
    let uses = fields.entries("uses").into_iter();
    Service {
        role: fields.text("role").unwrap_or_else(|| name.clone()),
        on: fields.texts("on"),
        uses: uses.filter_map(|(offer, service)| Some((offer.value, text(service)?))).collect(),
        params: fields.others(&SERVICE_KEYS),
        rollout: fields.node("rollout").map(|node| rollout(node, &Rollout::default())),
        tags: fields.texts("tags").into_iter().map(|tag| tag.value).collect(),
        span: node.span,
        name,
    }
}

fn external(node: &Node) -> External {
    let fields = Fields(node);
    External {
        address: fields.text("address").unwrap_or_else(|| Spanned::new(String::new(), node.span)),
        port: fields.number("port"),
        params: fields.others(&["address", "port"]),
    }
}

/// A rollout; what is not written is as in `otherwise`.
fn rollout(node: &Node, otherwise: &Rollout) -> Rollout {
    let fields = Fields(node);
    let batches: Vec<BatchSize> = fields.items("batches").iter().filter_map(batch_size).collect();
    Rollout {
        canary: fields.number("canary").unwrap_or(otherwise.canary),
        batches: if batches.is_empty() { otherwise.batches.clone() } else { batches },
        max_failed: fields.number("max_failed").unwrap_or(otherwise.max_failed),
    }
}

fn batch_size(node: &Node) -> Option<BatchSize> {
    match &node.kind {
        Kind::Int(hosts) => usize::try_from(*hosts).ok().map(BatchSize::Hosts),
        Kind::String(text) => parse_percent(text).ok().map(BatchSize::Percent),
        _ => None,
    }
}
