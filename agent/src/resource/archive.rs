//! An archive unpacked into a directory.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::file::{missing_blob, ownership};
use super::manifest::{Manifest, walk};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Attributes, Host, beside, sha256_of, sync_folder};
use crate::step_error::StepError;

/// An archive unpacked into a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Directory that it is unpacked into.
    pub path: String,
    /// Where the host downloads it from; absent when the controller sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// SHA-256 of the archive, lower-case hex.
    pub sha256: String,
    /// Bytes of an archive that the controller sends; 0 for one with `url`.
    #[serde(default)]
    pub length: u64,
    /// Leading path components to drop.
    #[serde(default)]
    pub strip_components: u32,
    /// Owner of everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group of everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What is in the directory of an [`Archive`].
pub struct ArchiveState {
    /// What is at the path, if anything.
    kind: Option<&'static str>,
    /// What was unpacked there by us.
    manifest: Option<Manifest>,
    /// What of it is missing or changed.
    damaged: Vec<String>,
    /// What else is in the directory.
    others: usize,
}

/// How long downloading and unpacking may take.
const LIMIT: Duration = Duration::from_secs(3600);

impl ResourceType for Archive {
    type State = ArchiveState;

    fn observe(&self, host: &Host) -> Result<ArchiveState, StepError> {
        let path = Path::new(&self.path);
        let kind = host.stat(path)?.map(|meta| meta.kind);
        let manifest = Manifest::read(host, &self.path)?;
        let (damaged, others) = match (kind, &manifest) {
            (Some("directory"), Some(manifest)) => manifest.compare(path)?,
            (Some("directory"), None) => (Vec::new(), Manifest::default().compare(path)?.1.saturating_sub(1)),
            (Some(kind), _) => return Err(StepError::new(format!("{} is a {kind}, not a directory", self.path))),
            (None, _) => (Vec::new(), 0),
        };
        Ok(ArchiveState { kind, manifest, damaged, others })
    }

    fn diff(&self, state: &ArchiveState, host: &Host) -> Result<Change, StepError> {
        if self.state == Presence::Absent {
            let there = state.kind.is_some();
            return Ok(if there {
                Change::of(ChangeKind::Delete).note("with everything in it")
            } else {
                Change::none()
            });
        }
        let mut differ = Differ::default();
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        if state.kind.is_none() {
            differ.field("sha256", None::<&str>, Some(short(&self.sha256)));
            ownership(&mut differ, host, None, self.owner.as_deref(), self.group.as_deref(), None)?;
            return Ok(differ.create());
        }
        let Some(manifest) = &state.manifest else {
            if state.others > 0 {
                let text = format!("{} already has files that came from no archive of ours", self.path);
                return Err(StepError::new(text).hint("an archive owns its whole directory: choose an empty one"));
            }
            differ.field("sha256", None::<&str>, Some(short(&self.sha256)));
            return Ok(differ.update());
        };
        differ.field("sha256", Some(short(&manifest.sha256)), Some(short(&self.sha256)));
        differ.field("strip_components", Some(manifest.strip_components), Some(self.strip_components));
        let accounts = host.accounts()?;
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        let (uid, gid) = (owner.map(|name| accounts.uid(name)), group.map(|name| accounts.gid(name)));
        // A name that does not exist yet belongs to nobody.
        let (known, unknown) = ((uid.flatten(), gid.flatten()), uid == Some(None) || gid == Some(None));
        if unknown || !manifest.belongs(known.0, known.1) {
            let meta = host.stat(Path::new(&self.path))?;
            ownership(&mut differ, host, meta.as_ref(), owner, group, None)?;
            differ.push(Detail::Note { text: "its files belong to others".to_owned() });
        }
        if !state.damaged.is_empty() {
            let (count, first) = (state.damaged.len(), &state.damaged[0]);
            differ
                .push(Detail::Note { text: format!("{count} of its files are missing or changed, such as `{first}`") });
        }
        let mut change = differ.update();
        if !change.is_none() && state.others > 0 {
            change =
                change.note(format!("{} other files in the directory are removed with the old content", state.others));
        }
        Ok(change)
    }

    fn apply(&self, state: &ArchiveState, host: &Host) -> Result<(), StepError> {
        let path = Path::new(&self.path);
        if self.state == Presence::Absent {
            if path.components().count() < 3 {
                return Err(StepError::new(format!("{} is a directory of the system and is not removed", self.path)));
            }
            fs::remove_dir_all(path).map_err(|error| StepError::io("remove", path, &error))?;
            return Manifest::forget(host, &self.path);
        }
        let attributes = host.attributes(self.owner.as_deref(), self.group.as_deref(), None)?;
        let (folder, fresh) = beside(path)?;
        clear(&fresh)?;
        let unpacked = self.unpack(host, &fresh, attributes);
        let replaced = unpacked.and_then(|manifest| {
            // Written before the exchange: an agent that dies in between finds other files than these, and begins again.
            manifest.write(host, &self.path)?;
            replace(path, &fresh, state.kind.is_some())
        });
        clear(&fresh)?;
        replaced?;
        sync_folder(folder).map_err(|error| StepError::io("sync the folder", folder, &error))
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { url: None, state: Presence::Absent, ..self.clone() })
    }
}

impl Archive {
    /// Unpacks the archive into a fresh directory.
    fn unpack(&self, host: &Host, fresh: &Path, attributes: Attributes) -> Result<Manifest, StepError> {
        let create = |error| StepError::io("create", fresh, &error);
        fs::DirBuilder::new().mode(0o755).create(fresh).map_err(create)?;
        let (archive, downloaded) = self.fetch(host)?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let strip = format!("--strip-components={}", self.strip_components);
        let argv = ["tar".to_owned(), "--extract".to_owned(), "--no-same-owner".to_owned(), strip];
        let command =
            host.command(argv).args(["--file".to_owned(), text(&archive), "--directory".to_owned(), text(fresh)]);
        let unpacked = command.timeout(LIMIT).run();
        if downloaded {
            host.remove(&archive)?;
        }
        unpacked?;
        walk(fresh, &mut |path, _| host.set_attributes(path, attributes))?;
        let synced = fs::File::open(fresh).and_then(|folder| rustix::fs::syncfs(&folder).map_err(Into::into));
        synced.map_err(|error| StepError::io("sync", fresh, &error))?;
        Manifest::of(fresh, &self.sha256, self.strip_components)
    }

    /// The archive as a file whose digest is right, and whether it is of no more use afterwards.
    fn fetch(&self, host: &Host) -> Result<(PathBuf, bool), StepError> {
        let Some(url) = &self.url else {
            let blob = host.blobs().path(&self.sha256).ok_or_else(|| missing_blob(&self.path, &self.sha256))?;
            return Ok((blob, false));
        };
        let folder = host.state().join("archives");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| StepError::io("create", &folder, &error))?;
        let file = folder.join(format!("{}.download", self.sha256));
        let argv = ["/usr/lib/apt/apt-helper", "-oAcquire::Retries=3", "-oAPT::Sandbox::User=root", "download-file"];
        let download = host.command(argv).args([
            url.clone(),
            file.to_string_lossy().into_owned(),
            format!("SHA256:{}", self.sha256),
        ]);
        download.timeout(LIMIT).run()?;
        let found = sha256_of(&file)?;
        if found != self.sha256 {
            host.remove(&file)?;
            return Err(StepError::new(format!("{url} has the digest {found}, not {}", self.sha256)));
        }
        Ok((file, true))
    }
}

/// Puts the fresh directory in the place of what is there, in one go where the file system can.
fn replace(path: &Path, fresh: &Path, exists: bool) -> Result<(), StepError> {
    let io = |error| StepError::io("replace", path, &error);
    if !exists {
        return fs::rename(fresh, path).map_err(io);
    }
    match renameat_with(CWD, fresh, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV) => {
            // Between the two there is no directory: an agent that dies there leaves that for the next run to see.
            fs::remove_dir_all(path).map_err(io)?;
            fs::rename(fresh, path).map_err(io)
        }
        Err(error) => Err(io(error.into())),
    }
}

/// Removes what an agent that died, or the exchange, has left.
fn clear(folder: &Path) -> Result<(), StepError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StepError::io("remove", folder, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;

    /// Packs files into an archive that the host has as a blob.
    fn archive(bench: &Bench, files: &[(&str, &str)]) -> Archive {
        let (source, packed) = (bench.path("source"), bench.path("packed.tar.gz"));
        let _ = fs::remove_dir_all(&source);
        for (name, text) in files {
            let path = Path::new(&source).join("top").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        bench.host.command(["tar", "-C", &source, "-czf", &packed, "top"]).run().unwrap();
        let sha256 = sha256_of(Path::new(&packed)).unwrap();
        let mut incoming = bench.host.blobs().receive(&sha256).unwrap();
        incoming.write(&fs::read(&packed).unwrap()).unwrap();
        incoming.finish().unwrap();
        let value = serde_json::json!({"path": bench.path("app"), "sha256": sha256, "strip_components": 1});
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn unpacks_updates_and_removes() {
        let bench = Bench::new();
        let one = archive(&bench, &[("a", "one"), ("dir/b", "two")]);
        assert_eq!(bench.converge(&one).kind, ChangeKind::Create);
        assert_eq!(fs::read_to_string(bench.path("app/dir/b")).unwrap(), "two");
        fs::write(bench.path("app/other"), "made by the application").unwrap();
        assert_eq!(bench.converge(&one), Change::none());
        let update = bench.converge(&archive(&bench, &[("a", "three")]));
        assert_eq!(update.kind, ChangeKind::Update);
        assert!(format!("{update:?}").contains("1 other files"));
        assert!(!Path::new(&bench.path("app/dir")).exists() && !Path::new(&bench.path("app/other")).exists());
        assert_eq!(bench.converge(&one.absent().unwrap()).kind, ChangeKind::Delete);
        assert!(!Path::new(&bench.path("app")).exists());
    }

    #[test]
    fn missing_and_changed_files_are_seen_and_repaired() {
        let bench = Bench::new();
        let one = archive(&bench, &[("a", "one"), ("b", "two")]);
        bench.converge(&one);
        fs::remove_file(bench.path("app/a")).unwrap();
        fs::write(bench.path("app/b"), "longer than before").unwrap();
        let change = bench.converge(&one);
        assert!(format!("{change:?}").contains("2 of its files are missing or changed"), "{change:?}");
        assert_eq!(fs::read_to_string(bench.path("app/b")).unwrap(), "two");
    }

    #[test]
    fn files_of_others_are_not_replaced() {
        let bench = Bench::new();
        let one = archive(&bench, &[("a", "one")]);
        fs::create_dir(bench.path("app")).unwrap();
        bench.converge(&one);
        let two = Archive { path: bench.path("source"), ..one };
        let state = two.observe(&bench.host).unwrap();
        assert!(two.diff(&state, &bench.host).unwrap_err().message.contains("came from no archive"));
    }

    #[test]
    fn a_download_is_checked() {
        let bench = Bench::new();
        let mut one = archive(&bench, &[("a", "one")]);
        one.url = Some(format!("file://{}", bench.path("packed.tar.gz")));
        bench.converge(&one);
        let wrong = Archive { sha256: "0".repeat(64), ..one };
        let state = wrong.observe(&bench.host).unwrap();
        assert!(wrong.apply(&state, &bench.host).is_err());
        assert_eq!(fs::read_to_string(bench.path("app/a")).unwrap(), "one");
    }
}
