//! `apt-get --simulate dist-upgrade`.

/// What an upgrade would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrades {
    /// Packages that would be installed or upgraded, for security or not.
    pub all: Vec<String>,
    /// Those of them that come from a security archive.
    pub security: Vec<String>,
}

impl Upgrades {
    /// Reads the simulation; none where it has no summary, so that it was cut off, or has another number of packages than it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut upgrades = Self::default();
        for line in text.lines() {
            let Some((package, rest)) = line.strip_prefix("Inst ").and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            upgrades.all.push(package.to_owned());
            // Debian-Security:12/stable-security, Ubuntu:22.04/jammy-security, UbuntuESM:22.04/jammy-infra-security
            if rest
                .split_once('(')
                .is_some_and(|(_, origins)| origins.contains("-security") || origins.contains("Debian-Security"))
            {
                upgrades.security.push(package.to_owned());
            }
        }
        (text.lines().find_map(summary)? == upgrades.all.len()).then_some(upgrades)
    }
}

/// Packages that are upgraded or new: `3 upgraded, 1 newly installed, 0 to remove and 2 not upgraded.`
fn summary(line: &str) -> Option<usize> {
    let (upgraded, rest) = line.split_once(" upgraded, ")?;
    let (new, rest) = rest.split_once(" newly installed, ")?;
    // Downgrades stand between where there are any; a simulation of an upgrade has none.
    rest.split_once(" to remove and ")?.1.strip_suffix(" not upgraded.")?;
    upgraded.parse::<usize>().ok()?.checked_add(new.parse().ok()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const NONE: &str = include_str!("../../tests/fixtures/apt/none.txt");
    const BOOKWORM: &str = include_str!("../../tests/fixtures/apt/bookworm.txt");
    const JAMMY: &str = include_str!("../../tests/fixtures/apt/jammy.txt");

    #[test]
    fn security_updates_are_told_from_others() {
        assert_eq!(Upgrades::parse(NONE), Some(Upgrades::default()));
        let upgrades = Upgrades::parse(JAMMY).unwrap();
        assert_eq!(upgrades.all, ["base-files", "libssl3", "linux-image-5.15.0-161-generic"]);
        assert_eq!(upgrades.security, ["libssl3", "linux-image-5.15.0-161-generic"]);
        let upgrades = Upgrades::parse(BOOKWORM).unwrap();
        assert_eq!((upgrades.all.len(), upgrades.security.len()), (10, 10));
        assert_eq!(Upgrades::parse(""), None);
        assert_eq!(Upgrades::parse("Reading package lists...\n"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[NONE, BOOKWORM, JAMMY])) {
            Upgrades::parse(&text);
        }
    }
}
