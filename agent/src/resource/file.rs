//! A file with its content; `template` becomes one too.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::text_diff::text_diff;
use super::{Content, Mode, Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Host, Metadata, sha256_of};
use crate::protocol::INLINE_LIMIT;
use crate::secret::{contains_token, hex};
use crate::step_error::StepError;

/// A file with its content; `template` becomes one too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// What it holds; not managed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Owner by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Never show its content, even where no secret is known to be in it.
    #[serde(default)]
    pub secret: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What is at the path of a [`File`].
pub struct FileState {
    meta: Option<Metadata>,
    content: Held,
}

/// What a file holds, as far as it matters.
#[derive(PartialEq, Eq)]
enum Held {
    /// Nothing is there, or its content is not managed.
    Nothing,
    /// All of it.
    Bytes(Vec<u8>),
    /// Too large to compare byte by byte.
    Digest { sha256: String, length: u64 },
}

impl Held {
    fn summary(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Bytes(bytes) => Some(summary(&hex(&Sha256::digest(bytes)), bytes.len() as u64)),
            Self::Digest { sha256, length } => Some(summary(sha256, *length)),
        }
    }
}

fn summary(sha256: &str, length: u64) -> String {
    format!("{length} bytes, sha256 {}", &sha256[..12.min(sha256.len())])
}

/// Text that a diff can show: UTF-8 without control characters that only binary formats have.
fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

impl ResourceType for File {
    type State = FileState;

    fn observe(&self, host: &Host) -> Result<FileState, StepError> {
        let path = Path::new(&self.path);
        let meta = host.stat(path)?;
        let content = match (&meta, &self.content) {
            (Some(meta), Some(wanted)) if meta.kind == "file" => self.held(host, meta, wanted)?,
            _ => Held::Nothing,
        };
        Ok(FileState { meta, content })
    }

    fn diff(&self, state: &FileState, host: &Host) -> Result<Change, StepError> {
        let Some(meta) = &state.meta else {
            return if self.state == Presence::Absent { Ok(Change::none()) } else { self.creation(host) };
        };
        if meta.kind == "directory" {
            let text = format!("{} is a directory, not a file", self.path);
            return Err(StepError::new(text).hint("remove it with a `directory` step that says `state: absent`"));
        }
        if self.state == Presence::Absent {
            return Ok(Change::of(ChangeKind::Delete));
        }
        let mut differ = Differ::default();
        differ.field("type", Some(meta.kind), Some("file"));
        if self.differs(state, host)? {
            differ.push(self.content_detail(state, host)?);
        }
        ownership(&mut differ, host, Some(meta), self.owner.as_deref(), self.group.as_deref(), self.mode)?;
        Ok(differ.update())
    }

    fn apply(&self, state: &FileState, host: &Host) -> Result<(), StepError> {
        let path = Path::new(&self.path);
        if self.state == Presence::Absent {
            return host.remove(path);
        }
        let mut attributes = host.attributes(self.owner.as_deref(), self.group.as_deref(), self.mode)?;
        let replace = state.meta.as_ref().is_none_or(|meta| meta.kind != "file");
        if !replace && !self.differs(state, host)? {
            return host.set_attributes(path, attributes);
        }
        if replace && self.holds_secret() {
            // Nobody said who may read it, so nobody else may.
            attributes.mode = attributes.mode.or(Some(Mode::new(0o600)));
        }
        match &self.content {
            None => host.write(path, b"", attributes),
            Some(Content::Text(text)) => host.write(path, host.reveal(text)?.as_bytes(), attributes),
            Some(Content::Blob { sha256, .. }) => {
                let blob = host.blobs().path(sha256).ok_or_else(|| missing_blob(&self.path, sha256))?;
                host.write_from(path, attributes, |file| io::copy(&mut fs::File::open(&blob)?, file).map(drop))
            }
        }
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { content: None, state: Presence::Absent, ..self.clone() })
    }
}

impl File {
    fn holds_secret(&self) -> bool {
        self.secret || matches!(&self.content, Some(Content::Text(text)) if contains_token(text))
    }

    /// Reads as much of the file as it takes to compare it.
    fn held(&self, host: &Host, meta: &Metadata, wanted: &Content) -> Result<Held, StepError> {
        let path = Path::new(&self.path);
        if meta.size <= INLINE_LIMIT as u64 {
            return Ok(host.read(path)?.map_or(Held::Nothing, Held::Bytes));
        }
        // A file of another size has other content: no need to read all of it.
        let same_size = matches!(wanted, Content::Blob { length, .. } if *length == meta.size);
        let sha256 = if same_size { sha256_of(path)? } else { "unread".to_owned() };
        Ok(Held::Digest { sha256, length: meta.size })
    }

    /// Whether the content has to be written.
    fn differs(&self, state: &FileState, host: &Host) -> Result<bool, StepError> {
        Ok(match (&self.content, &state.content) {
            (None, _) => false,
            (Some(_), Held::Nothing) => true,
            (Some(Content::Text(text)), Held::Bytes(bytes)) => host.reveal(text)?.as_bytes() != bytes.as_slice(),
            (Some(Content::Text(_)), Held::Digest { .. }) => true,
            (Some(Content::Blob { sha256, .. }), Held::Bytes(bytes)) => *sha256 != hex(&Sha256::digest(bytes)),
            (Some(Content::Blob { sha256, length }), Held::Digest { sha256: held, length: size }) => {
                (sha256, length) != (held, size)
            }
        })
    }

    fn creation(&self, host: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        let nothing = FileState { meta: None, content: Held::Nothing };
        if self.content.is_some() {
            differ.push(self.content_detail(&nothing, host)?);
        }
        ownership(&mut differ, host, None, self.owner.as_deref(), self.group.as_deref(), self.mode)?;
        Ok(differ.create())
    }

    /// The difference of content: text as a diff, anything else by size and digest, secrets not at all.
    fn content_detail(&self, state: &FileState, host: &Host) -> Result<Detail, StepError> {
        let field = "content".to_owned();
        let hidden = self.holds_secret() || host.was_secret(&format!("file:{}", self.path));
        let before = match &state.content {
            Held::Nothing => Some(""),
            Held::Bytes(bytes) => as_text(bytes),
            Held::Digest { .. } => None,
        };
        let after = match &self.content {
            Some(Content::Text(text)) => {
                host.reveal(text)?;
                Some(text.as_str())
            }
            _ => None,
        };
        Ok(match (before, after, &self.content) {
            _ if self.secret => Detail::Secret { field },
            (Some(before), Some(after), _) if after.len() <= INLINE_LIMIT => {
                text_diff(host, &field, before, after, hidden)
            }
            _ if hidden => Detail::Secret { field },
            (_, _, Some(Content::Blob { sha256, length })) => {
                Detail::Value { field, before: state.content.summary(), after: Some(summary(sha256, *length)) }
            }
            (_, text, _) => {
                let text = text.unwrap_or_default().as_bytes();
                let after = Some(summary(&hex(&Sha256::digest(text)), text.len() as u64));
                Detail::Value { field, before: state.content.summary(), after }
            }
        })
    }
}

/// The error for content that should have been sent.
pub(super) fn missing_blob(path: &str, sha256: &str) -> StepError {
    StepError::new(format!("the content of {path} ({sha256}) was not sent to this host")).hint("plan and deploy again")
}

/// Notes differences of owner, group and mode. A user or group that an earlier step is to create differs by its name.
pub(super) fn ownership(
    differ: &mut Differ,
    host: &Host,
    meta: Option<&Metadata>,
    owner: Option<&str>,
    group: Option<&str>,
    mode: Option<Mode>,
) -> Result<(), StepError> {
    if owner.is_some() || group.is_some() {
        let accounts = host.accounts()?;
        if owner.and_then(|owner| accounts.uid(owner)).is_none_or(|uid| meta.is_none_or(|meta| meta.uid != uid)) {
            differ.field("owner", meta.map(|meta| accounts.user_name(meta.uid)), owner);
        }
        if group.and_then(|group| accounts.gid(group)).is_none_or(|gid| meta.is_none_or(|meta| meta.gid != gid)) {
            differ.field("group", meta.map(|meta| accounts.group_name(meta.gid)), group);
        }
    }
    differ.field("mode", meta.map(|meta| meta.mode), mode);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;
    use crate::secret::token;

    fn file(bench: &Bench, content: &str) -> File {
        serde_json::from_value(serde_json::json!({"path": bench.path("x.conf"), "content": content, "mode": "0640"}))
            .unwrap()
    }

    #[test]
    fn creates_updates_and_removes() {
        let bench = Bench::new();
        let one = file(&bench, "one\n");
        let created = bench.converge(&one);
        assert_eq!(created.kind, ChangeKind::Create);
        assert_eq!(
            created.details[0],
            Detail::Text { field: "content".to_owned(), diff: "@@ -0,0 +1 @@\n+one\n".to_owned() }
        );
        let updated = bench.converge(&file(&bench, "two\n"));
        assert_eq!(updated.kind, ChangeKind::Update);
        assert_eq!(updated.details.len(), 1);
        assert_eq!(bench.converge(&one.absent().unwrap()).kind, ChangeKind::Delete);
        assert!(!Path::new(&one.path).exists());
    }

    #[test]
    fn a_file_with_a_secret_is_private_and_shows_neither_value() {
        let bench = Bench::new();
        let mut secret = file(&bench, &format!("password {}\n", token("pw", &[])));
        secret.mode = None;
        bench.converge(&secret);
        let path = Path::new(&secret.path);
        assert_eq!(fs::read_to_string(path).unwrap(), "password hunter22\n");
        assert_eq!(bench.host.stat(path).unwrap().unwrap().mode, Mode::new(0o600));
        fs::write(path, "password old-secret\n").unwrap();
        let change = bench.converge(&secret);
        let shown = serde_json::to_string(&change).unwrap();
        assert!(shown.contains("(secret)") && !shown.contains("hunter22") && !shown.contains("old-secret"), "{shown}");
    }

    #[test]
    fn what_held_a_secret_before_stays_hidden() {
        let mut bench = Bench::new();
        let plain = file(&bench, "no more passwords\n");
        bench.converge(&plain);
        fs::write(&plain.path, "password old-secret\n").unwrap();
        bench.host.set_secret_before([format!("file:{}", plain.path)].into());
        assert!(!serde_json::to_string(&bench.converge(&plain)).unwrap().contains("old-secret"));
    }

    #[test]
    fn an_owner_who_does_not_exist_yet_is_planned_but_not_applied() {
        let bench = Bench::new();
        let mut owned = file(&bench, "x");
        owned.owner = Some("not-yet".to_owned());
        let state = owned.observe(&bench.host).unwrap();
        assert_eq!(owned.diff(&state, &bench.host).unwrap().kind, ChangeKind::Create);
        assert!(owned.apply(&state, &bench.host).unwrap_err().hint.unwrap().contains("user: not-yet"));
    }

    #[test]
    fn binary_content_comes_from_a_blob_and_shows_digests() {
        let bench = Bench::new();
        let bytes = b"\0\x01binary";
        let sha256 = hex(&Sha256::digest(bytes));
        let mut blob = file(&bench, "");
        blob.content = Some(Content::Blob { sha256: sha256.clone(), length: bytes.len() as u64 });
        let state = blob.observe(&bench.host).unwrap();
        assert!(blob.apply(&state, &bench.host).unwrap_err().message.contains("was not sent"));
        let mut incoming = bench.host.blobs().receive(&sha256).unwrap();
        incoming.write(bytes).unwrap();
        incoming.finish().unwrap();
        let change = bench.converge(&blob);
        assert!(matches!(&change.details[0], Detail::Value { after: Some(text), .. } if text.starts_with("8 bytes")));
    }

    #[test]
    fn a_directory_in_its_place_is_an_error_and_a_link_is_replaced() {
        let bench = Bench::new();
        let one = file(&bench, "one\n");
        fs::create_dir(&one.path).unwrap();
        let state = one.observe(&bench.host).unwrap();
        assert!(one.diff(&state, &bench.host).unwrap_err().message.contains("is a directory"));
        fs::remove_dir(&one.path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &one.path).unwrap();
        assert_eq!(bench.converge(&one).kind, ChangeKind::Update);
        assert!(Path::new("/etc/hostname").exists());
    }
}
