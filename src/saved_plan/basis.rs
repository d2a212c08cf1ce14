//! What a plan rests on: digests of everything that went into it.

use std::collections::BTreeMap;

use cc_agent::step::StepId;
use cc_plan::compile::Known;
use cc_plan::plan::{HostPlan, Plan};
use cc_plan::spec::Spec;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::secrets::{self, Unlocked};

/// Digests of everything that a plan was made from. Digests are SHA-256 in lower-case hex, those of secrets keyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The version of cc-cloud.
    pub cc_cloud: String,
    /// The agent's binary.
    pub agent: String,
    /// The compiled plan as a whole.
    pub compiled: String,
    /// Files of the environment and of its roles, by path.
    pub files: BTreeMap<String, String>,
    /// Secrets that the plan's hosts need, by name.
    pub secrets: BTreeMap<String, String>,
    /// Facts by host and name, as they are.
    pub facts: BTreeMap<String, BTreeMap<String, String>>,
    /// What each step and handler asks for, by host and step.
    pub desired: BTreeMap<String, BTreeMap<StepId, String>>,
}

impl Basis {
    /// What this plan rests on; `agent` is the digest of the agent's binary.
    ///
    /// # Errors
    /// A secret that cannot be read.
    pub fn new(
        spec: &Spec,
        plan: &Plan,
        known: &Known,
        unlocked: &Unlocked,
        agent: &str,
    ) -> Result<Self, secrets::Error> {
        let names = plan.hosts.iter().filter_map(|host| plan.secrets.get(&host.host)).flatten();
        let digests = names.map(|name| Ok((name.clone(), unlocked.digest(name)?)));
        Ok(Self {
            cc_cloud: env!("CARGO_PKG_VERSION").to_owned(),
            agent: agent.to_owned(),
            compiled: digest(plan),
            files: files(spec),
            secrets: digests.collect::<Result<_, secrets::Error>>()?,
            facts: facts(known),
            desired: plan.hosts.iter().map(|host| (host.host.clone(), desired(host))).collect(),
        })
    }
}

/// Every file that was read, but for the secrets: whoever reads them may seal them anew, and their values are counted one by one.
fn files(spec: &Spec) -> BTreeMap<String, String> {
    let texts = spec.sources.files().map(|(_, file)| (file.path.display().to_string(), file.text.as_bytes()));
    let texts = texts.filter(|(path, _)| !path.starts_with("secrets/"));
    let files = spec.roles.iter().flat_map(|(role, spec)| {
        let note = if spec.shipped { " (shipped)" } else { "" };
        spec.files.iter().map(move |(name, file)| (format!("roles/{role}/files/{name}{note}"), &*file.bytes))
    });
    texts.chain(files).map(|(path, bytes)| (path, hex(bytes))).collect()
}

/// Facts that templates see, and addresses that the provider gave.
fn facts(known: &Known) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut facts: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (host, of_host) in &known.facts {
        // Facts are numbers, texts and flags; were they not, the digest of the compiled plan would still tell.
        let value = serde_json::to_value(of_host).unwrap_or_default();
        flatten("", &value, facts.entry(host.clone()).or_default());
    }
    for (host, address) in &known.addresses {
        facts.entry(host.clone()).or_default().insert("address".to_owned(), address.clone());
    }
    facts
}

/// `{"os": {"id": "debian"}}` as `os.id`: `debian`.
fn flatten(prefix: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, into);
            }
        }
        serde_json::Value::String(text) => drop(into.insert(prefix.to_owned(), text.clone())),
        other => drop(into.insert(prefix.to_owned(), other.to_string())),
    }
}

fn desired(host: &HostPlan) -> BTreeMap<StepId, String> {
    let steps = host.steps.iter().map(|step| (step.id.clone(), digest(step)));
    steps.chain(host.handlers.iter().map(|handler| (handler.id.clone(), digest(handler)))).collect()
}

/// Of the JSON of a part of the plan, whose keys are text and whose numbers are finite: it always has one.
fn digest(part: &impl Serialize) -> String {
    hex(&serde_json::to_vec(part).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
