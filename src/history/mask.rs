//! Hides secrets in what a record says.

use cc_agent::check::Finding;
use cc_agent::protocol::StepError;
use cc_agent::secret::Vault;

use super::began::Began;
use super::ended::Ended;

/// Longest text of a record, in characters.
const LONGEST: usize = 4000;

/// Hides the secrets of a run in what a record says. Agents mask what they send; this is the net for the rest, such as a message
/// in which somebody has typed a password. It also bounds each text.
pub struct Mask(Vec<Vault>);

impl Mask {
    /// Of these secrets.
    pub fn new(vaults: Vec<Vault>) -> Self {
        Self(vaults)
    }

    /// Hides secrets in a text.
    pub fn hide(&self, text: &mut String) {
        for vault in &self.0 {
            if vault.leaks(text) {
                *text = vault.scrub(text);
            }
        }
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
            text.push('…');
        }
    }

    fn error(&self, error: &mut StepError) {
        self.hide(&mut error.message);
        error.command.iter_mut().chain(&mut error.output).chain(&mut error.hint).for_each(|text| self.hide(text));
    }

    fn finding(&self, finding: &mut Finding) {
        self.hide(&mut finding.observed);
        finding.log.iter_mut().for_each(|line| self.hide(line));
    }
}

impl Began {
    /// Hides secrets in everything that a person, a host or a program has worded.
    pub(super) fn mask(&mut self, mask: &Mask) {
        self.command_line.iter_mut().chain(&mut self.message).for_each(|text| mask.hide(text));
        self.preflight.skipped.iter_mut().for_each(|text| mask.hide(text));
        for finding in &mut self.preflight.findings {
            mask.hide(&mut finding.observed);
            finding.waiver.iter_mut().for_each(|waiver| mask.hide(&mut waiver.reason));
        }
        self.plan.hosts.iter_mut().flat_map(|host| &mut host.unreachable).for_each(|text| mask.hide(text));
    }
}

impl Ended {
    /// The same.
    pub(super) fn mask(&mut self, mask: &Mask) {
        self.errors.iter_mut().for_each(|text| mask.hide(text));
        self.blocked.iter_mut().for_each(|blocked| mask.hide(&mut blocked.reason));
        for host in &mut self.hosts {
            host.unreachable.iter_mut().for_each(|text| mask.hide(text));
            host.steps.iter_mut().flat_map(|step| &mut step.error).for_each(|error| mask.error(error));
            host.checks.iter_mut().for_each(|finding| mask.finding(finding));
        }
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::protocol::StepError;
    use cc_agent::secret::Secret;

    use super::super::{GateFinding, sample};
    use super::*;

    const PASSWORD: &str = "hunter22-and-more";

    fn mask() -> Mask {
        let mut vault = Vault::default();
        vault.insert("password".to_owned(), Secret::new(PASSWORD.to_owned()), "hmac:1".to_owned());
        Mask::new(vec![Vault::default(), vault])
    }

    #[test]
    fn what_people_and_hosts_have_worded_is_without_secrets() {
        let told = format!("it is {PASSWORD}!");
        let mut began = sample::began();
        began.command_line.push(format!("--message={told}"));
        began.message = Some(told.clone());
        began.preflight.skipped = Some(told.clone());
        let finding = GateFinding {
            id: "os.time".to_owned(),
            subject: "db1".to_owned(),
            verdict: cc_preflight::Verdict::Warn,
            observed: told.clone(),
            waiver: None,
        };
        began.preflight.findings.push(finding);
        began.mask(&mask());
        let mut ended = sample::ended();
        ended.errors.push(told.clone());
        let error = StepError { command: Some(told.clone()), output: vec![told.clone()], ..StepError::new(&told) };
        ended.hosts.push(sample::failed(error.hint(&told)));
        ended.mask(&mask());
        let text = format!("{began:?}{ended:?}");
        assert!(!text.contains(PASSWORD), "{text}");
        assert_eq!(text.matches("it is (secret)!").count(), 9, "{text}");
    }

    #[test]
    fn no_text_is_without_end() {
        let mut text = "é".repeat(5000);
        mask().hide(&mut text);
        assert_eq!(text.chars().count(), LONGEST + 1);
    }
}
