//! What there is to say of a finding beside its title, for reports that have no columns.

use crate::finding::Finding;

/// What was observed and expected, who has accepted it, what to do: a sentence each, on one line.
pub(super) fn sentences(finding: &Finding) -> Vec<String> {
    let mut sentences = vec![format!("observed: {}", finding.observed)];
    if !finding.expected.is_empty() {
        sentences.push(format!("expected: {}", finding.expected));
    }
    sentences.extend(remarks(finding));
    sentences.iter().map(|sentence| super::plain::one_line(sentence)).collect()
}

/// Where it is written, who has accepted or answered it, what the policy changes, what to do.
pub(super) fn remarks(finding: &Finding) -> Vec<String> {
    let mut remarks: Vec<String> = finding.place.iter().map(|place| format!("at {place}")).collect();
    if let Some(waiver) = &finding.waiver {
        remarks.push(format!("waived by {} until {}: {}", waiver.owner, waiver.until, waiver.reason));
    }
    if let Some(lapsed) = &finding.lapsed {
        remarks.push(format!("the waiver of {} ended on {}: {}", lapsed.owner, lapsed.until, lapsed.reason));
    }
    if let Some(attestation) = &finding.attestation {
        remarks.push(format!("attested by {} on {}: {}", attestation.owner, attestation.date, attestation.document()));
    }
    remarks.extend(finding.deviations.iter().map(|deviation| format!("policy: {deviation}")));
    remarks.extend((!finding.fix.is_empty()).then(|| format!("fix: {}", finding.fix)));
    remarks.iter().map(|remark| super::plain::one_line(remark)).collect()
}
