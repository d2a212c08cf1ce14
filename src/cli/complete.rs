//! What a shell completes with: names from the files of the environment on the command line.

use std::ffi::OsStr;

use cc_plan::node::Node;
use clap_complete::engine::CompletionCandidate;

use super::context::find_root;

/// Hosts, then groups.
pub fn hosts(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(inventory) = read(|environment| format!("inventories/{environment}.yml")) else { return Vec::new() };
    let Some(hosts) = inventory.get("hosts").and_then(Node::as_map) else { return Vec::new() };
    let groups = hosts.iter().filter_map(|(_, host)| host.get("groups")?.as_list()).flatten();
    let groups = groups.filter_map(Node::as_str);
    matching(current, hosts.iter().map(|(name, _)| name.value.as_str()).chain(groups).chain(["all"]))
}

/// Services.
pub fn services(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(file) = read(|environment| format!("environments/{environment}/environment.yml")) else {
        return Vec::new();
    };
    let Some(services) = file.get("services").and_then(Node::as_map) else { return Vec::new() };
    matching(current, services.iter().map(|(name, _)| name.value.as_str()))
}

/// Names of secrets.
pub fn secrets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(file) = read(|environment| format!("secrets/{environment}.yml")) else { return Vec::new() };
    let Some(values) = file.get("values").and_then(Node::as_map) else { return Vec::new() };
    matching(current, values.iter().map(|(name, _)| name.value.as_str()))
}

/// Preflight checks.
pub fn checks(current: &OsStr) -> Vec<CompletionCandidate> {
    matching(current, cc_preflight::abouts().iter().map(|about| about.id))
}

fn matching<'n>(current: &OsStr, names: impl Iterator<Item = &'n str>) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy();
    let mut names: Vec<&str> = names.filter(|name| name.starts_with(start.as_ref())).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// A file of the first word on the command line that is an environment; `None` on any trouble, since a shell that completes
/// must not print errors.
fn read(file: impl Fn(&str) -> String) -> Option<Node> {
    let root = find_root(&std::env::current_dir().ok()?);
    let words = std::env::args().skip(1);
    let path = words.map(|word| root.join(file(&word))).find(|path| path.is_file())?;
    let mut sources = cc_plan::source::Sources::default();
    let id = sources.add(path.clone(), std::fs::read_to_string(path).ok()?);
    let document = cc_plan::yaml::parse(&sources, id, &mut cc_plan::diagnostic::Diagnostics::default())?;
    Some(document.root)
}
