//! `spec.secrets`: no secret is written in the open.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cc_plan::diagnostic::Diagnostics;
use cc_plan::source::Span;
use cc_plan::spec::Spec;
use cc_plan::yaml;

use super::written::{Written, texts};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// No secret is written in the open.
pub struct Secrets;

// The predecessor encrypts the file as a whole and keeps a git hook against committing it open. Here each value is sealed on its
// own by the command that writes it, so that there is no open file to commit: a value that somebody typed in shows.
static ABOUT: About = About {
    id: "spec.secrets",
    title: "No secret is written in the open, and none is missing",
    measures: "Values of secrets/<env>.yml, which must be sealed; texts of services, `external` and hosts under keys that end in password, \
               secret, token, api_key, access_key or private_key, and private keys anywhere; names of secrets that have no value.",
    why: "What is in the repository is on every laptop that has cloned it, for ever: a password that was committed must be changed.",
    thresholds: &[],
    fix: "set it with `cc-cloud <env> secrets set NAME`, write `{secret: NAME}` in its place, and change it wherever it is used",
    source: "installation guide, step 1; security guide",
    vantage: Vantage::Spec,
    applies: "every environment of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

const KEYS: [&str; 7] = ["password", "passwd", "secret", "token", "api_key", "access_key", "private_key"];
/// Nonce and tag of a sealed value: it is longer (docs/decisions/0004-secrets-format.md).
const SEAL: usize = 24 + 16;

impl Check for Secrets {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, _scene: &Scene<'_>, _subject: Subject) -> Ask {
        Ask::nothing()
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let expected = "sealed values, each name with one";
        let written = texts(scene.spec);
        let mut found: Vec<(String, Span)> = written
            .iter()
            .filter(|written| is_open(written))
            .map(|open| (format!("{} is written in the open", open.path), open.span))
            .collect();
        for (name, span) in unsealed(scene.spec)? {
            found.push((format!("the value of {name} is not sealed"), span));
        }
        let has = |name: &str| scene.spec.secrets.as_ref().is_some_and(|names| names.contains(name));
        for missing in written.iter().filter(|written| written.secret && !has(written.text)) {
            let what = format!("the secret {} has no value", missing.text);
            // Several places may use one secret; the first is shown.
            if !found.iter().any(|(said, _)| *said == what) {
                found.push((what, missing.span));
            }
        }
        let Some((_, span)) = found.first() else {
            let count = scene.spec.secrets.as_ref().map_or(0, std::collections::BTreeSet::len);
            return Ok(Judgement::pass(format!("{count} secrets, all sealed"), expected));
        };
        let all: Vec<&str> = found.iter().map(|(what, _)| what.as_str()).collect();
        Ok(Judgement::fail(all.join("; "), expected).at(scene, *span))
    }
}

/// Whether a text is a secret that anybody can read.
fn is_open(written: &Written<'_>) -> bool {
    let key = written.key.to_lowercase();
    let is_template = written.text.contains("{{");
    let named =
        KEYS.iter().any(|name| key == *name || key.strip_suffix(name).is_some_and(|rest| rest.ends_with(['_', '-'])));
    let private = written.text.contains("-----BEGIN") && written.text.contains("PRIVATE KEY-----");
    !written.secret && !is_template && (private || named && !written.text.is_empty())
}

/// Values of the secrets file that are not in the form of sealed ones.
fn unsealed(spec: &Spec) -> Result<Vec<(String, Span)>, Unmeasured> {
    let path = format!("secrets/{}.yml", spec.environment.name.value);
    let Some((id, _)) = spec.sources.files().find(|(_, file)| file.path == Path::new(&path)) else {
        return Ok(Vec::new());
    };
    let mut diagnostics = Diagnostics::default();
    let document = yaml::parse(&spec.sources, id, &mut diagnostics).filter(|document| document.complete);
    let document = document.ok_or_else(|| Unmeasured::new(format!("{path} cannot be read as YAML")))?;
    let values = document.root.get("values").and_then(|values| values.as_map()).unwrap_or_default();
    let sealed = |text: &str| STANDARD.decode(text).is_ok_and(|bytes| bytes.len() > SEAL);
    let open = values.iter().filter(|(_, value)| !value.as_str().is_some_and(sealed));
    Ok(open.map(|(name, _)| (name.value.clone(), name.span)).collect())
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const HOSTS: &str = "hosts:\n  web1: {address: 10.0.0.1}\n";
    const SEALED: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

    fn found(external: &str, values: Option<&str>) -> Finding {
        let environment = format!(
            "environment: trial\nservices:\n  web: {{on: web1}}\n  database: {{on: web1}}\nexternal:\n  smtp: {{address: 10.9.9.9{external}}}\n"
        );
        let secrets = values.map(|values| format!("version: 1\nvalues:\n{values}"));
        Trial::with_secrets(&environment, HOSTS, &[], secrets.as_deref()).finding("spec.secrets", "")
    }

    #[test]
    fn a_secret_in_the_open_is_found_and_never_shown() {
        for open in [
            ", password: hunter2",
            ", smtp_password: hunter2",
            ", nested: {api_key: hunter2}",
            ", x: \"-----BEGIN RSA PRIVATE KEY-----hunter2\"",
        ] {
            let finding = found(open, None);
            assert!(finding.stops() && finding.place.as_ref().is_some_and(|place| place.line == 6), "{finding:?}");
            assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
        }
        for fine in ["", ", password_file: /x", ", passwordless: 'yes'", ", password: ''"] {
            assert_eq!(found(fine, None).verdict, Verdict::Pass, "{fine}");
        }
    }

    #[test]
    fn values_are_sealed_and_there() {
        let used = ", password: {secret: smtp}";
        assert_eq!(found(used, Some(&format!("  smtp: {SEALED}\n"))).verdict, Verdict::Pass);
        let open = found(used, Some("  smtp: hunter2\n"));
        assert!(open.stops() && !format!("{open:?}").contains("hunter2"), "{open:?}");
        assert_eq!(open.place.map(|place| (place.file, place.line)), Some(("secrets/trial.yml".to_owned(), 3)));
        let missing = found(used, Some(&format!("  other: {SEALED}\n")));
        assert!(missing.stops() && missing.observed.contains("smtp has no value"), "{missing:?}");
        assert_eq!(found(used, None).verdict, Verdict::Fail);
    }
}
