//! What this host is known to have from us, and how to remove it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::change::ChangeKind;
use crate::host::{Attributes, Host};
use crate::ordered::ordered;
use crate::protocol::{Applied, Orphan};
use crate::resource::{Content, Resource};
use crate::secret::{Vault, contains_token, hex};
use crate::step::{Step, StepId};
use crate::step_error::StepError;

/// Version of the file.
const VERSION: u32 = 1;

/// The ledger of one environment on this host.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    version: u32,
    entries: Vec<Entry>,
}

/// What is known of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The step that made it.
    pub id: StepId,
    /// What it stands for on the host; see [`Resource::target`].
    pub target: String,
    /// The run that changed it last.
    pub run: String,
    /// Digest of the desired state that was applied last; absent while a first apply has begun and not ended well. Secrets count
    /// by their keyed digest, so that nobody can guess one from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether its desired state held a secret.
    #[serde(default)]
    pub secret: bool,
    /// Whether it came from us: created by a step, or a part that we added to something shared. What was there before us and
    /// was only changed is never removed.
    #[serde(default)]
    pub ours: bool,
    /// The desired state that removes it; absent when its type cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Resource>,
    /// The desired state that was applied last, a file's content by its digest; absent when it held a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Resource>,
}

impl Entry {
    /// How to remove it; `None` when its type cannot, or when it is not ours to remove.
    pub fn removal(&self) -> Option<&Resource> {
        self.removal.as_ref().filter(|_| self.ours)
    }
}

impl Ledger {
    /// Reads the ledger in this folder; an empty one when there is none.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self, StepError> {
        let path = path(folder);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(StepError::io("read", &path, &error)),
        };
        let ledger: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let text = format!("the ledger {} cannot be understood: {error}", path.display());
            StepError::new(text).hint("move it away and deploy again: only the knowledge of orphans is lost")
        })?;
        if ledger.version == VERSION {
            return Ok(ledger);
        }
        let text = format!("the ledger {} has version {}, not {VERSION}", path.display(), ledger.version);
        Err(StepError::new(text).hint("use the cc-cloud that wrote it, or a newer one"))
    }

    /// Writes it in one go.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, host: &Host) -> Result<(), StepError> {
        self.version = VERSION;
        let path = path(host.state());
        let bytes = serde_json::to_vec(self).map_err(|error| StepError::io("write", &path, &error.into()))?;
        host.write(&path, &bytes, Attributes::of_mode(0o600))
    }

    /// What is known of each resource, in the order in which they were first applied.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A step is about to change something: from now on it may be there, whatever becomes of the agent. Returns false when
    /// this is known already.
    pub fn begin(&mut self, step: &Step, run: &str) -> bool {
        if removes(&step.resource) || self.entries.iter().any(|entry| entry.id == step.id) {
            return false;
        }
        self.entries.push(Entry {
            id: step.id.clone(),
            target: step.resource.target(),
            run: run.to_owned(),
            digest: None,
            secret: holds_secret(&step.resource),
            ours: false,
            removal: step.resource.absent(),
            desired: None,
        });
        true
    }

    /// A step is about to make this change: what it creates is ours.
    pub fn claim(&mut self, step: &Step, kind: ChangeKind) {
        let ours = kind == ChangeKind::Create || is_part(&step.resource);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == step.id && ours) {
            entry.ours = true;
        }
    }

    /// A step is as desired, because it was `changed` or without that. What was there before us and never needed a change is not
    /// ours, and does not get in.
    pub fn applied(&mut self, step: &Step, run: &str, vault: &Vault, changed: bool) {
        if removes(&step.resource) {
            let target = step.resource.target();
            return self.entries.retain(|entry| entry.id != step.id && entry.target != target);
        }
        let digest = Some(digest(&step.resource, vault));
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == step.id) else {
            return;
        };
        if changed || entry.digest != digest {
            *entry = Entry { digest, run: run.to_owned(), ..entry.clone() };
            entry.secret = holds_secret(&step.resource);
            entry.target = step.resource.target();
            entry.removal = step.resource.absent();
            entry.desired = (!entry.secret).then(|| by_digest(&step.resource));
        }
    }

    /// What was applied last of a step that is not as desired, beside what it asks for now and what the host is like.
    pub fn applied_last(&self, step: &Step, host: &Host) -> Option<Applied> {
        let entry = self.entries.iter().find(|entry| entry.id == step.id)?;
        let spec_moved = entry.digest.as_ref() != Some(&digest(&step.resource, host.vault()));
        // What the host would need to be as it was left. A state that cannot be compared any more says nothing.
        let to_last = entry.desired.as_ref().filter(|_| spec_moved).and_then(|desired| desired.plan(host).ok());
        let to_last = to_last.filter(|change| change.kind != ChangeKind::Unknown).map(|change| !change.is_none());
        let host_moved = if spec_moved { to_last } else { Some(true) };
        Some(Applied { run: entry.run.clone(), ended: entry.digest.is_some(), spec_moved, host_moved })
    }

    /// Takes out what was begun and never touched the host.
    pub fn forget(&mut self, id: &str) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// What no step mentions any more, whose target no step manages under another name, and which is still on the host.
    pub fn orphans(&self, steps: &[Step], host: &Host) -> Vec<Orphan> {
        let mut mentioned = BTreeSet::new();
        for step in steps {
            mentioned.extend([step.id.clone(), step.resource.target()]);
        }
        let gone = |entry: &&Entry| !mentioned.contains(&entry.id) && !mentioned.contains(&entry.target);
        // What cannot be observed counts as there: better shown in vain than forgotten.
        let there = |entry: &&Entry| {
            entry.removal.as_ref().is_none_or(|removal| !removal.plan(host).is_ok_and(|change| change.is_none()))
        };
        let orphan = |entry: &Entry| Orphan {
            id: entry.id.clone(),
            run: entry.run.clone(),
            removable: entry.removal().is_some(),
        };
        self.entries.iter().filter(gone).filter(there).map(orphan).collect()
    }

    /// Targets whose desired state held a secret when it was last applied.
    pub fn secret_targets(&self) -> BTreeSet<String> {
        ordered(self.entries.iter().filter(|entry| entry.secret).map(|entry| entry.target.clone()))
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("ledger.json")
}

/// The digest of a desired state.
fn digest(resource: &Resource, vault: &Vault) -> String {
    // These types are always JSON; were one not, an empty text would only make it look changed.
    let text = serde_json::to_string(resource).unwrap_or_default();
    format!("sha256:{}", hex(&Sha256::digest(vault.stamped(&text).as_bytes())))
}

/// The same state with the content of a file by its digest, so that the ledger holds none.
fn by_digest(resource: &Resource) -> Resource {
    let mut state = resource.clone();
    if let Resource::File(file) = &mut state
        && let Some(Content::Text(text)) = &file.content
    {
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        file.content = Some(Content::Blob { sha256, length: text.len() as u64 });
    }
    state
}

/// Types that manage a part of something that others own too: taking the part away again is right even when the rest was
/// there before us.
fn is_part(resource: &Resource) -> bool {
    matches!(resource, Resource::Service(_) | Resource::AuthorizedKeys(_))
}

/// Whether the desired state is that there is nothing.
fn removes(resource: &Resource) -> bool {
    // By way of text, because resources are written as text anyway: a second way to write all of them is 20 kB.
    let text = serde_json::to_string(resource).unwrap_or_default();
    serde_json::from_slice::<Value>(text.as_bytes()).is_ok_and(|value| value["state"] == "absent")
}

fn holds_secret(resource: &Resource) -> bool {
    let marked = matches!(resource, Resource::File(file) if file.secret);
    marked || serde_json::to_string(resource).is_ok_and(|text| contains_token(&text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secret::{Secret, token};

    fn step(service: &str, content: &str) -> Step {
        let resource = serde_json::json!({"type": "file", "path": "/etc/x", "content": content});
        let id = format!("{service}/file:/etc/x");
        serde_json::from_value(serde_json::json!({"id": id, "service": service, "stage": 0, "resource": resource}))
            .unwrap()
    }

    /// The file `x` in this folder.
    fn step_at(folder: &Path, service: &str) -> Step {
        let mut step = step(service, "x");
        let Resource::File(file) = &mut step.resource else { panic!("not a file") };
        file.path = folder.join("x").to_str().unwrap().to_owned();
        step
    }

    fn vault(digest: &str) -> Vault {
        let mut vault = Vault::default();
        vault.insert("pw".to_owned(), Secret::new("hunter22".to_owned()), digest.to_owned());
        vault
    }

    #[test]
    fn what_left_the_spec_is_an_orphan_while_it_is_there_unless_another_step_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::new(folder.path()), folder.path().join("x"));
        let mut ledger = Ledger::default();
        let (mut old, new) = (step_at(folder.path(), "old"), step_at(folder.path(), "new"));
        assert!(ledger.begin(&old, "r1"));
        ledger.claim(&old, ChangeKind::Create);
        ledger.applied(&old, "r1", &Vault::default(), true);
        assert!(ledger.orphans(&[], &host).is_empty());
        fs::write(&path, "x").unwrap();
        let orphan = Orphan { id: old.id.clone(), run: "r1".to_owned(), removable: true };
        assert_eq!(ledger.orphans(&[], &host), [orphan]);
        assert!(ledger.orphans(std::slice::from_ref(&old), &host).is_empty());
        assert!(ledger.orphans(&[new], &host).is_empty());
        // Its removal was asked for: it is no longer ours.
        old.resource = old.resource.absent().unwrap();
        ledger.applied(&old, "r2", &Vault::default(), true);
        assert!(ledger.entries().is_empty() && !ledger.begin(&old, "r2"));
    }

    #[test]
    fn a_host_that_was_renamed_leaves_no_orphan() {
        let host = Host::new("/nonexistent");
        let named = |name: &str| Step {
            id: format!("base/hostname:{name}"),
            resource: serde_json::from_value(serde_json::json!({"type": "hostname", "name": name})).unwrap(),
            ..step("a", "x")
        };
        let mut ledger = Ledger::default();
        ledger.begin(&named("web1"), "r1");
        ledger.applied(&named("web1"), "r1", &Vault::default(), true);
        assert_eq!(ledger.orphans(&[], &host).len(), 1);
        assert!(ledger.orphans(&[named("web2")], &host).is_empty());
    }

    #[test]
    fn what_was_there_before_is_not_ours() {
        let mut ledger = Ledger::default();
        ledger.applied(&step("a", "x"), "r1", &Vault::default(), true);
        assert!(ledger.entries().is_empty());
    }

    #[test]
    fn what_was_only_changed_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (host, changed) = (Host::new(folder.path()), step_at(folder.path(), "a"));
        let mut ledger = Ledger::default();
        ledger.begin(&changed, "r1");
        ledger.claim(&changed, ChangeKind::Update);
        ledger.applied(&changed, "r1", &Vault::default(), true);
        fs::write(folder.path().join("x"), "x").unwrap();
        assert!(!ledger.orphans(&[], &host)[0].removable);
        assert!(ledger.entries()[0].removal().is_none());
    }

    #[test]
    fn it_survives_on_disk_without_contents_or_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Host::new(folder.path());
        host.set_vault(vault("hmac:1"));
        let secret = step("a", &format!("p={}", token("pw", &[])));
        let mut ledger = Ledger::default();
        ledger.begin(&secret, "r1");
        ledger.applied(&secret, "r1", host.vault(), true);
        ledger.write(&host).unwrap();
        let text = fs::read_to_string(folder.path().join("ledger.json")).unwrap();
        assert!(!text.contains("hunter22") && !text.contains("p="), "{text}");
        let again = Ledger::read(folder.path()).unwrap();
        assert_eq!(again.entries(), ledger.entries());
        assert_eq!(again.secret_targets(), ["file:/etc/x".to_owned()].into());
    }

    #[test]
    fn spec_and_host_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::new(folder.path()), folder.path().join("x"));
        let (old, mut new) = (step_at(folder.path(), "a"), step_at(folder.path(), "a"));
        let Resource::File(file) = &mut new.resource else { panic!("not a file") };
        file.content = Some(Content::Text("new".to_owned()));
        let mut ledger = Ledger::default();
        assert_eq!(ledger.applied_last(&old, &host), None);
        ledger.begin(&old, "r1");
        let last = |run: &str, ended, spec_moved, host_moved| {
            Some(Applied { run: run.to_owned(), ended, spec_moved, host_moved })
        };
        assert_eq!(ledger.applied_last(&old, &host), last("r1", false, true, None));
        fs::write(&path, "x").unwrap();
        ledger.applied(&old, "r1", &Vault::default(), true);
        assert!(!serde_json::to_string(&ledger).unwrap().contains("\"content\":\"x\""));
        assert_eq!(ledger.applied_last(&new, &host), last("r1", true, true, Some(false)));
        fs::write(&path, "by hand").unwrap();
        assert_eq!(ledger.applied_last(&new, &host), last("r1", true, true, Some(true)));
        assert_eq!(ledger.applied_last(&old, &host), last("r1", true, false, Some(true)));
        ledger.applied(&old, "r2", &Vault::default(), false);
        assert_eq!(ledger.entries()[0].run, "r1", "a run that found nothing to do did not apply it");
        ledger.applied(&old, "r3", &Vault::default(), true);
        assert_eq!(ledger.entries()[0].run, "r3");
    }

    #[test]
    fn of_a_state_with_a_secret_the_host_cannot_be_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Host::new(folder.path());
        host.set_vault(vault("hmac:1"));
        let secret = step("a", &token("pw", &[]));
        let mut ledger = Ledger::default();
        ledger.begin(&secret, "r1");
        ledger.applied(&secret, "r1", host.vault(), true);
        host.set_vault(vault("hmac:2"));
        let applied = ledger.applied_last(&secret, &host).unwrap();
        assert_eq!((applied.spec_moved, applied.host_moved), (true, None));
    }

    #[test]
    fn a_changed_secret_changes_the_digest() {
        let secret = step("a", &token("pw", &[])).resource;
        assert_ne!(digest(&secret, &vault("hmac:1")), digest(&secret, &vault("hmac:2")));
        assert_eq!(digest(&secret, &vault("hmac:1")), digest(&secret, &vault("hmac:1")));
    }
}
