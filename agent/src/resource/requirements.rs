//! What a pip requirements file pins.

use std::collections::BTreeMap;

/// A requirements file, as far as a virtual environment can be compared with it without running pip.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirements {
    /// Version by normalised name, for lines of the form `name==version`.
    pub(super) pinned: BTreeMap<String, String>,
    /// Whether any line has a `--hash`: pip then demands one for each.
    pub(super) hashed: bool,
}

impl Requirements {
    /// Reads the lines that pin a version without a condition; pip judges all others.
    pub(super) fn parse(text: &str) -> Self {
        let mut pinned = BTreeMap::new();
        let mut hashed = false;
        for line in text.replace("\\\n", " ").lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            hashed |= line.contains("--hash");
            let requirement = line.split(" --").next().unwrap_or_default();
            if line.starts_with(['#', '-']) || requirement.contains([';', '@', '*', ',']) {
                continue;
            }
            if let Some((name, version)) = requirement.split_once("==") {
                let name = name.split('[').next().unwrap_or_default();
                pinned.insert(normalise(name.trim()), version.trim().trim_start_matches('=').to_owned());
            }
        }
        Self { pinned, hashed }
    }
}

/// A project's name as PEP 503 compares it: lower case, runs of `-`, `_` and `.` as one `-`.
pub(super) fn normalise(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if result.ends_with('-') => {}
            '-' | '_' | '.' => result.push('-'),
            other => result.extend(other.to_lowercase()),
        }
    }
    result
}

/// Name and version of an installed project from the name of its `.dist-info` folder.
pub(super) fn dist_info(folder: &str) -> Option<(String, String)> {
    let (name, version) = folder.strip_suffix(".dist-info")?.rsplit_once('-')?;
    Some((normalise(name), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_pins_are_compared() {
        let text = "# lock\n--index-url https://mirror.example.org\nDjango==4.2.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
            zope.interface==6.0  # via twisted\ncelery[redis]==5.3.0\nsix>=1\nfoo @ file:///x\nwin==1; sys_platform=='win32'\nany==1.*\n";
        let requirements = Requirements::parse(text);
        let pinned: Vec<_> = requirements.pinned.iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(pinned, ["celery 5.3.0", "django 4.2.1", "zope-interface 6.0"]);
        assert!(requirements.hashed);
        assert!(!Requirements::parse("six==1").hashed);
    }

    #[test]
    fn dist_info_folders_name_project_and_version() {
        assert_eq!(dist_info("zope.interface-6.0.dist-info"), Some(("zope-interface".into(), "6.0".into())));
        assert_eq!(dist_info("typing_extensions-4.1.dist-info"), Some(("typing-extensions".into(), "4.1".into())));
        assert_eq!(dist_info("six.py"), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(name in "[A-Za-z0-9._-]{0,20}") {
            prop_assert_eq!(normalise(&normalise(&name)), normalise(&name));
        }
    }
}
