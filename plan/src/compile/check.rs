//! Health checks: from a mapping whose first key is the type to what the agent probes.

use cc_agent::check::Check;
use minijinja::Value;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::resource::{plain_words, secrets_in};
use super::world::World;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::source::Spanned;
use crate::spec::Role;
use crate::suggest::closest;
use crate::template::{Compiled, Engine, Fault};

/// Every type of check, with the field that its first key's value fills.
const TYPES: &[(&str, &str)] = &[
    ("tcp", "port"),
    ("http", "url"),
    ("redis_ping", "port"),
    ("postgres", "port"),
    ("unit", "unit"),
    ("command", "argv"),
];

/// A health check, parsed once for all hosts.
#[derive(Debug)]
pub(crate) struct CompiledCheck<'w> {
    kind: &'w Spanned<String>,
    main_field: &'static str,
    when: Option<Compiled<'w>>,
    main: Compiled<'w>,
    fields: Vec<(&'w str, Compiled<'w>)>,
}

impl<'w> CompiledCheck<'w> {
    /// Parses a check.
    ///
    /// # Errors
    /// An unknown type, template syntax.
    pub(crate) fn new(engine: &'w Engine, role: &'w Role, node: &'w Node) -> Result<Self, Fault> {
        let entries = node.as_map().unwrap_or_default();
        let Some(((kind, main), fields)) = entries.split_first() else {
            return Err(Diagnostic::error(node.span, "a health check is a mapping: `tcp: 6379`").into());
        };
        let Some((_, main_field)) = TYPES.iter().find(|(name, _)| *name == kind.value) else {
            let diagnostic = Diagnostic::error(kind.span, format!("unknown health check `{}`", kind.value));
            let hint = match closest(kind, TYPES.iter().map(|(name, _)| *name)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("write one of: {}", TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
            };
            return Err(diagnostic.hint(hint).into());
        };
        let role = role.name.value.as_str();
        let is_when = |entry: &&(Spanned<String>, Node)| entry.0.value == "when";
        let when = fields.iter().find(is_when).map(|(_, node)| match &node.kind {
            Kind::String(text) => engine.compile_condition(&Spanned::new(text.clone(), node.span)),
            _ => engine.compile(role, node),
        });
        let fields = fields
            .iter()
            .filter(|entry| !is_when(entry))
            .map(|(name, node)| Ok((name.value.as_str(), engine.compile(role, node)?)));
        let fields = fields.collect::<Result<Vec<_>, Fault>>()?;
        Ok(Self { kind, main_field, when: when.transpose()?, main: engine.compile(role, main)?, fields })
    }

    /// The check on one host, with the names of the secrets in it; `None` when it is not wanted there.
    ///
    /// # Errors
    /// What is wrong, at its place.
    pub(crate) fn evaluate(&self, world: &World, context: &Value) -> Result<Option<(Check, Vec<String>)>, Fault> {
        if let Some(when) = &self.when
            && !when.value(&world.engine, context)?.is_true()
        {
            return Ok(None);
        }
        let mut map = Map::new();
        map.insert("type".to_owned(), Json::from(self.kind.value.as_str()));
        match self.main.json(&world.engine, context)? {
            Json::Object(fields) => map.extend(fields),
            Json::Null => {}
            value => drop(map.insert(self.main_field.to_owned(), value)),
        }
        for (name, field) in &self.fields {
            map.insert((*name).to_owned(), field.json(&world.engine, context)?);
        }
        map.retain(|_, value| !value.is_null());
        let mut secrets = Vec::new();
        for (field, value) in &map {
            let mut names = Vec::new();
            secrets_in(value, &world.secrets, &mut names);
            if !names.is_empty() && (self.kind.value.as_str(), field.as_str()) != ("redis_ping", "password") {
                let message = format!("a secret can't stand in `{field}` of the check `{}`", self.kind.value);
                return Err(Diagnostic::error(self.kind.span, message)
                    .hint("only the password of `redis_ping` may be a secret")
                    .into());
            }
            for name in names {
                secrets
                    .push(name.ok_or_else(|| Diagnostic::error(self.kind.span, "a secret was cut into pieces here"))?);
            }
        }
        let check = Check::deserialize(&Json::Object(map)).map_err(|error| {
            Diagnostic::error(
                self.kind.span,
                format!("check `{}`: {}", self.kind.value, plain_words(&error.to_string())),
            )
        })?;
        Ok(Some((check, secrets)))
    }
}
