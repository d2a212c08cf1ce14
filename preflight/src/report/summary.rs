//! The last line: how many of what, and what it means for the phase.

use super::Report;
use super::mark::Mark;

/// Checks that are named in the summary; the rest is counted.
const NAMED: usize = 3;

impl Report {
    /// How many findings there are of each kind, and what stops the phase: `2 fail, 55 pass; install is blocked by acc.sudo on web1`.
    pub fn summary(&self) -> String {
        format!("{}; {}", self.counts(), self.outcome())
    }

    /// `2 fail, 55 pass`.
    pub(super) fn counts(&self) -> String {
        let counts = counts(|mark| self.findings.iter().filter(|finding| Mark::of(finding) == mark).count());
        if counts.is_empty() { "nothing was checked".to_owned() } else { counts }
    }

    /// `install is blocked by acc.sudo on web1`.
    pub(super) fn outcome(&self) -> String {
        let mut blocking: Vec<(&str, Vec<String>)> = Vec::new();
        for finding in self.stopping() {
            let subject = finding.subject();
            match blocking.iter_mut().find(|(id, _)| *id == finding.id) {
                Some((_, subjects)) => subjects.push(subject),
                None => blocking.push((&finding.id, vec![subject])),
            }
        }
        if blocking.is_empty() {
            return format!("nothing blocks {}", self.phase.name());
        }
        let mut named: Vec<String> = blocking.iter().take(NAMED).map(|(id, subjects)| on(id, subjects)).collect();
        match blocking.len().saturating_sub(NAMED) {
            0 => {}
            1 => named.push("1 more check".to_owned()),
            more => named.push(format!("{more} more checks")),
        }
        format!("{} is blocked by {}", self.phase.name(), list(&named))
    }
}

/// `2 fail, 55 pass`: what there is none of is left out.
pub(super) fn counts(count: impl Fn(Mark) -> usize) -> String {
    let counts = Mark::ALL.into_iter().map(|mark| (count(mark), mark)).filter(|(count, _)| *count > 0);
    counts.map(|(count, mark)| format!("{count} {}", mark.name())).collect::<Vec<_>>().join(", ")
}

fn on(id: &str, subjects: &[String]) -> String {
    let pairs = subjects.iter().any(|subject| subject.contains('→'));
    match subjects {
        [subject] if subject.is_empty() => id.to_owned(),
        subjects if subjects.len() > NAMED => {
            format!("{id} on {} {}", subjects.len(), if pairs { "pairs of hosts" } else { "hosts" })
        }
        subjects => format!("{id} on {}", list(subjects)),
    }
}

fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}
