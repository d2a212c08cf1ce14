//! `canonical-livepatch status`: JSON of old and new clients, and the text that people see.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How livepatch stands with the running kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Livepatch {
    /// The kernel that the patches are for: `5.15.0-100.110-generic`.
    pub kernel: Option<String>,
    /// Whether the last check with the server went well.
    pub checked: State,
    /// Whether patches are applied.
    pub patches: State,
    /// Whether the kernel gets patches.
    pub kernel_support: State,
    /// When the client last asked the server.
    pub last_check: Option<Timestamp>,
    /// Day from which a new kernel is needed, as it is written.
    pub upgrade_required: Option<String>,
}

/// A state in the client's words and in ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The client does not say.
    #[default]
    Untold,
    /// As it should be.
    Good(String),
    /// On its way, or the client does not know itself.
    Unsure(String),
    /// Not as it should be.
    Bad(String),
    /// A word that is not known here.
    Unknown(String),
}

impl Livepatch {
    /// Reads either form; none where it is neither. `now` is the time of the text, which tells ages.
    pub fn parse(text: &str, now: Timestamp) -> Option<Self> {
        match serde_json::from_str::<Value>(text) {
            Ok(json) => Self::json(&json),
            Err(_) => Self::text(text, now),
        }
    }

    /// `{"Status": [{"Kernel", "Running", "Livepatch": {"CheckState", "State"}, "Supported"}]}`; old clients write names in lower
    /// case and `patchState`. The kernel that runs counts, else the first.
    fn json(json: &Value) -> Option<Self> {
        let kernels = field(json, "status")?.as_array()?;
        let running = |kernel: &&Value| field(kernel, "running").and_then(Value::as_bool) == Some(true);
        let kernel = kernels.iter().find(running).or_else(|| kernels.first())?;
        let livepatch = field(kernel, "livepatch");
        let state = |value: Option<&Value>, known: fn(&str) -> fn(String) -> State| match value.and_then(Value::as_str)
        {
            Some(word) if !word.is_empty() => known(word)(word.to_owned()),
            _ => State::Untold,
        };
        let of = |name: &str| livepatch.and_then(|livepatch| field(livepatch, name));
        Some(Self {
            kernel: field(kernel, "kernel").and_then(Value::as_str).map(str::to_owned),
            checked: state(of("checkstate"), check_state),
            patches: state(of("state").or_else(|| of("patchstate")), patch_state),
            kernel_support: state(field(kernel, "supported"), support),
            last_check: field(json, "lastcheck").and_then(Value::as_str).and_then(|time| time.parse().ok()),
            upgrade_required: field(kernel, "upgraderequireddate").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// `key: value` lines of current clients. A mark says how it stands, the rest of the line says why. What older clients print with
    /// `--verbose` has no marks and is not understood.
    fn text(text: &str, now: Timestamp) -> Option<Self> {
        let value = |key: &str| {
            let line = |line: &str| {
                line.trim().strip_prefix(key)?.trim_start().strip_prefix(':').map(str::trim).map(str::to_owned)
            };
            text.lines().find_map(line)
        };
        let (kernel_support, patches) = (mark(&value("kernel state")?), mark(&value("patch state")?));
        let checked = match value("server check-in").as_deref() {
            Some("succeeded") => State::Good("succeeded".to_owned()),
            Some(word) if word.contains("fail") => State::Bad(word.to_owned()),
            Some(word) => State::Unknown(word.to_owned()),
            None => State::Untold,
        };
        let last_check = value("last check").and_then(|ago| now.checked_sub(age(&ago)?).ok());
        Some(Self { kernel: value("kernel"), checked, patches, kernel_support, last_check, upgrade_required: None })
    }
}

/// A field whatever its notation: `Last-Check`, `last_check`, `lastCheck`.
fn field<'j>(json: &'j Value, name: &str) -> Option<&'j Value> {
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    json.as_object()?.iter().find(|(key, _)| plain(key) == name).map(|(_, value)| value)
}

fn check_state(word: &str) -> fn(String) -> State {
    match word {
        "checked" => State::Good,
        "needs-check" => State::Unsure,
        "check-failed" => State::Bad,
        _ => State::Unknown,
    }
}

fn patch_state(word: &str) -> fn(String) -> State {
    match word {
        "applied" | "nothing-to-apply" => State::Good,
        "unapplied" | "needs-check" | "unknown" => State::Unsure,
        "applied-with-bug" | "apply-failed" | "check-failed" | "kernel-upgrade-required" => State::Bad,
        _ => State::Unknown,
    }
}

fn support(word: &str) -> fn(String) -> State {
    match word {
        "supported" => State::Good,
        "unknown" => State::Unsure,
        "kernel-upgrade-required" | "kernel-end-of-life" | "unsupported" => State::Bad,
        _ => State::Unknown,
    }
}

fn mark(text: &str) -> State {
    let words = text.trim_start_matches(['✓', '✗', '⧗']).trim().to_owned();
    match text.chars().next() {
        Some('✓') => State::Good(words),
        Some('⧗') => State::Unsure(words),
        // The client does not know itself: no word on the kernel.
        Some('✗') if words.starts_with("unable to determine") => State::Unsure(words),
        Some('✗') => State::Bad(words),
        _ => State::Unknown(text.to_owned()),
    }
}

/// `52 seconds ago`, `1 hour ago`, `3 days ago`.
fn age(text: &str) -> Option<SignedDuration> {
    let mut words = text.split_whitespace();
    let (number, unit) = (words.next()?.parse::<i64>().ok()?, words.next()?);
    let seconds = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86400,
        "week" => 7 * 86400,
        _ => return None,
    };
    (words.next() == Some("ago") && number >= 0).then(|| number.checked_mul(seconds).map(SignedDuration::from_secs))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const APPLIED: &str = include_str!("../../tests/fixtures/livepatch/applied.json");
    const OLD: &str = include_str!("../../tests/fixtures/livepatch/old_client.json");
    const TEXT: &str = include_str!("../../tests/fixtures/livepatch/applied.txt");
    const OLD_VERBOSE: &str = include_str!("../../tests/fixtures/livepatch/old_verbose.txt");

    #[test]
    fn old_and_new_clients_in_json_and_text() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let json = Livepatch::parse(APPLIED, now).unwrap();
        assert_eq!(json.kernel.as_deref(), Some("5.15.0-100.110-generic"));
        assert_eq!(json.patches, State::Good("applied".to_owned()));
        assert_eq!(json.kernel_support, State::Good("supported".to_owned()));
        let old = Livepatch::parse(OLD, now).unwrap();
        assert_eq!((old.patches, old.kernel_support), (State::Good("nothing-to-apply".to_owned()), State::Untold));
        let text = Livepatch::parse(TEXT, now).unwrap();
        assert_eq!(text.last_check.unwrap(), now - SignedDuration::from_secs(52));
        assert!(matches!((text.patches, text.kernel_support), (State::Good(_), State::Good(_))));
        for none in [OLD_VERBOSE, "", "{}", "[]", r#"{"Status": []}"#, r#"{"Status": false}"#] {
            assert_eq!(Livepatch::parse(none, now), None, "{none}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(age("1 hour ago"), Some(SignedDuration::from_hours(1)));
        assert_eq!(age("never"), None);
        assert_eq!(age("9223372036854775807 weeks ago"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[APPLIED, OLD, TEXT, OLD_VERBOSE])) {
            Livepatch::parse(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
