//! What an environment's policy changes.

use std::collections::BTreeMap;

use cc_plan::diagnostic::{Diagnostic, Diagnostics};
use cc_plan::source::Spanned;
use cc_plan::spec::environment::{Environment, PreflightPolicy, Size};
use cc_plan::suggest::closest;

use crate::about::About;
use crate::catalogue::{CATALOGUE, find};
use crate::threshold::Threshold;

/// What an environment's policy changes, checked against the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Figures by the id of their threshold, in its unit's base.
    pub figures: BTreeMap<&'static str, f64>,
    /// Checks that are switched off, with the reason.
    pub off: BTreeMap<&'static str, String>,
    /// Accepted systems; every supported one when empty.
    pub os: Vec<String>,
    /// The rest as it was written.
    pub written: PreflightPolicy,
}

impl Policy {
    /// Reads an environment's policy.
    ///
    /// # Errors
    /// Unknown checks and thresholds, figures of the wrong unit, a check switched off without a reason: each with its place.
    pub fn new(environment: &Environment) -> Result<Self, Diagnostics> {
        let written = &environment.policy.preflight;
        let (mut policy, mut found) = (Self { written: written.clone(), ..Self::default() }, Diagnostics::default());
        policy.os = environment.policy.os.iter().map(|os| os.value.clone()).collect();
        for (id, value) in &written.thresholds {
            match threshold(&id.value) {
                Some(threshold) => match threshold.unit.parse(value) {
                    Ok(figure) => drop(policy.figures.insert(threshold.id, figure)),
                    Err(why) => found.push(Diagnostic::error(value.span, why).hint(threshold.doc)),
                },
                None => found.push(unknown(id, "threshold", thresholds().map(|threshold| threshold.id))),
            }
        }
        for (id, reason) in &written.off {
            match find(&id.value) {
                Some(_) if reason.trim().is_empty() => {
                    let message = format!("`{}` is switched off without a reason", id.value);
                    found
                        .push(Diagnostic::error(id.span, message).hint("write why: whoever reads the report will ask"));
                }
                Some(check) => drop(policy.off.insert(check.about().id, reason.clone())),
                None => found.push(unknown(id, "check", CATALOGUE.iter().map(|check| check.about().id))),
            }
        }
        if found.has_errors() { Err(found) } else { Ok(policy) }
    }

    /// Everything that it changes, a line each.
    pub fn changes(&self, checks: &[&'static About], size: Size) -> Vec<String> {
        let thresholds: Vec<&'static Threshold> = checks.iter().flat_map(|about| about.thresholds).copied().collect();
        let mut changes = self.deviations(&thresholds, size);
        changes.extend(self.off.iter().map(|(id, reason)| format!("{id} is switched off: {reason}")));
        if !self.os.is_empty() {
            changes.push(format!("accepted systems: {}", self.os.join(", ")));
        }
        if let Some(proxy) = &self.written.proxy {
            changes.push(format!("hosts reach the internet through {}", without_password(&proxy.value)));
        }
        changes.extend(
            self.written.egress.iter().map(|url| format!("hosts must reach {} too", without_password(&url.value))),
        );
        changes
    }

    /// What it changes of some thresholds, a line each.
    pub fn deviations(&self, thresholds: &[&'static Threshold], size: Size) -> Vec<String> {
        let changed = thresholds.iter().filter_map(|threshold| {
            let figure = *self.figures.get(threshold.id)?;
            let (now, before) = (threshold.unit.show(figure), threshold.unit.show(threshold.value(size)));
            (now != before).then(|| format!("{}: {now} instead of {before}", threshold.id))
        });
        changed.collect()
    }
}

/// An address without the name and password that it may carry.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(_, rest)| (&url[..url.len() - rest.len()], rest));
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[host..])
}

fn thresholds() -> impl Iterator<Item = &'static Threshold> {
    CATALOGUE.iter().flat_map(|check| check.about().thresholds.iter().copied())
}

fn threshold(id: &str) -> Option<&'static Threshold> {
    thresholds().find(|threshold| threshold.id == id)
}

fn unknown<'k>(id: &Spanned<String>, what: &str, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let error = Diagnostic::error(id.span, format!("there is no {what} `{}`", id.value));
    match closest(&id.value, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`cc-cloud explain` lists all checks with their thresholds"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn the_password_of_a_proxy_stays_out_of_reports() {
        assert_eq!(without_password("http://user:p@ss@proxy.example:3128/a@b"), "http://proxy.example:3128/a@b");
        assert_eq!(without_password("user:pass@proxy:3128"), "proxy:3128");
        assert_eq!(without_password("packages.example:443"), "packages.example:443");
    }
}
