//! A saved plan on the disk: one line that says what it is, then what only the environment's data key opens.
//!
//! ```text
//! cc-cloud plan 1 prod 9d01c929e4d6fc9e 18234\n
//! nonce, ciphertext
//! ```
//!
//! The line names the version of the format, the environment, the key and the number of bytes that follow. It is authenticated together
//! with them, so that no byte of the file can be changed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::error::{SavedPlanError, Trouble};
use super::plan::SavedPlan;
use crate::secrets::PlanKey;

/// The version of the format. What an older cc-cloud would misread makes a new one.
const VERSION: u32 = 1;

/// What every version begins with.
const MAGIC: &[u8] = b"cc-cloud plan ";

/// Bytes of the longest first line. The name of an environment is the name of a folder: at most 255 bytes.
const LONGEST_LINE: usize = 512;

/// The file of a saved plan.
pub struct SealedFile(Vec<u8>);

/// Its first line.
struct Head<'f> {
    environment: &'f str,
    key: &'f str,
    length: u64,
}

impl SealedFile {
    /// Seals a plan.
    ///
    /// # Errors
    /// None that a plan can cause: its keys are text and its numbers finite.
    pub fn seal(plan: &SavedPlan, key: &PlanKey) -> io::Result<Self> {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        serde_json::to_writer(&mut packed, plan)?;
        let packed = packed.finish()?;
        let length = (packed.len() + PlanKey::OVERHEAD) as u64;
        let head = Head { environment: &plan.view.environment, key: key.id(), length }.line().into_bytes();
        let sealed = key.seal(&head, &packed);
        Ok(Self([head, sealed].concat()))
    }

    /// Opens it as a plan of this environment.
    ///
    /// # Errors
    /// Another version, environment or key; anything that is not as it was sealed.
    pub fn open(&self, environment: &str, key: &PlanKey) -> Result<SavedPlan, Trouble> {
        let (head, sealed) = self.split()?;
        let Head { environment: found, key: id, length } = Head::parse(head)?;
        if found != environment {
            return Err(Trouble::Environment { found: found.to_owned(), wanted: environment.to_owned() });
        }
        let there = sealed.len() as u64;
        if there < length {
            return Err(Trouble::Truncated { missing: format!("{} of {length} bytes are missing", length - there) });
        }
        if there > length {
            return Err(Trouble::Longer(there - length));
        }
        if id != key.id() {
            return Err(Trouble::Key(environment.to_owned()));
        }
        let packed = key.open(head, sealed).ok_or(Trouble::Damaged)?;
        let mut plain = Vec::new();
        DeflateDecoder::new(packed.as_slice()).read_to_end(&mut plain).map_err(|_| Trouble::Damaged)?;
        serde_json::from_slice(&plain).map_err(Trouble::Content)
    }

    /// The first line with its end, and the rest.
    fn split(&self) -> Result<(&[u8], &[u8]), Trouble> {
        let start = &self.0[..self.0.len().min(LONGEST_LINE)];
        match start.iter().position(|byte| *byte == b'\n') {
            Some(end) => Ok(self.0.split_at(end + 1)),
            None if self.0.len() < LONGEST_LINE && (MAGIC.starts_with(start) || start.starts_with(MAGIC)) => {
                Err(Trouble::Truncated { missing: "its first line does not end".to_owned() })
            }
            None => Err(Trouble::Other),
        }
    }

    /// Reads a file as it is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SavedPlanError> {
        fs::read(path).map(Self).map_err(|error| Trouble::Io { action: "read", error }.of(path))
    }

    /// Writes the file as a whole or not at all, for nobody else to read. Another saved plan is replaced.
    ///
    /// # Errors
    /// What the system says; a file that is no saved plan.
    pub fn write(&self, path: &Path) -> Result<(), SavedPlanError> {
        match fs::read(path) {
            Ok(old) if !old.starts_with(MAGIC) => return Err(Trouble::InTheWay.of(path)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Trouble::Io { action: "write", error }.of(path)),
        }
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let write = || {
            // A temporary file has mode 0600 from its beginning, and keeps it.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&self.0)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|error| Trouble::Io { action: "write", error }.of(path))
    }
}

impl<'f> Head<'f> {
    fn line(&self) -> String {
        let magic = String::from_utf8_lossy(MAGIC);
        format!("{magic}{VERSION} {} {} {}\n", self.environment, self.key, self.length)
    }

    /// Reads a first line; only what [`Head::line`] writes is one.
    fn parse(line: &'f [u8]) -> Result<Self, Trouble> {
        let rest = line.strip_prefix(MAGIC).and_then(|rest| std::str::from_utf8(rest).ok()).ok_or(Trouble::Other)?;
        let mut words = rest.trim_end_matches('\n').split(' ');
        let mut word = || words.next().unwrap_or_default();
        match word().parse() {
            Ok(VERSION) => {}
            Ok(version) => return Err(Trouble::Version(version, VERSION)),
            Err(_) => return Err(Trouble::Damaged),
        }
        let (environment, key, length) = (word(), word(), word());
        let head = Self { environment, key, length: length.parse().map_err(|_| Trouble::Damaged)? };
        if head.line().as_bytes() == line { Ok(head) } else { Err(Trouble::Damaged) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::saved_plan::plan::tests::{plan, unlocked};

    static KEY: LazyLock<PlanKey> = LazyLock::new(|| unlocked().plan_key());

    fn sealed() -> (SealedFile, &'static PlanKey) {
        (SealedFile::seal(&plan(), &KEY).unwrap(), &KEY)
    }

    fn refusal(bytes: Vec<u8>, key: &PlanKey) -> String {
        SealedFile(bytes).open("prod", key).unwrap_err().to_string()
    }

    #[test]
    fn what_was_sealed_opens_as_it_was() {
        let (file, key) = sealed();
        assert_eq!(file.open("prod", key).unwrap(), plan());
        let text = String::from_utf8_lossy(&file.0);
        assert!(text.starts_with(&format!("cc-cloud plan 1 prod {} ", key.id())), "{text}");
        assert!(!text.contains("web1") && !text.contains("redis_password"), "{text}");
    }

    #[test]
    fn each_wrong_file_has_its_own_error() {
        let (file, key) = sealed();
        let error = file.open("staging", key).unwrap_err();
        assert_eq!(error.to_string(), "this is a plan of the environment `prod`, not of `staging`");
        let error = file.open("prod", &unlocked().plan_key()).unwrap_err();
        assert_eq!(error.to_string(), "the saved plan was sealed with another data key than that of secrets/prod.yml");
        let newer = String::from_utf8_lossy(&file.0[..40]).replacen("plan 1 ", "plan 2 ", 1) + "\n";
        let expected = "the saved plan has version 2 of the format, and this cc-cloud reads version 1";
        assert_eq!(refusal(newer.into_bytes(), key), expected);
        let cut = refusal(file.0[..file.0.len() - 7].to_vec(), key);
        assert!(cut.starts_with("the saved plan is cut off: 7 of "), "{cut}");
        let cut = refusal(file.0[..20].to_vec(), key);
        assert_eq!(cut, "the saved plan is cut off: its first line does not end");
        assert_eq!(
            refusal([file.0.as_slice(), b"more"].concat(), key),
            "there are 4 bytes after the end of the saved plan"
        );
        let mut flipped = file.0.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert_eq!(refusal(flipped, key), "the saved plan was changed or damaged since it was written");
        assert_eq!(refusal(b"environment: prod\n".to_vec(), key), "this is not a saved plan");
        assert_eq!(refusal(Vec::new(), key), "the saved plan is cut off: its first line does not end");
    }

    #[test]
    fn no_flipped_byte_and_no_truncation_opens() {
        let (file, key) = sealed();
        for at in 0..file.0.len() {
            assert!(SealedFile(file.0[..at].to_vec()).open("prod", key).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = file.0.clone();
                flipped[at] ^= 1 << bit;
                assert!(SealedFile(flipped).open("prod", key).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn it_is_written_whole_for_nobody_else_and_over_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = sealed();
        let path = folder.path().join("friday.plan");
        file.write(&path).unwrap();
        file.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(SealedFile::read(&path).unwrap().open("prod", key).unwrap(), plan());
        let other = folder.path().join("environment.yml");
        fs::write(&other, "environment: prod\n").unwrap();
        assert!(file.write(&other).unwrap_err().to_string().contains("is not a saved plan; it stays as it is"));
        assert_eq!(fs::read_to_string(&other).unwrap(), "environment: prod\n");
    }

    proptest! {
        #[test]
        fn a_file_that_was_changed_anywhere_is_refused(at in any::<prop::sample::Index>(), with in 1..=255_u8, cut in any::<bool>()) {
            let (mut file, key) = sealed();
            let at = at.index(file.0.len());
            if cut { file.0.truncate(at) } else { file.0[at] ^= with }
            prop_assert!(file.open("prod", key).is_err());
        }

        #[test]
        fn whatever_is_read_is_refused_and_never_a_panic(
            head in prop_oneof![Just(""), Just("cc-cloud plan "), Just("cc-cloud plan 1 prod "), Just("cc-cloud plan 1 prod 0 ")],
            length in prop_oneof![Just(String::new()), "[0-9]{1,30}\n", "[ -~]{0,20}\n"],
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [head.as_bytes(), length.as_bytes(), &rest].concat();
            prop_assert!(SealedFile(bytes).open("prod", &KEY).is_err());
        }
    }
}
