//! What is wrong with an entry of waivers.yml or attestations.yml.

use cc_plan::diagnostic::{Diagnostic, Diagnostics};
use cc_plan::node::Node;
use cc_plan::spec::Spec;
use cc_plan::suggest::closest;

use crate::about::Vantage;
use crate::catalogue::{CATALOGUE, find};

/// What is wrong with an entry: said of a line of the file, or of a command's argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The key that it is about.
    pub(crate) key: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Fault {
    /// A fault of a key.
    pub(crate) fn new(key: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key, message: message.into(), hint: hint.into() }
    }

    /// Reports it where the key stands, or at the entry that lacks it.
    pub(crate) fn report(self, entry: &Node, found: &mut Diagnostics) {
        let span = entry.get(self.key).unwrap_or(entry).span;
        found.push(Diagnostic::error(span, self.message).hint(self.hint));
    }
}

/// Whether there is such a check and such a host, and whether the check is about hosts at all.
pub(crate) fn subject(check: &str, host: Option<&str>, spec: &Spec) -> Vec<Fault> {
    let Some(known) = find(check) else {
        let hint = match closest(check, CATALOGUE.iter().map(|check| check.about().id)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`cc-cloud explain` lists all checks".to_owned(),
        };
        return vec![Fault::new("check", format!("there is no check `{check}`"), hint)];
    };
    let Some(host) = host else { return Vec::new() };
    if matches!(known.about().vantage, Vantage::Spec | Vantage::Outside) {
        let message = format!("`{check}` is about the environment, not about a host");
        return vec![Fault::new("host", message, "leave out `host`")];
    }
    let hosts = || spec.inventory.hosts.iter().map(|host| host.name.value.as_str());
    if hosts().any(|known| known == host) {
        return Vec::new();
    }
    let hint = match closest(host, hosts()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("hosts: {}", hosts().collect::<Vec<_>>().join(", ")),
    };
    vec![Fault::new("host", format!("the inventory has no host `{host}`"), hint)]
}

/// Text that must say something.
pub(crate) fn said(key: &'static str, text: &str, hint: &str) -> Option<Fault> {
    text.trim().is_empty().then(|| Fault::new(key, format!("`{key}` is empty"), hint))
}
