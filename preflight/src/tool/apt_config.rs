//! `apt-config dump`: `Name::Of::Option "value";` lines.

/// Options in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AptConfig(Vec<(String, String)>);

impl AptConfig {
    /// Reads all lines; none where one of them is no option. No line at all is a host where nothing is set.
    pub fn parse(text: &str) -> Option<Self> {
        let option = |line: &str| {
            let (name, value) = line.strip_suffix("\";")?.split_once(" \"")?;
            let known = |c: char| c.is_ascii_alphanumeric() || ":-_./".contains(c);
            (!name.is_empty() && name.chars().all(known)).then(|| (name.to_owned(), value.to_owned()))
        };
        text.lines().map(option).collect::<Option<_>>().map(Self)
    }

    /// The value of an option, the last where it is set more than once.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(option, _)| option.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether an interval is set: any but 0.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| !value.is_empty() && value != "0")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const ON: &str = include_str!("../../tests/fixtures/apt_config/on.txt");

    #[test]
    fn an_interval_of_zero_is_off() {
        let config = AptConfig::parse(ON).unwrap();
        assert!(config.is_on("APT::Periodic::Unattended-Upgrade") && !config.is_on("APT::Periodic::AutocleanInterval"));
        assert!(!config.is_on("APT::Periodic::Download-Upgradeable-Packages"));
        assert_eq!(AptConfig::parse("E: Unable to read"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[ON])) {
            AptConfig::parse(&text);
        }
    }
}
