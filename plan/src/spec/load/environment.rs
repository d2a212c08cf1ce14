//! `environments/<env>/environment.yml` with what it extends.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::conform::{conform, did_you_mean};
use super::fields::{Fields, text};
use super::{Context, extends};
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::quantity::parse_percent;
use crate::schema;
use crate::source::Spanned;
use crate::spec::check::Read;
use crate::spec::environment::{
    BatchSize, Budget, Environment, External, Policy, PreflightPolicy, Rollout, SERVICE_KEYS, Service,
};
use crate::yaml::Document;

/// Reads the environment; `None` when its own file cannot be read.
pub(super) fn load(context: &mut Context<'_>, name: &str) -> Option<Read<Environment>> {
    let path = context.repository.environment_file(name);
    if !path.exists() {
        let known = context.repository.environments();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint = if known.is_empty() {
            format!("write one with `cc-cloud init {name}`")
        } else {
            did_you_mean(name, &known)
        };
        context.report(Diagnostic::missing_file(format!("there is no environment `{name}`")).hint(hint));
        return None;
    }
    let Read { value: merged, complete } = read(context, &path, &mut Progress::default())?;
    Some(Read { value: build(&merged), complete })
}

/// How far reading has come.
#[derive(Default)]
struct Progress {
    /// The files that are being read, each extended by the one before it.
    chain: Vec<PathBuf>,
    /// The files that have been read, with what they extend: several may extend the same.
    done: BTreeMap<PathBuf, Option<Read<Node>>>,
}

/// Reads a file on top of what it extends.
fn read(context: &mut Context<'_>, path: &Path, progress: &mut Progress) -> Option<Read<Node>> {
    if let Some(read) = progress.done.get(path) {
        return read.clone();
    }
    let read = read_first(context, path, progress);
    progress.done.insert(path.to_path_buf(), read.clone());
    read
}

fn read_first(context: &mut Context<'_>, path: &Path, progress: &mut Progress) -> Option<Read<Node>> {
    let document = context.read_yaml(path)?;
    conform(&document, schema::environment(), &mut context.diagnostics);
    check_name(context, path, &document);
    let (mut complete, own) = (document.complete, document.root);
    progress.chain.push(path.to_path_buf());
    let mut merged = Node { kind: Kind::Map(Vec::new()), span: own.span };
    for base in Fields(&own).items("extends").iter().filter_map(text) {
        match read_base(context, path, &base, progress) {
            Some(node) => {
                complete &= node.complete;
                merged = extends::merge(merged, node.value);
            }
            None => complete = false,
        }
    }
    progress.chain.pop();
    Some(Read { value: extends::merge(merged, own), complete })
}

/// Reads one of the files that `from` extends.
fn read_base(
    context: &mut Context<'_>,
    from: &Path,
    base: &Spanned<String>,
    progress: &mut Progress,
) -> Option<Read<Node>> {
    let target = resolve(context, from, base);
    let shown = |path: &PathBuf| context.repository.display(path).display().to_string();
    let chain = &progress.chain;
    if let Some(start) = chain.iter().position(|path| *path == target) {
        let names: Vec<String> = chain[start..].iter().chain([&target]).map(shown).collect();
        let message = format!("`extends` goes in a circle: {}", names.join(" → "));
        context.report(Diagnostic::error(base.span, message).hint("remove one of these `extends`"));
        return None;
    }
    if !target.exists() {
        let message = format!("there is no {}, which this environment extends", shown(&target));
        let known = context.repository.environments();
        let hint = match base.contains('/') {
            true => "a path is relative to the file that extends it".to_owned(),
            false => did_you_mean(base, &known.iter().map(String::as_str).collect::<Vec<_>>()),
        };
        context.report(Diagnostic::error(base.span, message).hint(hint));
        return None;
    }
    read(context, &target, progress)
}

/// An environment is called like its folder. A file that is extended by its path needs no name.
fn check_name(context: &mut Context<'_>, path: &Path, document: &Document) {
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let Some(folder) = folder.filter(|_| path.file_name().is_some_and(|name| name == "environment.yml")) else {
        return;
    };
    let root = &document.root;
    match Fields(root).text("environment") {
        Some(name) if name.value != folder => {
            let message = format!("the environment is called `{}`, but its folder `{folder}`", name.value);
            context.report(Diagnostic::error(name.span, message).hint(format!("write `environment: {folder}`")));
        }
        None if document.complete && root.as_map().is_some() && root.get("environment").is_none() => {
            let error = Diagnostic::error(root.span, "the environment has no name");
            context.report(error.hint(format!("begin with `environment: {folder}`")));
        }
        _ => {}
    }
}

/// An environment's name, or a path relative to the file that names it.
fn resolve(context: &Context<'_>, from: &Path, base: &str) -> PathBuf {
    if base.contains('/') || base.ends_with(".yml") || base.ends_with(".yaml") {
        let mut path = from.parent().unwrap_or(Path::new("")).to_path_buf();
        for part in Path::new(base).components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                Component::CurDir => {}
                part => path.push(part),
            }
        }
        path
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
        policy: fields.node("policy").map(policy).unwrap_or_default(),
        services: fields.entries("services").into_iter().map(|(name, node)| service(name, node)).collect(),
        external: fields.entries("external").into_iter().map(|(name, node)| (name.value, external(node))).collect(),
        rollout: fields.node("rollout").map(rollout).unwrap_or_default(),
        budget: fields.node("rollout").map(budget).unwrap_or_default(),
        verify: fields.items("verify").to_vec(),
    }
}

fn policy(node: &Node) -> Policy {
    let fields = Fields(node);
    Policy { os: fields.texts("os"), preflight: fields.node("preflight").map(preflight).unwrap_or_default() }
}

fn preflight(node: &Node) -> PreflightPolicy {
    let fields = Fields(node);
    let count = |key| Some(Spanned::new(fields.number(key)?, fields.node(key)?.span));
    PreflightPolicy {
        thresholds: fields.entries("thresholds").into_iter().map(|(id, value)| (id, value.clone())).collect(),
        off: fields.entries("off").into_iter().filter_map(|(id, why)| Some((id, text(why)?.value))).collect(),
        egress: fields.texts("egress"),
        proxy: fields.text("proxy"),
        users: count("users"),
        cases_per_user: count("cases_per_user"),
        site: fields.text("site"),
        alternate_sites: fields.texts("alternate_sites"),
        platform: fields.text("platform"),
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
        rollout: fields.node("rollout").map(rollout),
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

/// A rollout; what is not written is as in the default.
fn rollout(node: &Node) -> Rollout {
    let (fields, otherwise) = (Fields(node), Rollout::default());
    let batches: Vec<BatchSize> = fields.items("batches").iter().filter_map(batch_size).collect();
    Rollout {
        canary: fields.number("canary").unwrap_or(otherwise.canary),
        batches: if batches.is_empty() { otherwise.batches } else { batches },
        order: fields.choice("order").unwrap_or_default(),
        max_failed: fields.number("max_failed").unwrap_or(otherwise.max_failed),
        max_unreachable: fields.number("max_unreachable"),
        pause: fields.seconds("pause").unwrap_or(otherwise.pause),
        gate: fields.texts("gate"),
    }
}

fn budget(node: &Node) -> Budget {
    let fields = Fields(node);
    Budget { max_failed: fields.number("max_failed"), max_unreachable: fields.number("max_unreachable") }
}

fn batch_size(node: &Node) -> Option<BatchSize> {
    match &node.kind {
        Kind::Int(hosts) => usize::try_from(*hosts).ok().map(BatchSize::Hosts),
        Kind::String(text) => parse_percent(text).ok().map(BatchSize::Percent),
        _ => None,
    }
}
