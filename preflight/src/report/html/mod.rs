//! For an archive: the findings as a [`Page`].

mod findings;
mod tables;

use std::fmt::Write as _;

use super::Report;
use super::mark::Mark;
use super::page::{Page, line};
use super::size_name;
use crate::finding::Finding;

const HOW_TO_READ: &str = "\
<section id=\"how\"><h2>How to read this report</h2>
<dl class=\"legend\">
<dt class=\"fail\">✗ fail</dt><dd>Not to go on with. It blocks the phases that it names until it is mended or somebody accepts it for a time.</dd>
<dt class=\"waived\">~ waived</dt><dd>It fails, and somebody who is named has accepted that until a day that is named. After that day it fails again.</dd>
<dt class=\"warn\">! warn</dt><dd>Good enough to go on, not good; or a failure that does not block this phase.</dd>
<dt class=\"attest\">? attest</dt><dd>Only a person can answer it, and none has yet.</dd>
<dt class=\"pass\">✓ pass</dt><dd>As expected, by measurement or by an attestation that is named.</dd>
<dt class=\"skip\">- skip</dt><dd>It does not apply, for the reason that is given.</dd>
</dl>
<p>What could not be measured is never a pass: it fails where the check blocks a phase, and warns elsewhere.</p>
<p>The evidence below a finding is what the host answered, with identifiers masked. Its SHA-256 is that of the text in UTF-8, so that a copy can be
compared. A threshold is <em>documented</em> where a document names the figure, and <em>proposed</em> where none does. Times are UTC.</p>
<p>On paper, evidence that is folded on the screen is left out; its SHA-256 is printed. Unfold what is to be printed.</p>
</section>
";

/// The file.
pub fn render(report: &Report) -> String {
    let mut page = Page::new(&format!("Preflight of {}, {}", report.name(), report.started.strftime("%Y-%m-%d")));
    write_banner(&mut page, report);
    write_due(&mut page, report);
    tables::write_overview(&mut page, report);
    tables::write_policy(&mut page, report);
    tables::write_waivers(&mut page, report);
    tables::write_attestations(&mut page, report);
    page.add("<section id=\"findings\"><h2>Findings by host</h2>\n");
    for (index, group) in report.groups().iter().enumerate() {
        findings::write_group(&mut page, group, index);
    }
    page.add("</section>\n");
    tables::write_thresholds(&mut page, report);
    page.add(HOW_TO_READ);
    page.finish(&report.version)
}

/// What it is about, whether the phase may begin, and how many there are of what.
fn write_banner(page: &mut Page, report: &Report) {
    let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let hosts = match report.hosts.len() {
        0 => "none was asked".to_owned(),
        count => format!("{count}: {}", report.hosts.join(", ")),
    };
    let _ = writeln!(page, "<header>\n<p class=\"kind\">Preflight report</p>\n<h1>{}</h1>", line(report.name()));
    let verdict = if report.stopping().is_empty() { "open" } else { "blocked" };
    let mut outcome = line(&report.outcome());
    if let Some(first) = outcome.get(..1).map(str::to_uppercase) {
        outcome.replace_range(..1, &first);
    }
    let _ = writeln!(page, "<p class=\"outcome {verdict}\">{outcome}.</p>");
    page.facts(&[
        ("Phase", report.phase.name()),
        ("Size", size_name(report.size)),
        ("Begun", &time(report.started)),
        ("Ended", &time(report.finished)),
        ("Hosts", &hosts),
        ("Version", &format!("cc-cloud {}", report.version)),
    ]);
    page.add("<ul class=\"counts\">\n");
    for mark in Mark::ALL {
        let count = report.findings.iter().filter(|finding| Mark::of(finding) == mark).count();
        let none = if count == 0 { " none" } else { "" };
        let (name, glyph) = (mark.name(), mark.glyph());
        let _ = writeln!(
            page,
            "<li class=\"{name}{none}\"><strong>{count}</strong> <span aria-hidden=\"true\">{glyph}</span> {name}</li>"
        );
    }
    page.add("</ul>\n</header>\n<main>\n");
}

/// What blocks the phase: equal work on several hosts once.
fn write_due(page: &mut Page, report: &Report) {
    let mut due: Vec<(&Finding, Vec<String>)> = Vec::new();
    for finding in report.stopping() {
        let subject = finding.subject();
        match due.iter_mut().find(|(other, _)| other.id == finding.id && other.fix == finding.fix) {
            Some((_, subjects)) => subjects.push(subject),
            None => due.push((finding, vec![subject])),
        }
    }
    if due.is_empty() {
        return;
    }
    let _ = writeln!(page, "<section id=\"due\"><h2>What must be done before {}</h2>\n<ol>", report.phase.name());
    for (finding, subjects) in due {
        let on = subjects.iter().filter(|subject| !subject.is_empty()).map(String::as_str).collect::<Vec<_>>();
        let on = if on.is_empty() { String::new() } else { format!(" on {}", line(&on.join(", "))) };
        let _ = writeln!(
            page,
            "<li><p><code>{}</code>{on}: {}</p><p class=\"fix\">{}</p></li>",
            line(&finding.id),
            line(&finding.title),
            line(&finding.fix)
        );
    }
    page.add("</ol></section>\n");
}
