//! Findings by host.

use super::Report;
use super::mark::Mark;
use crate::finding::Finding;

/// The findings of a host, or of the environment, the worst first.
pub(super) struct Group<'r> {
    /// The host; none for the environment.
    pub host: Option<&'r str>,
    /// Its findings.
    pub findings: Vec<&'r Finding>,
}

impl Group<'_> {
    /// For a person.
    pub(super) fn name(&self) -> &str {
        self.host.unwrap_or("the environment")
    }

    /// How many are marked so.
    pub(super) fn count(&self, mark: Mark) -> usize {
        self.findings.iter().filter(|finding| Mark::of(finding) == mark).count()
    }
}

impl Report {
    /// All findings by host: groups with worse findings first, among equals the environment, then hosts in their order.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = std::iter::once(None)
            .chain(self.hosts.iter().map(|host| Some(host.as_str())))
            .map(|host| Group { host, findings: Vec::new() })
            .collect();
        for finding in &self.findings {
            let host = finding.host.as_deref();
            match groups.iter_mut().find(|group| group.host == host) {
                Some(group) => group.findings.push(finding),
                None => groups.push(Group { host, findings: vec![finding] }),
            }
        }
        groups.retain(|group| !group.findings.is_empty());
        for group in &mut groups {
            // What was found comes before what could not be measured.
            group.findings.sort_by_key(|finding| (Mark::of(finding), finding.unmeasured));
        }
        groups.sort_by_key(|group| Mark::ALL.map(|mark| std::cmp::Reverse(group.count(mark))));
        groups
    }

    /// The findings that stop the phase, those first that were measured: the others may only follow from them.
    pub(super) fn stopping(&self) -> Vec<&Finding> {
        let mut stopping: Vec<&Finding> = self.findings.iter().filter(|finding| finding.stops()).collect();
        stopping.sort_by_key(|finding| finding.unmeasured);
        stopping
    }
}
