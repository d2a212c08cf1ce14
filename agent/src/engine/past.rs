//! What the host knows of steps that are not as desired: for `drift`, which asks who moved.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::session::Session;
use crate::ledger::Ledger;
use crate::protocol::{Observed, Past, Trace};
use crate::resource::Resource;

/// Where apt writes down what it did.
const APT_HISTORY: &str = "/var/log/apt/history.log";

impl Session<'_> {
    /// One for each step that would change something.
    pub(super) fn pasts(&self, ledger: &Ledger, changes: &[Observed]) -> Vec<Past> {
        let mut history = None;
        let mut pasts = Vec::new();
        for (step, seen) in self.steps.iter().zip(changes) {
            if step.unknown.is_none() && !seen.change.is_none() {
                let applied = ledger.applied_last(step, &self.host);
                pasts.push(Past { id: step.id.clone(), applied, trace: self.trace(&step.resource, &mut history) });
            }
        }
        pasts
    }

    /// Who was the last to touch a resource. `history` is read when the first package asks for it.
    fn trace(&self, resource: &Resource, history: &mut Option<String>) -> Option<Trace> {
        let path: PathBuf = match resource {
            Resource::Package(package) => {
                let text = history.get_or_insert_with(|| fs::read_to_string(APT_HISTORY).unwrap_or_default());
                return apt_trace(text, &package.name);
            }
            Resource::Unit(unit) => unit.path(),
            other => other.identity().into(),
        };
        // What is called by a name instead of a path has no file to look at.
        let meta = path.is_absolute().then(|| fs::symlink_metadata(&path).ok())??;
        let owner = self.host.accounts().ok()?.user_name(meta.uid());
        Some(Trace::File { modified: meta.mtime(), owner })
    }
}

/// The last entry of apt's history that did something with a package.
fn apt_trace(history: &str, package: &str) -> Option<Trace> {
    let mention = format!(" {package}:");
    let field = |entry: &str, name: &str| entry.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let about = |entry: &&str| {
        let actions = ["Install:", "Upgrade:", "Downgrade:", "Reinstall:", "Remove:", "Purge:"];
        entry.lines().any(|line| line.contains(&mention) && actions.iter().any(|action| line.starts_with(action)))
    };
    let entry = history.rsplit("\n\n").find(about)?;
    Some(Trace::Package {
        date: field(entry, "Start-Date: ")?,
        command: field(entry, "Commandline: "),
        by: field(entry, "Requested-By: "),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_about_a_package_tells_who_touched_it() {
        let history = "\nStart-Date: 2026-11-20  10:00:00\nCommandline: apt-get -y install redis-server\n\
             Install: redis-server:amd64 (5:7.0.15), liblzf1:amd64 (3.6, automatic)\nEnd-Date: 2026-11-20  10:00:09\n\n\
             Start-Date: 2026-11-21  11:00:00\nCommandline: apt remove redis-server:amd64\nRequested-By: ana (1000)\n\
             Remove: redis-server:amd64 (5:7.0.15)\nEnd-Date: 2026-11-21  11:00:01\n\n\
             Start-Date: 2026-11-22  12:00:00\nCommandline: apt-get install redis-server:amd64 redis\n\
             Install: redis:amd64 (5:7.0.15)\n";
        let trace = |date: &str, command: &str, by: Option<&str>| {
            Some(Trace::Package { date: date.into(), command: Some(command.into()), by: by.map(str::to_owned) })
        };
        let removed = trace("2026-11-21  11:00:00", "apt remove redis-server:amd64", Some("ana (1000)"));
        assert_eq!(apt_trace(history, "redis-server"), removed);
        let installed = trace("2026-11-20  10:00:00", "apt-get -y install redis-server", None);
        assert_eq!(apt_trace(history, "liblzf1"), installed);
        assert_eq!(apt_trace(history, "server"), None);
        assert_eq!(apt_trace("", "redis"), None);
    }
}
