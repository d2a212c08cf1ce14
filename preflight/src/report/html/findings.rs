//! The findings of a host.

use std::fmt::Write as _;

use super::super::group::Group;
use super::super::mark::Mark;
use super::super::page::{Page, block, line};
use super::super::summary::counts;
use crate::finding::Finding;

/// What needs a look, then the rest folded.
pub(super) fn write_group(page: &mut Page, group: &Group<'_>, index: usize) {
    let (good, bad): (Vec<&Finding>, Vec<&Finding>) =
        group.findings.iter().copied().partition(|finding| Mark::of(finding).is_good());
    let all = counts(|mark| group.count(mark));
    let _ = writeln!(
        page,
        "<section class=\"group\" id=\"group{index}\"><h3>{} <small>{all}</small></h3>",
        line(group.name())
    );
    for finding in bad {
        write_finding(page, finding);
    }
    if !good.is_empty() {
        let counted = counts(|mark| if mark.is_good() { group.count(mark) } else { 0 });
        let _ = writeln!(page, "<details class=\"rest\"><summary>{counted}</summary>");
        for finding in good {
            write_finding(page, finding);
        }
        page.add("</details>\n");
    }
    page.add("</section>\n");
}

fn write_finding(page: &mut Page, finding: &Finding) {
    let mark = Mark::of(finding);
    let (name, glyph) = (mark.name(), mark.glyph());
    let to = finding.to.as_ref().map(|to| format!(" <b>→ {}</b>", line(to))).unwrap_or_default();
    let _ = writeln!(
        page,
        "<article class=\"{name}\"><p class=\"mark\"><span aria-hidden=\"true\">{glyph}</span> {name}</p>\n\
         <div><h4><code>{}</code>{to} {}</h4>\n<dl>",
        line(&finding.id),
        line(&finding.title)
    );
    for (term, value) in rows(finding, mark) {
        let _ = writeln!(page, "<dt>{term}</dt><dd>{}</dd>", line(&value));
    }
    page.add("</dl>\n");
    let evidence = &finding.evidence;
    if !evidence.text.is_empty() {
        let _ = writeln!(
            page,
            "<details class=\"evidence\"><summary>Evidence <code>SHA-256 {}</code></summary><pre>{}</pre></details>",
            line(&evidence.sha256),
            block(&evidence.text)
        );
    }
    page.add("</div></article>\n");
}

/// Term and value of everything that there is to say.
fn rows(finding: &Finding, mark: Mark) -> Vec<(&'static str, String)> {
    let blocks: Vec<&str> = finding.blocks.iter().map(|phase| phase.name()).collect();
    let waiver = finding.waiver.as_ref();
    let lapsed = finding.lapsed.as_ref();
    let attestation = finding.attestation.as_ref();
    let until =
        if finding.expires == finding.at { "for this run".to_owned() } else { format!("until {}", finding.expires) };
    let all = [
        (if mark == Mark::Skip { "Reason" } else { "Observed" }, finding.observed.clone()),
        ("Expected", finding.expected.clone()),
        ("Place", finding.place.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Fix", finding.fix.clone()),
        ("Waived", waiver.map(|w| format!("by {} until {}: {}", w.owner, w.until, w.reason)).unwrap_or_default()),
        (
            "Lapsed",
            lapsed.map(|w| format!("the waiver of {} ended on {}: {}", w.owner, w.until, w.reason)).unwrap_or_default(),
        ),
        (
            "Attested",
            attestation.map(|a| format!("by {} on {}: {}", a.owner, a.date, a.document())).unwrap_or_default(),
        ),
        ("Policy", finding.deviations.join("; ")),
        ("Blocks", blocks.join(", ")),
        ("Asked for by", if mark.is_good() { String::new() } else { finding.source.clone() }),
        ("Measured", if mark == Mark::Skip { String::new() } else { format!("{}, holds {until}", finding.at) }),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}
