//! What the report has in rows: hosts, what the policy changes, waivers, attestations, thresholds.

use std::fmt::Write as _;

use super::super::Report;
use super::super::entry::basis;
use super::super::mark::Mark;
use super::super::page::{Page, line};
use super::super::size_name;
use crate::finding::{Finding, Verdict};

/// How many of what on which host.
pub(super) fn write_overview(page: &mut Page, report: &Report) {
    page.add("<section id=\"hosts\"><h2>Hosts</h2>\n<table class=\"overview\"><thead><tr><th scope=\"col\">Host</th>");
    for mark in Mark::ALL {
        let (name, glyph) = (mark.name(), mark.glyph());
        let _ = write!(page, "<th scope=\"col\" class=\"{name}\">{glyph} <span>{name}</span></th>");
    }
    page.add("</tr></thead>\n<tbody>\n");
    for (index, group) in report.groups().iter().enumerate() {
        let _ = write!(page, "<tr><th scope=\"row\"><a href=\"#group{index}\">{}</a></th>", line(group.name()));
        for mark in Mark::ALL {
            let count = group.count(mark);
            let class = if count == 0 { "none" } else { mark.name() };
            let _ = write!(page, "<td class=\"{class}\">{count}</td>");
        }
        page.add("</tr>\n");
    }
    page.add("</tbody></table></section>\n");
}

/// What the environment changes of what checks come with.
pub(super) fn write_policy(page: &mut Page, report: &Report) {
    let deviations = report.deviations();
    page.add("<section id=\"policy\"><h2>What the environment's policy changes</h2>\n");
    if deviations.is_empty() {
        page.add("<p>Nothing: every check ran with the figures that it comes with.</p></section>\n");
        return;
    }
    page.add("<ul>\n");
    for deviation in deviations {
        let _ = writeln!(page, "<li>{}</li>", line(&deviation));
    }
    page.add("</ul></section>\n");
}

/// What somebody has accepted, also where that is over.
pub(super) fn write_waivers(page: &mut Page, report: &Report) {
    let waived = report.findings.iter().flat_map(|finding| {
        let over = finding.lapsed.iter().map(|waiver| (waiver, format!("{}: over", waiver.until)));
        let holds = finding.waiver.iter().map(|waiver| (waiver, waiver.until.to_string()));
        holds.chain(over).map(move |(waiver, until)| {
            vec![finding.id.clone(), subject(finding), waiver.owner.clone(), until, waiver.reason.clone()]
        })
    });
    let rows: Vec<Vec<String>> = waived.collect();
    page.add("<section id=\"waivers\"><h2>Waivers</h2>\n");
    if rows.is_empty() {
        page.add("<p>None: nobody has accepted a failure.</p>\n");
    } else {
        page.table(&["Check", "Host", "Owner", "Until", "Reason"], &rows);
    }
    page.add("</section>\n");
}

/// What only a person can answer: who has, and what is open.
pub(super) fn write_attestations(page: &mut Page, report: &Report) {
    let asked = report.findings.iter().filter(|f| f.attestation.is_some() || f.verdict == Verdict::Attest);
    let rows: Vec<Vec<String>> = asked
        .map(|finding| {
            let (owner, date, link) = match &finding.attestation {
                Some(attestation) => {
                    (attestation.owner.clone(), attestation.date.to_string(), attestation.document().to_owned())
                }
                None => ("open".to_owned(), String::new(), finding.fix.clone()),
            };
            vec![finding.id.clone(), subject(finding), owner, date, link]
        })
        .collect();
    page.add("<section id=\"attestations\"><h2>Attestations</h2>\n");
    if rows.is_empty() {
        page.add("<p>None was asked for.</p>\n");
    } else {
        page.table(&["Check", "Host", "Owner", "Date", "Where it is written down, or what to do"], &rows);
    }
    page.add("</section>\n");
}

/// Every figure that was measured against, with where it comes from.
pub(super) fn write_thresholds(page: &mut Page, report: &Report) {
    let used = report.checks.iter().filter(|about| report.findings.iter().any(|finding| finding.id == about.id));
    let thresholds = used.flat_map(|about| about.thresholds);
    let rows: Vec<Vec<String>> = thresholds
        .map(|threshold| {
            let own = threshold.unit.show(threshold.value(report.size));
            let figure = match report.policy.figures.get(threshold.id) {
                Some(figure) => format!("{} by policy, instead of {own}", threshold.unit.show(*figure)),
                None => own,
            };
            vec![threshold.id.to_owned(), figure, threshold.doc.to_owned(), basis(threshold)]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "<section id=\"thresholds\"><h2>Thresholds for size {}</h2>", size_name(report.size));
    page.table(&["Threshold", "Figure", "What it bounds", "From"], &rows);
    page.add("</section>\n");
}

fn subject(finding: &Finding) -> String {
    let subject = finding.subject();
    if subject.is_empty() { "the environment".to_owned() } else { subject }
}
