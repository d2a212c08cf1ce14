//! The smoke test: requests through the front door, made from the operator's machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde::Deserialize;

use super::known::Known;

use super::scope::HostScope;
use super::world::World;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::Node;
use crate::quantity::parse_duration;
use crate::spec::Spec;
use crate::template::Fault;

/// One step of `verify:`, rendered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeStep {
    /// What it shows, for a person.
    pub name: String,
    /// The request.
    pub http: SmokeRequest,
}

/// An HTTP request and what its answer must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeRequest {
    /// Method; GET when absent, POST when there is a body.
    #[serde(default)]
    pub method: Option<String>,
    /// Address.
    pub url: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default)]
    pub json: Option<serde_json::Value>,
    /// Body as text.
    #[serde(default)]
    pub body: Option<String>,
    /// Accepted status codes.
    #[serde(default = "ok", deserialize_with = "one_or_many")]
    pub status: Vec<u16>,
    /// Texts that the answer must contain.
    #[serde(default, deserialize_with = "one_or_many")]
    pub contains: Vec<String>,
    /// How long the answer may take to become right: `30s`.
    #[serde(default)]
    pub within: Option<String>,
    /// Whether the certificate is checked.
    #[serde(default)]
    pub tls: TlsCheck,
}

/// Whether a server's certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsCheck {
    /// Against the system's authorities.
    #[default]
    Verify,
    /// Not at all: for rehearsals with self-signed certificates.
    Insecure,
}

fn ok() -> Vec<u16> {
    vec![200]
}

/// `200` or `[200, 201]`.
fn one_or_many<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::Many(values) => values,
        OneOrMany::One(value) => vec![value],
    })
}

impl SmokeRequest {
    /// The method, by default after what is sent.
    pub fn method(&self) -> &str {
        let default = if self.json.is_some() || self.body.is_some() { "POST" } else { "GET" };
        self.method.as_deref().unwrap_or(default)
    }

    /// Seconds that the answer may take to become right; 0 when it must be right at once.
    pub fn patience(&self) -> u64 {
        self.within.as_deref().and_then(|text| parse_duration(text).ok()).unwrap_or(0)
    }
}

/// What `verify` templates see: `hosts`, `groups`, `services`, `external`, `environment`, and `run.id`, which is new each time.
#[derive(Debug)]
struct SmokeScope {
    root: Value,
    run: Value,
}

const NAMES: [&str; 6] = ["hosts", "groups", "services", "external", "environment", "run"];

impl Object for SmokeScope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "run" => Some(self.run.clone()),
            name if NAMES.contains(&name) => self.root.get_attr(name).ok(),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&NAMES)
    }
}

/// Renders the smoke test. `run` is a value that no earlier test had.
///
/// # Errors
/// Every finding in every step.
pub fn smoke(spec: &Spec, known: &Known, run: &str) -> Result<Vec<SmokeStep>, Diagnostics> {
    let world = Arc::new(World::new(spec, known)?);
    let scope = HostScope::new(Arc::clone(&world));
    let run = Value::from_pairs([("id", run)]);
    let context = Value::from_object(SmokeScope { root: scope.root(0, 0), run });
    let mut diagnostics = Diagnostics::default();
    let mut steps = Vec::new();
    for node in &spec.environment.verify {
        match step(&world, node, &context) {
            Ok(step) => steps.push(step),
            Err(fault) => scope.report(fault),
        }
    }
    scope.take_findings().into_iter().for_each(|finding| diagnostics.push(finding));
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(steps) }
}

fn step(world: &World, node: &Node, context: &Value) -> Result<SmokeStep, Fault> {
    let rendered = world.engine.compile("", node)?.json(&world.engine, context)?;
    let at = |why: String| Fault::from(Diagnostic::error(node.span, why));
    if cc_agent::secret::contains_token(&rendered.to_string()) {
        return Err(at("the smoke test cannot use secrets".to_owned()));
    }
    let step: SmokeStep = serde_json::from_value(rendered).map_err(|error| at(format!("smoke test: {error}")))?;
    if let Some(Err(why)) = step.http.within.as_deref().map(parse_duration) {
        return Err(at(format!("`within`: {why}")));
    }
    Ok(step)
}
