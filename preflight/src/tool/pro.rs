//! `pro status`, as JSON (schema 0.1) and as the table that people see.

use cc_agent::probe::Probe;
use serde_json::Value;

use crate::mask::{MASKED, mask_values};
use crate::question::command;

/// A subscription to Ubuntu Pro. Account and contract are not read, so that nothing can keep them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pro {
    /// Whether the host has one.
    pub attached: bool,
    /// When it ends, as it is written: RFC 3339, or a date.
    pub expires: Option<String>,
    /// `inactive`, `active`, `reboot-required`.
    pub execution: Option<String>,
    /// Services with their status; for a host without subscription whether they are available.
    pub services: Vec<(String, String)>,
}

/// What a host is asked.
pub fn status() -> Probe {
    command(&["pro", "status", "--format", "json"])
}

impl Pro {
    /// Reads either form; none where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        match serde_json::from_str::<Value>(text) {
            Ok(json) => Self::json(&json),
            Err(_) => Self::table(text),
        }
    }

    /// Whether a service is enabled; one that is enabled with a warning is not.
    pub fn enabled(&self, service: &str) -> bool {
        self.attached && self.services.iter().any(|(name, status)| name == service && status == "enabled")
    }

    fn json(json: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let services = json.get("services").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let service = |service: &Value| {
            let status = text(service, "status").or_else(|| text(service, "available"));
            Some((text(service, "name")?, status.unwrap_or_default()))
        };
        Some(Self {
            attached: json.get("attached")?.as_bool()?,
            expires: text(json, "expires").filter(|expires| !expires.is_empty() && expires != "n/a"),
            execution: text(json, "execution_status"),
            services: services.iter().filter_map(service).collect(),
        })
    }

    fn table(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let attached = lines.find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["SERVICE", "ENTITLED", "STATUS", ..] => Some(true),
                ["SERVICE", "AVAILABLE", ..] => Some(false),
                _ => None,
            }
        })?;
        let rows = lines.by_ref().take_while(|line| !line.trim().is_empty());
        let service = |line: &str| {
            let mut words = line.split_whitespace();
            let (name, status) = (words.next()?.to_owned(), words.nth(usize::from(attached))?.to_owned());
            Some((name, status))
        };
        let services = rows.filter_map(service).collect();
        let expires = text.lines().find_map(|line| line.trim().strip_prefix("Valid until:"));
        let expires = expires.map(|expires| expires.trim().to_owned()).filter(|expires| expires != "n/a");
        Some(Self { attached, expires, execution: None, services })
    }
}

/// What the client says without whose subscription it is. JSON is kept without the account, the contract and the machine; of
/// anything else the lines that name them are masked.
pub(crate) fn mask(text: &str) -> String {
    let masked = text.split_inclusive('\n').map(|line| {
        let json = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        match json {
            Some(mut json) => {
                strip(&mut json);
                format!("{json}\n")
            }
            None if names_owner(line) => format!("{MASKED}\n"),
            None => line.to_owned(),
        }
    });
    mask_values(&masked.collect::<String>(), &["machine-id", "machine-token"])
}

fn strip(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match name.to_ascii_lowercase().as_str() {
                    "account" | "contract" | "machine_id" | "machine-id" | "machineid" | "user" | "token" => {
                        *value = Value::String(MASKED.to_owned());
                    }
                    _ => strip(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Whether a line that is no JSON object may tell whose subscription it is: `Account: …`, `"contract": {"id": …`.
fn names_owner(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["account", "contract", "subscription:", "\"id\"", "\"name\"", "token"].iter().any(|word| line.contains(word))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const ATTACHED: &str = include_str!("../../tests/fixtures/pro/attached.json");
    const UNATTACHED: &str = include_str!("../../tests/fixtures/pro/unattached.json");
    const EXPIRED: &str = include_str!("../../tests/fixtures/pro/expired.json");
    const ATTACHED_TABLE: &str = include_str!("../../tests/fixtures/pro/attached.txt");
    const UNATTACHED_TABLE: &str = include_str!("../../tests/fixtures/pro/unattached.txt");

    #[test]
    fn both_forms_say_the_same() {
        for text in [ATTACHED, ATTACHED_TABLE] {
            let pro = Pro::parse(text).unwrap();
            assert!(
                pro.attached && pro.enabled("esm-infra") && pro.enabled("livepatch") && !pro.enabled("fips"),
                "{pro:?}"
            );
        }
        for text in [UNATTACHED, UNATTACHED_TABLE] {
            let pro = Pro::parse(text).unwrap();
            assert!(!pro.attached && !pro.enabled("esm-infra") && pro.services.len() > 2, "{pro:?}");
        }
        assert_eq!(Pro::parse(EXPIRED).unwrap().expires.as_deref(), Some("2026-01-31T00:00:00+00:00"));
        for text in ["{}", "[]", "", "This machine is not attached", "{\"attached\": \"yes\"}"] {
            assert_eq!(Pro::parse(text), None, "{text}");
        }
    }

    #[test]
    fn whose_subscription_it_is_is_not_kept() {
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(ATTACHED).unwrap()).unwrap();
        for text in
            [ATTACHED, &pretty, &ATTACHED[..ATTACHED.len() / 2], &ATTACHED[..ATTACHED.len() - 9], ATTACHED_TABLE]
        {
            let masked = mask(&format!("$ pro status [web1]\n{text}"));
            for id in ["cAccount", "cContract", "Ministry of Health", "ops@example.org"] {
                assert!(!masked.contains(id), "{id} in {masked}");
            }
        }
        assert!(mask(ATTACHED).contains("esm-infra"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[ATTACHED, UNATTACHED, EXPIRED, ATTACHED_TABLE, UNATTACHED_TABLE])) {
            Pro::parse(&text);
            mask(&text);
        }
    }
}
