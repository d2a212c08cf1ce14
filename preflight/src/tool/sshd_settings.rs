//! `sshd -T`: the settings that hold, a line each, names in lower case.

use std::collections::BTreeMap;

/// The settings of an SSH server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshdSettings(BTreeMap<String, String>);

impl SshdSettings {
    /// Reads them; none where a line is no setting, or where the port is missing, without which sshd prints nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut settings = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
                return None;
            }
            // Settings that are lists come line by line; none of those is asked for.
            settings.entry(name.to_owned()).or_insert_with(|| value.trim().to_owned());
        }
        settings.contains_key("port").then_some(Self(settings))
    }

    /// The value of a setting; the first where there are several.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: &str = include_str!("../../tests/fixtures/sshd_settings/debian-12.txt");

    #[test]
    fn settings_are_found_by_name() {
        let settings = SshdSettings::parse(SETTINGS).unwrap();
        assert_eq!(settings.get("port"), Some("22"));
        assert_eq!(settings.get("permitrootlogin"), Some("without-password"));
        assert_eq!(settings.get("nothing"), None);
    }

    proptest! {
        #[test]
        fn garbage_is_none(text in "\\PC{0,80}") {
            prop_assert!(SshdSettings::parse(&text).is_none() || text.contains("port"));
        }

        #[test]
        fn a_cut_text_never_panics(at in 0..SETTINGS.len()) {
            let _ = SshdSettings::parse(SETTINGS.get(..at).unwrap_or_default());
        }
    }
}
