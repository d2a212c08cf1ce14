//! Content that a resource takes from its role's `templates/` and `files/`.

use std::sync::Arc;

use cc_agent::protocol::INLINE_LIMIT;
use cc_agent::secret::contains_token;
use minijinja::Value;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::world::World;
use super::{LocalFiles, tree};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::spec::Role;
use crate::suggest::closest;
use crate::template::Fault;

/// Content by its digest.
pub(crate) type Blob = (String, Arc<[u8]>);

/// The resource type that a type in a role becomes.
pub(crate) fn resource_type(written: &str) -> &str {
    match written {
        "template" => "file",
        "tree" => "archive",
        other => other,
    }
}

/// Whether the content differs from host to host although every field is the same: a template is rendered.
pub(crate) fn depends_on_host(type_name: &str, sources: &[(Option<&str>, Span)], role: &Role) -> bool {
    type_name == "template" || sources.iter().any(|(name, _)| name.is_some_and(|n| role.templates.contains_key(n)))
}

/// Where content comes from, for one resource on one host.
pub(crate) struct Source<'a> {
    pub world: &'a World,
    pub role: &'a Role,
    pub context: &'a Value,
    /// The type as written.
    pub type_name: &'a str,
    /// Where a field was written.
    pub place: &'a dyn Fn(&str) -> Span,
}

impl Source<'_> {
    /// Replaces `source` and `key_source` by what they name.
    pub(crate) fn fill(&self, map: &mut Map<String, Json>) -> Result<Option<Blob>, Fault> {
        if self.type_name == "tree" {
            return self.tree(map);
        }
        let (from, to) = match self.type_name {
            "template" | "file" | "unit" | "block" => ("source", "content"),
            "python_venv" => ("source", "requirements"),
            "apt_repository" => ("key_source", "key"),
            _ => return Ok(None),
        };
        let Some(name) = map.remove(from) else {
            if self.type_name == "template" {
                let diagnostic = Diagnostic::error((self.place)(from), "`template` needs `source`");
                return Err(diagnostic.hint("name a file below the role's `templates/`").into());
            }
            return Ok(None);
        };
        if map.contains_key(to) {
            let message = format!("`{from}` and `{to}` exclude each other");
            return Err(Diagnostic::error((self.place)(from), message).into());
        }
        let Some(name) = name.as_str() else {
            return Err(
                Diagnostic::error((self.place)(from), format!("`{from}` must be text: a path in the role")).into()
            );
        };
        let is_file = matches!(self.type_name, "template" | "file");
        let (content, blob) = match self.read(name, from)? {
            Text::Inline(text) => (Json::String(text), None),
            Text::Bytes(bytes) if is_file => {
                let digest = sha256(&bytes);
                (json!({"sha256": digest, "length": bytes.len()}), Some((digest, bytes)))
            }
            Text::Bytes(_) => {
                let message = format!("`{name}` is not text of at most {} KiB", INLINE_LIMIT >> 10);
                return Err(Diagnostic::error((self.place)(from), message).into());
            }
        };
        map.insert(to.to_owned(), content);
        Ok(blob)
    }

    fn read(&self, name: &str, field: &str) -> Result<Text, Fault> {
        let engine = &self.world.engine;
        if self.type_name != "file"
            && let Some(template) = engine.role_template(&self.role.name.value, name)?
        {
            let text = engine.render(&template, self.context)?;
            // A secret's token is revealed only where the agent gets the text itself.
            return Ok(if text.len() <= INLINE_LIMIT || contains_token(&text) {
                Text::Inline(text)
            } else {
                Text::Bytes(text.into_bytes().into())
            });
        }
        if self.type_name != "template"
            && let Some(file) = self.role.files.get(name)
        {
            return Ok(match std::str::from_utf8(&file.bytes) {
                Ok(text) if text.len() <= INLINE_LIMIT && !contains_token(text) => Text::Inline(text.to_owned()),
                _ => Text::Bytes(Arc::clone(&file.bytes)),
            });
        }
        if self.type_name == "python_venv" {
            let bytes = self.files(field)?.read(name).map_err(|error| self.unreadable(name, field, &error))?;
            return Ok(String::from_utf8(bytes).map_or_else(|e| Text::Bytes(e.into_bytes().into()), Text::Inline));
        }
        Err(self.missing(name, field))
    }

    /// A folder of the operator's machine, as an archive.
    fn tree(&self, map: &mut Map<String, Json>) -> Result<Option<Blob>, Fault> {
        let exclude = map.remove("exclude").unwrap_or_else(|| json!([]));
        let source = map.remove("source");
        if map.get("state").and_then(Json::as_str) == Some("absent") {
            map.insert("sha256".to_owned(), Json::from(""));
            return Ok(None);
        }
        let Some(source) = source.as_ref().and_then(Json::as_str) else {
            return Err(Diagnostic::error((self.place)("source"), "`tree` needs `source`")
                .hint("name a folder, relative to the repository")
                .into());
        };
        let patterns: Vec<String> = serde_json::from_value(exclude).map_err(|_| {
            Diagnostic::error((self.place)("exclude"), "`exclude` wants a list of patterns")
                .hint("such as `[\"*.log\", docs/]`")
        })?;
        let blob = self.world.tree(source, &patterns, || {
            let entries = self.files("source")?.tree(source, &|path| tree::excluded(path, &patterns));
            let bytes = tree::archive(&entries.map_err(|error| self.unreadable(source, "source", &error))?);
            Ok((sha256(&bytes), Arc::from(bytes)))
        })?;
        map.insert("sha256".to_owned(), Json::from(blob.0.as_str()));
        map.insert("length".to_owned(), Json::from(blob.1.len()));
        Ok(Some(blob))
    }

    fn files(&self, field: &str) -> Result<&dyn LocalFiles, Fault> {
        let files = self.world.known.files.as_deref();
        files.ok_or_else(|| Diagnostic::error((self.place)(field), "files of this machine can't be read here").into())
    }

    fn unreadable(&self, path: &str, field: &str, error: &std::io::Error) -> Fault {
        Diagnostic::error((self.place)(field), format!("cannot read `{path}`: {error}"))
            .hint("the path is relative to the repository")
            .into()
    }

    fn missing(&self, name: &str, field: &str) -> Fault {
        let role = &self.role.name.value;
        let templates = self.role.templates.keys().map(String::as_str);
        let files = self.role.files.keys().map(String::as_str);
        let (folder, place, known): (&str, &str, Vec<&str>) = match self.type_name {
            "template" => ("templates", "templates", templates.collect()),
            "file" => ("files", "files", files.collect()),
            _ => ("templates` or `files", "files", templates.chain(files).collect()),
        };
        let message = format!("role `{role}` has no `{name}` in its `{folder}`");
        let diagnostic = Diagnostic::error((self.place)(field), message);
        let hint = match closest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("put it into roles/{role}/{place}/{name}"),
        };
        diagnostic.hint(hint).into()
    }
}

enum Text {
    Inline(String),
    Bytes(Arc<[u8]>),
}

/// SHA-256 as lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
