//! What was found earlier and still holds, kept on the operator's machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use cc_preflight::{Finding, HostScene, Scene, Verdict};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::state_folder::state_folder;

/// What was found earlier about an environment's hosts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// What each host was like when it was measured.
    identities: BTreeMap<String, String>,
    findings: Vec<Finding>,
}

impl Record {
    /// The file of an environment on this machine; none where there is no place for it.
    pub fn path(repository: &Path, environment: &str) -> Option<PathBuf> {
        Some(state_folder("preflight", repository)?.join(format!("{environment}.json")))
    }

    /// Reads the file. One that cannot be read, or is of another version, counts as none: then everything is measured again.
    pub fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the file as a whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Good findings about a scene's hosts that still hold: measured on hosts that are as they were, and not over.
    pub fn holding(&self, scene: &Scene<'_>) -> Vec<Finding> {
        let now = scene.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let present = identities(scene);
        let same = |host: &Option<String>| {
            host.as_ref().is_none_or(|name| present.get(name).is_some_and(|now| self.identities.get(name) == Some(now)))
        };
        // Equal lengths and UTC: text compares like time.
        let holds = |finding: &&Finding| {
            // What a person has answered for is in a file, which may have changed.
            let good = matches!(finding.verdict, Verdict::Pass | Verdict::Warn)
                && finding.blocks.is_empty()
                && finding.attestation.is_none();
            good && finding.at <= now && finding.expires > now
        };
        let about_a_host = self.findings.iter().filter(|finding| finding.host.is_some());
        about_a_host.filter(holds).filter(|finding| same(&finding.host) && same(&finding.to)).cloned().collect()
    }

    /// Takes new findings in the place of what was known of the same.
    pub fn learn(&mut self, scene: &Scene<'_>, findings: &[Finding]) {
        let key = |finding: &Finding| (finding.id.clone(), finding.host.clone(), finding.to.clone());
        let new: BTreeSet<_> = findings.iter().map(key).collect();
        self.findings.retain(|finding| !new.contains(&key(finding)));
        self.findings.extend(findings.iter().cloned());
        for (host, identity) in identities(scene) {
            if self.identities.get(&host).is_some_and(|known| *known != identity) {
                let old = |finding: &Finding| {
                    [&finding.host, &finding.to].contains(&&Some(host.clone())) && !new.contains(&key(finding))
                };
                self.findings.retain(|finding| !old(finding));
            }
            self.identities.insert(host, identity);
        }
    }
}

/// By host: what it is, and everything that is written about its environment. When this changes, nothing that was measured holds.
fn identities(scene: &Scene<'_>) -> BTreeMap<String, String> {
    let files = scene.spec.sources.files().map(|(_, file)| file.text.as_str());
    let written = hex(&files.collect::<Vec<_>>().join("\0"));
    let of = |host: &HostScene<'_>| {
        let identity = format!("{} {written} {:?} {:?}", env!("CARGO_PKG_VERSION"), host.address, host.facts);
        (host.name.clone(), hex(&identity))
    };
    scene.hosts.iter().map(of).collect()
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
