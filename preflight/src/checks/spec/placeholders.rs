//! `spec.placeholders`: nothing of the sample is left.

use cc_plan::spec::environment::Size;

use super::written::{Written, texts};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Nothing of the sample is left.
pub struct Placeholders;

static ABOUT: About = About {
    id: "spec.placeholders",
    title: "No name or address of a sample is left",
    measures: "Texts of services, `external`, hosts and the policy: names under .test, .example, .invalid, example.com, example.org and \
               example.net (RFC 2606), addresses reserved for documentation (RFC 5737, RFC 3849), /dev/null, and words such as CHANGEME.",
    why: "Certificates are not issued for sample names, and mail to them goes nowhere, without an error anywhere.",
    thresholds: &[],
    fix: "write the real name or address there",
    source: "installation guide, step 2, 8 and 9: the sample has monolith.commcarehq.test, mail at example.com, root's mail to /dev/null",
    vantage: Vantage::Spec,
    applies: "every size but demo, which may have made-up names",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

const NAMES: [&str; 6] = ["test", "example", "invalid", "example.com", "example.org", "example.net"];
const NETWORKS: [&str; 4] = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
const WORDS: [&str; 6] = ["changeme", "change_me", "change-me", "fixme", "todo", "xxx"];

impl Check for Placeholders {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        match scene.size() {
            Size::Demo => Ask::skip("size demo: a rehearsal may have made-up names"),
            _ => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let found: Vec<(Written<'_>, String)> = texts(scene.spec)
            .into_iter()
            .filter(|written| !written.secret)
            .filter_map(|written| {
                Some((placeholder(written.text)?.to_owned(), written)).map(|(word, written)| (written, word))
            })
            .collect();
        let expected = "real names and addresses";
        let Some((first, _)) = found.first() else { return Ok(Judgement::pass("no placeholder", expected)) };
        // Only the word: the text around it may hold a password.
        let all: Vec<String> = found.iter().map(|(written, word)| format!("{} has {word}", written.path)).collect();
        Ok(Judgement::fail(all.join("; "), expected).at(scene, first.span))
    }
}

/// The word of a text that is a placeholder.
fn placeholder(text: &str) -> Option<&str> {
    if text.trim() == "/dev/null" {
        return Some(text.trim());
    }
    let parts = |c: char| !(c.is_ascii_alphanumeric() || ".-_:".contains(c));
    text.split(parts).map(|word| word.trim_matches(['.', ':'])).find(|word| {
        let lower = word.to_lowercase();
        // A name may have its port after it.
        let name = lower.split(':').next().unwrap_or_default();
        let under = |domain: &&str| name.strip_suffix(*domain).is_some_and(|rest| rest.ends_with('.'));
        NAMES.iter().any(under)
            || NAMES[3..].contains(&name)
            || NETWORKS.iter().any(|network| lower.starts_with(network))
            || WORDS.contains(&lower.as_str())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::placeholder;
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn samples_are_told_from_names() {
        for text in [
            "monolith.commcarehq.test",
            "admin@example.com",
            "https://hq.example.org:8000/x",
            "/dev/null",
            "192.0.2.1",
            "2001:db8::5",
            "CHANGEME",
            "Ops <ops@mail.example.com>",
        ] {
            assert!(placeholder(text).is_some(), "{text}");
        }
        for text in [
            "hq.ministry.gov",
            "test.ministry.gov",
            "example",
            "myexample.com",
            "10.0.0.1",
            "192.0.20.1",
            "latest",
            "/var/lib/test",
            "contest",
            "",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_has_its_place_and_all_are_named() {
        let environment = |size: &str| {
            format!(
                "environment: trial\nsize: {size}\nservices:\n  web: {{on: web1}}\n  database: {{on: web1}}\nexternal:\n  smtp: {{address: smtp.example.com, from: root@hq.test}}\n"
            )
        };
        let hosts = "hosts:\n  web1: {address: 192.0.2.7}\n";
        let finding = Trial::of(&environment("single"), hosts).finding("spec.placeholders", "");
        assert!(finding.stops(), "{finding:?}");
        let observed = "external.smtp.address has smtp.example.com; external.smtp.from has hq.test; hosts.web1.address has 192.0.2.7";
        assert_eq!(finding.observed, observed);
        assert_eq!(finding.place.map(|place| (place.line, place.column)), Some((7, 19)));
        assert_eq!(Trial::of(&environment("demo"), hosts).verdict("spec.placeholders", ""), Verdict::Skip);
        assert_eq!(Trial::new().verdict("spec.placeholders", ""), Verdict::Pass);
    }

    proptest! {
        #[test]
        fn any_text_will_do(text in "\\PC{0,60}") {
            let _ = placeholder(&text);
        }
    }
}
