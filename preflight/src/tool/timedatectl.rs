//! `timedatectl show`: `key=value` lines, the same in every language.

/// What systemd says of a host's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timedatectl {
    /// Time zone: `Etc/UTC`.
    pub timezone: Option<String>,
    /// Whether the kernel's clock is being kept right, by whatever service.
    pub synchronized: Option<bool>,
}

impl Timedatectl {
    /// Reads the lines; none where they tell neither.
    pub fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let line = |line: &str| line.trim().strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
            text.lines().find_map(line).filter(|value| !value.is_empty())
        };
        let synchronized = match value("NTPSynchronized").as_deref() {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        };
        let told = Self { timezone: value("Timezone"), synchronized };
        (told.timezone.is_some() || told.synchronized.is_some()).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const SYNCHRONIZED: &str = include_str!("../../tests/fixtures/timedatectl/synchronized.txt");
    const UNSYNCHRONIZED: &str = include_str!("../../tests/fixtures/timedatectl/unsynchronized.txt");

    #[test]
    fn the_zone_and_whether_the_clock_is_kept_right() {
        let told = |zone: &str, synchronized| {
            Some(Timedatectl { timezone: Some(zone.to_owned()), synchronized: Some(synchronized) })
        };
        assert_eq!(Timedatectl::parse(SYNCHRONIZED), told("Africa/Maseru", true));
        assert_eq!(Timedatectl::parse(UNSYNCHRONIZED), told("Etc/UTC", false));
        assert_eq!(Timedatectl::parse("NTPSynchronized=oui\n"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[SYNCHRONIZED, UNSYNCHRONIZED])) {
            Timedatectl::parse(&text);
        }
    }
}
