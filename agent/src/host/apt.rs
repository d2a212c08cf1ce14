//! apt: what it could install, and calls of apt-get that wait, never ask and never surprise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{CommandLine, Host};
use crate::ordered::ordered;
use crate::step_error::StepError;

/// Package lists older than this are fetched again before something is installed.
const OLD: Duration = Duration::from_secs(24 * 3600);
/// How long apt-get may take, downloads and all.
const LIMIT: Duration = Duration::from_secs(3600);
/// Where the lists are, and what tells when they were last fetched: a fetch that finds nothing new touches only some of them.
const LISTS: &str = "/var/lib/apt/lists";
const FETCHED: [&str; 3] = [LISTS, "/var/lib/apt/lists/partial", "/var/lib/apt/periodic/update-success-stamp"];
/// Where sources and their keys are.
const SOURCES: [&str; 3] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/keyrings"];

/// What apt could install of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available {
    /// What it would install unasked.
    pub candidate: Option<String>,
    /// All versions, the highest first.
    pub versions: Vec<String>,
}

impl Available {
    /// The version that apt would take for a wish: any when absent, exact, or a prefix that ends in `*`.
    pub fn best(&self, wish: Option<&str>) -> Option<&str> {
        match wish {
            None => self.candidate.as_deref(),
            Some(wish) => {
                let candidate = self.candidate.iter().chain(&self.versions);
                candidate.map(String::as_str).find(|version| satisfies(version, wish))
            }
        }
    }

    fn parse(policy: &str) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        let mut name = String::new();
        for line in policy.lines() {
            if let Some(head) = line.strip_suffix(':').filter(|head| !head.starts_with(' ')) {
                name = head.to_owned();
            } else if let Some(version) = line.strip_prefix("  Candidate: ") {
                all.entry(name.clone()).or_default().candidate =
                    Some(version.to_owned()).filter(|text| text != "(none)");
            } else if let Some(version) = line.strip_prefix(" *** ").or_else(|| line.strip_prefix("     ")) {
                // Deeper lines are the places that have the version.
                if let Some((version, _)) = version.split_once(' ').filter(|_| !version.starts_with(' ')) {
                    all.entry(name.clone()).or_default().versions.push(version.to_owned());
                }
            }
        }
        all
    }
}

/// Whether a version is as wished: exact, or a prefix that ends in `*`.
pub(crate) fn satisfies(version: &str, wish: &str) -> bool {
    wish.strip_suffix('*').map_or(version == wish, |prefix| version.starts_with(prefix))
}

/// What was asked since sources or lists last changed.
#[derive(Default)]
pub(super) struct Apt(Mutex<Asked>);

/// When sources or lists last changed, and what was asked since.
type Asked = (Option<SystemTime>, BTreeMap<String, Arc<Available>>);

impl Host {
    /// What apt could install of a package. The first call asks for every package of the plan that is not installed.
    ///
    /// # Errors
    /// When apt-cache fails.
    pub fn available(&self, name: &str) -> Result<Arc<Available>, StepError> {
        let mut known = self.apt.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = newest(FETCHED).max(newest_source());
        if known.0 != stamp {
            *known = (stamp, BTreeMap::new());
        }
        if let Some(found) = known.1.get(name) {
            return Ok(Arc::clone(found));
        }
        let dpkg = self.packages()?;
        let mut names: BTreeSet<&str> =
            ordered(self.expected().packages.iter().map(String::as_str).filter(|name| dpkg.installed(name).is_none()));
        names.insert(name);
        // Without its caches, which it would write: a plan leaves nothing behind.
        let argv = ["apt-cache", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "policy", "--"];
        let output = self.command(argv).args(names.iter().copied()).run()?;
        let mut found = Available::parse(&output.stdout);
        for name in names {
            // A package that apt never heard of is not in the answer.
            known.1.insert(name.to_owned(), Arc::new(found.remove(name).unwrap_or_default()));
        }
        Ok(known.1.get(name).map(Arc::clone).unwrap_or_default())
    }

    /// apt-get with the options for unattended use: it waits for the lock, keeps configuration files that were changed, and
    /// restarts nothing on its own.
    pub(crate) fn apt_get(&self, verb: &str) -> CommandLine<'_> {
        const OPTIONS: [&str; 9] = [
            "apt-get",
            "-qy",
            "-oDPkg::Lock::Timeout=300",
            "-oDpkg::Options::=--force-confdef",
            "-oDpkg::Options::=--force-confold",
            "-oDpkg::Use-Pty=0",
            "-oAPT::Get::Show-Upgraded=false",
            "-oAcquire::Retries=3",
            "-oAPT::Color=0",
        ];
        let command = self.command(OPTIONS).arg(verb).timeout(LIMIT);
        let quiet = [
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
            ("NEEDRESTART_MODE", "l"),
            ("APT_LISTCHANGES_FRONTEND", "none"),
            ("UCF_FORCE_CONFFOLD", "1"),
        ];
        quiet.into_iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Fetches the package lists.
    ///
    /// # Errors
    /// When one of them cannot be fetched: apt itself would go on with an old one.
    pub(crate) fn apt_update(&self) -> Result<(), StepError> {
        self.apt_get("update").arg("-oAPT::Update::Error-Mode=any").run()?;
        // A fetch that found nothing new touches no file that tells so.
        fs::File::open(LISTS)
            .and_then(|lists| lists.set_modified(SystemTime::now()))
            .map_err(|error| StepError::io("touch", Path::new(LISTS), &error))
    }

    /// Whether the package lists are missing, more than a day old, or older than a source or key.
    pub(crate) fn apt_lists_are_old(&self) -> bool {
        let lists = fs::read_dir(LISTS)
            .map(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages")));
        let fetched = newest(FETCHED);
        let fresh = |at: SystemTime| at.elapsed().is_ok_and(|age| age < OLD);
        !lists.unwrap_or(false) || !fetched.is_some_and(fresh) || newest_source() > fetched
    }
}

/// The newest modification of these paths.
fn newest<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Option<SystemTime> {
    paths.into_iter().filter_map(|path| fs::metadata(path).and_then(|meta| meta.modified()).ok()).max()
}

/// The newest modification of sources and keys, and of the folders that they are in.
fn newest_source() -> Option<SystemTime> {
    let inside =
        SOURCES.iter().filter_map(|path| fs::read_dir(path).ok()).flatten().flatten().map(|entry| entry.path());
    newest(SOURCES.iter().map(PathBuf::from).chain(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
redis-server:
  Installed: (none)
  Candidate: 5:7.0.15-1~deb12u10
  Version table:
     5:7.0.15-1~deb12u10 500
        500 http://mirror/debian-security bookworm-security/main amd64 Packages
     5:7.0.15-1~deb12u7 500
        500 http://mirror/debian bookworm/main amd64 Packages
postgresql:
  Installed: 15+248+deb12u1
  Candidate: 15+248+deb12u2
  Version table:
 *** 15+248+deb12u1 500
        100 /var/lib/dpkg/status
virtual:
  Installed: (none)
  Candidate: (none)
  Version table:
";

    #[test]
    fn understands_policy() {
        let all = Available::parse(POLICY);
        let redis = &all["redis-server"];
        assert_eq!(redis.best(None), Some("5:7.0.15-1~deb12u10"));
        assert_eq!(redis.best(Some("5:7.0.15-1~deb12u7")), Some("5:7.0.15-1~deb12u7"));
        assert_eq!(redis.best(Some("5:7*")), Some("5:7.0.15-1~deb12u10"));
        assert_eq!(redis.best(Some("6*")), None);
        assert_eq!(all["postgresql"].versions, ["15+248+deb12u1"]);
        assert_eq!(all["virtual"], Available::default());
    }

    #[test]
    fn wishes() {
        assert!(satisfies("15.3-1", "15.*") && satisfies("15.3-1", "15.3-1"));
        assert!(!satisfies("15.3-1", "15.3") && !satisfies("5.1", "15*"));
    }
}
