//! The agent's file on this side.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// An agent that can run on a host: static, for one kind of machine.
pub struct AgentBinary {
    path: PathBuf,
    argument: &'static str,
    system: &'static str,
    digest: String,
    length: u64,
    cache: Option<PathBuf>,
    packed: OnceCell<Arc<[u8]>>,
}

/// Why a file cannot be the agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentBinaryError {
    /// It cannot be read.
    #[error("agent {}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not a Linux program.
    #[error("agent {}: not a Linux program: {detail}", .path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// It needs libraries that a host may not have.
    #[error("agent {}: it is linked dynamically and would not start on every host", .path.display())]
    Dynamic {
        /// The file.
        path: PathBuf,
    },
    /// It is for a machine that we do not know.
    #[error("agent {}: it is for an unknown kind of machine (ELF {machine})", .path.display())]
    Machine {
        /// The file.
        path: PathBuf,
        /// `e_machine` of its header.
        machine: u16,
    },
}

impl AgentBinaryError {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name the agent's file with --agent-binary or CC_AGENT_BINARY",
            Self::NotElf { .. } | Self::Machine { .. } => "build it for Linux on x86_64 or aarch64",
            Self::Dynamic { .. } => {
                "build it with `-C target-feature=+crt-static`, which .cargo/config.toml of this project does: \
                 `cargo build --profile agent -p cc-agent`"
            }
        }
        .to_owned()
    }
}

impl AgentBinary {
    /// Chooses the agent: the one that is named, else `cc-agent` beside this program, else this program itself, which is
    /// one when called with `agent`.
    ///
    /// # Errors
    /// When that file cannot be an agent; nothing else is tried then.
    pub fn find(named: Option<&Path>) -> Result<Self, AgentBinaryError> {
        let cache = cache_folder();
        if let Some(path) = named {
            return Self::open(path, "", cache);
        }
        let me = std::env::current_exe()
            .map_err(|error| AgentBinaryError::Unreadable { path: "this program".into(), error })?;
        let beside = me.with_file_name("cc-agent");
        if beside.is_file() { Self::open(&beside, "", cache) } else { Self::open(&me, "agent", cache) }
    }

    /// Opens the agent at a path. `argument` is what it is called with, if anything; digests and packed copies are kept
    /// in the folder `cache`.
    ///
    /// # Errors
    /// When the file cannot be an agent.
    pub fn open(path: &Path, argument: &'static str, cache: Option<PathBuf>) -> Result<Self, AgentBinaryError> {
        let unreadable = |error| AgentBinaryError::Unreadable { path: path.to_owned(), error };
        let path = &fs::canonicalize(path).map_err(unreadable)?;
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let system = elf_system(&mut file, path)?;
        let stamp = Stamp::new(path, &metadata);
        let digest = match cache.as_deref().and_then(|cache| stamp.remembered(cache)) {
            Some(digest) => digest,
            None => {
                let digest = File::open(path).and_then(digest_of).map_err(unreadable)?;
                if let Some(cache) = &cache {
                    stamp.remember(cache, &digest);
                }
                digest
            }
        };
        let length = metadata.len();
        Ok(Self { path: path.clone(), argument, system, digest, length, cache, packed: OnceCell::new() })
    }

    /// SHA-256, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where it is on this side.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `uname -s` and `uname -m` of hosts that it runs on: `Linux x86_64`.
    pub fn system(&self) -> &'static str {
        self.system
    }

    /// Bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Its name on a host.
    pub(super) fn file_name(&self) -> String {
        format!("agent-{}", self.digest.get(..12).unwrap_or(&self.digest))
    }

    pub(super) fn argument(&self) -> &'static str {
        self.argument
    }

    /// Size in KiB, rounded up.
    pub(super) fn kib(&self) -> u64 {
        self.length.div_ceil(1024)
    }

    /// The agent as it travels: gzip, because every host has that. Packed once for each agent, and only when a host wants it.
    ///
    /// # Errors
    /// When the file cannot be read any more, or is another now.
    pub async fn packed(&self) -> Result<Arc<[u8]>, AgentBinaryError> {
        let pack = async || {
            let (path, digest) = (self.path.clone(), self.digest.clone());
            let copy = self.cache.as_ref().map(|cache| cache.join(format!("{}.gz", self.file_name())));
            let pack = tokio::task::spawn_blocking(move || packed(&path, &digest, copy.as_deref()));
            let unreadable = |error| AgentBinaryError::Unreadable { path: self.path.clone(), error };
            pack.await.map_err(io::Error::other).flatten().map_err(unreadable)
        };
        self.packed.get_or_try_init(pack).await.cloned()
    }
}

/// The packed copy in the cache, else a new one.
fn packed(path: &Path, digest: &str, copy: Option<&Path>) -> io::Result<Arc<[u8]>> {
    if let Some(packed) = copy.and_then(|copy| fs::read(copy).ok())
        && unpacked_digest(&packed).is_ok_and(|found| found == digest)
    {
        return Ok(packed.into());
    }
    let content = fs::read(path)?;
    if hex(&Sha256::digest(&content)) != digest {
        return Err(io::Error::other("it has changed since this command began; run the command again"));
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&content)?;
    let packed = encoder.finish()?;
    if let Some(copy) = copy {
        keep(copy, &packed);
    }
    Ok(packed.into())
}

fn unpacked_digest(packed: &[u8]) -> io::Result<String> {
    digest_of(flate2::read::GzDecoder::new(packed))
}

fn digest_of(mut content: impl Read) -> io::Result<String> {
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

/// What tells that a file is still the same.
struct Stamp(String);

impl Stamp {
    fn new(path: &Path, metadata: &fs::Metadata) -> Self {
        let (seconds, nanos) = (metadata.ctime(), metadata.ctime_nsec());
        let identity = format!("{} {} {} {seconds}.{nanos}", path.display(), metadata.len(), metadata.ino());
        Self(hex(&Sha256::digest(identity)))
    }

    fn file(&self, cache: &Path) -> PathBuf {
        cache.join(format!("digest-{}", self.0.get(..24).unwrap_or(&self.0)))
    }

    fn remembered(&self, cache: &Path) -> Option<String> {
        let digest = fs::read_to_string(self.file(cache)).ok()?;
        (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digest)
    }

    fn remember(&self, cache: &Path, digest: &str) {
        keep(&self.file(cache), digest.as_bytes());
    }
}

/// Writes a file of the cache, whole or not at all. Without a cache everything works, a little later each time: so a
/// home that cannot be written is no error.
fn keep(file: &Path, content: &[u8]) {
    let keep = || -> io::Result<()> {
        let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        temporary.write_all(content)?;
        temporary.persist(file)?;
        Ok(())
    };
    let _ = keep();
}

/// `$XDG_CACHE_HOME/cc-cloud`, by default `~/.cache/cc-cloud`.
fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(named.or_else(|| Some(std::env::home_dir()?.join(".cache")))?.join("cc-cloud"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the ELF header: the machine, and that no interpreter (`ld.so`) is asked for.
fn elf_system(file: &mut File, path: &Path) -> Result<&'static str, AgentBinaryError> {
    let not_elf = |detail: &str| AgentBinaryError::NotElf { path: path.to_owned(), detail: detail.to_owned() };
    // The program headers follow the file header in what linkers write.
    let mut head = Vec::new();
    file.take(64 << 10)
        .read_to_end(&mut head)
        .map_err(|error| AgentBinaryError::Unreadable { path: path.to_owned(), error })?;
    let short = || not_elf("its header is cut off");
    if !head.starts_with(b"\x7fELF") {
        return Err(not_elf("no ELF header"));
    }
    if head.get(4..6) != Some(&[2, 1]) {
        return Err(not_elf("not 64-bit little-endian"));
    }
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let raw = head.get(at..at.checked_add(bytes)?)?;
        Some(raw.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    let size = |at, bytes| number(at, bytes).and_then(|value| usize::try_from(value).ok()).ok_or_else(short);
    let machine = number(18, 2).ok_or_else(short)?;
    let (table, entry, count) = (size(32, 8)?, size(54, 2)?, size(56, 2)?);
    for index in 0..count {
        const PT_INTERP: u64 = 3;
        let at = entry.checked_mul(index).and_then(|offset| offset.checked_add(table)).ok_or_else(short)?;
        if number(at, 4).ok_or_else(short)? == PT_INTERP {
            return Err(AgentBinaryError::Dynamic { path: path.to_owned() });
        }
    }
    match machine {
        62 => Ok("Linux x86_64"),
        183 => Ok("Linux aarch64"),
        machine => {
            Err(AgentBinaryError::Machine { path: path.to_owned(), machine: u16::try_from(machine).unwrap_or(0) })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A 64-bit little-endian ELF file with one program header.
    fn elf(machine: u16, segment: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&segment.to_le_bytes());
        bytes
    }

    fn open(content: &[u8]) -> Result<AgentBinary, AgentBinaryError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent");
        fs::write(&file, content).unwrap();
        AgentBinary::open(&file, "", None)
    }

    #[test]
    fn reads_the_machine() {
        assert_eq!(open(&elf(62, 1)).unwrap().system(), "Linux x86_64");
        assert_eq!(open(&elf(183, 1)).unwrap().system(), "Linux aarch64");
        assert!(matches!(open(&elf(8, 1)), Err(AgentBinaryError::Machine { machine: 8, .. })));
    }

    #[test]
    fn refuses_what_would_not_start_on_a_host() {
        assert!(matches!(open(&elf(62, 3)), Err(AgentBinaryError::Dynamic { .. })));
        assert!(matches!(open(b"#!/bin/sh\n"), Err(AgentBinaryError::NotElf { .. })));
        assert!(matches!(open(b""), Err(AgentBinaryError::NotElf { .. })));
        assert!(matches!(open(&elf(62, 1)[..70]), Ok(_) | Err(AgentBinaryError::NotElf { .. })));
        assert!(matches!(open(&elf(62, 1)[..60]), Err(AgentBinaryError::NotElf { .. })));
        let missing = AgentBinary::open(Path::new("/nonexistent/agent"), "", None);
        assert!(matches!(missing, Err(AgentBinaryError::Unreadable { .. })));
    }

    #[test]
    fn this_program_could_be_sent() {
        let found = AgentBinary::open(&std::env::current_exe().unwrap(), "", None).unwrap();
        assert_eq!(found.system(), format!("Linux {}", std::env::consts::ARCH));
    }

    #[tokio::test]
    async fn digest_and_packed_copy_are_kept_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let (file, cache) = (folder.path().join("agent"), folder.path().join("cache"));
        let content = elf(62, 1);
        fs::write(&file, &content).unwrap();
        let open = || AgentBinary::open(&file, "", Some(cache.clone())).unwrap();
        let first = open();
        assert_eq!(unpacked_digest(&first.packed().await.unwrap()).unwrap(), first.digest());
        let kept = fs::read_dir(&cache).unwrap().count();
        assert_eq!(kept, 2, "a digest and a packed copy");

        let copy = cache.join(format!("{}.gz", first.file_name()));
        fs::write(&copy, b"spoilt").unwrap();
        assert_eq!(unpacked_digest(&open().packed().await.unwrap()).unwrap(), first.digest());

        let stamp = Stamp::new(&fs::canonicalize(&file).unwrap(), &fs::metadata(&file).unwrap());
        stamp.remember(&cache, &"0".repeat(64));
        assert_eq!(open().digest(), "0".repeat(64), "an unchanged file is not read again");
        fs::write(&file, [content, vec![1]].concat()).unwrap();
        assert_ne!(open().digest(), first.digest());
        assert_ne!(open().digest(), "0".repeat(64), "a changed file is");
    }

    #[tokio::test]
    async fn a_file_that_changes_meanwhile_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent");
        fs::write(&file, elf(62, 1)).unwrap();
        let agent = AgentBinary::open(&file, "", None).unwrap();
        fs::write(&file, elf(183, 1)).unwrap();
        assert!(agent.packed().await.unwrap_err().to_string().contains("has changed"));
    }
}
