//! What a pip requirements file asks for.

use std::collections::BTreeMap;

use crate::ordered::ordered;

/// Options that may stand on a line of their own. Others name further files, which do not exist on the host, or projects
/// without their name.
const OPTIONS: [&str; 12] = [
    "--index-url",
    "-i",
    "--extra-index-url",
    "--no-index",
    "--find-links",
    "-f",
    "--no-binary",
    "--only-binary",
    "--prefer-binary",
    "--pre",
    "--trusted-host",
    "--require-hashes",
];

/// A requirements file, line by line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Requirements {
    /// What is required by normalised name: extras, version, condition as written, without hashes.
    pub(super) projects: BTreeMap<String, String>,
    /// Whether any line has a `--hash`: pip then demands one for each, and a pinned version.
    pub(super) hashed: bool,
}

impl Requirements {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence for a person that names the line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Self::default();
        for line in joined(text) {
            if let Some(option) = line.starts_with('-').then(|| line.split(['=', ' ']).next()).flatten() {
                if !OPTIONS.contains(&option) {
                    return Err(format!(
                        "`{line}`: the option {option} is not possible here; put every project into this one file"
                    ));
                }
                continue;
            }
            requirements.hashed |= line.contains("--hash");
            let project = line.split(" --").next().unwrap_or_default().trim().to_owned();
            let name = name(&project)
                .ok_or_else(|| format!("`{project}` names no project; write `name @ {project}` or `name==version`"))?;
            requirements.projects.insert(normalise(name), project);
        }
        Ok(requirements)
    }

    /// The version by name of each project that is pinned without a condition.
    pub(super) fn pinned(&self) -> BTreeMap<&str, &str> {
        let plain = self.projects.iter().filter(|(_, project)| !project.contains([';', '@', '*', ',']));
        ordered(plain.filter_map(|(name, project)| {
            let (_, version) = project.split_once("==")?;
            Some((name.as_str(), version.trim_start_matches('=').trim()))
        }))
    }
}

/// Lines with their continuations, without comments and empty ones.
fn joined(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for line in text.lines() {
        let (line, goes_on) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        let line = if line.trim_start().starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default() };
        if let Some(last) = lines.last_mut() {
            last.push_str(line);
        }
        if !goes_on {
            lines.push(String::new());
        }
    }
    lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The name at the start of a requirement; `None` for a path or URL.
fn name(project: &str) -> Option<&str> {
    let end = project.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(project.len());
    let (name, rest) = project.split_at(end);
    let named =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let rest = rest.trim_start();
    (named && (rest.is_empty() || rest.starts_with(['[', '<', '>', '=', '!', '~', ';', '@', '(']))).then_some(name)
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# lock\n--index-url https://mirror.example.org\nDjango==4.2.1 \\\n    --hash=sha256:aa \\\n\
            \x20   --hash=sha256:bb\nzope.interface == 6.0  # via twisted\ncelery[redis]==5.3.0\nsix>=1\nfoo @ file:///x\n\
            win==1; sys_platform=='win32'\nany==1.*\n\n";

    #[test]
    fn projects_are_read_with_extras_and_conditions_and_without_hashes() {
        let requirements = Requirements::parse(TEXT).unwrap();
        let projects: Vec<_> = requirements.projects.values().map(String::as_str).collect();
        assert_eq!(
            projects,
            [
                "any==1.*",
                "celery[redis]==5.3.0",
                "Django==4.2.1",
                "foo @ file:///x",
                "six>=1",
                "win==1; sys_platform=='win32'",
                "zope.interface == 6.0"
            ]
        );
        assert!(requirements.hashed);
        assert!(!Requirements::parse("six==1").unwrap().hashed);
    }

    #[test]
    fn only_plain_pins_have_a_known_version() {
        let requirements = Requirements::parse(TEXT).unwrap();
        let pinned: Vec<_> = requirements.pinned().into_iter().collect();
        assert_eq!(pinned, [("celery", "5.3.0"), ("django", "4.2.1"), ("zope-interface", "6.0")]);
    }

    #[test]
    fn what_cannot_be_compared_later_is_refused() {
        for bad in ["-r other.txt", "-e .", "--constraint=c.txt", "./foo.whl", "https://example.org/x.whl", "-x", "==1"]
        {
            assert!(Requirements::parse(bad).is_err(), "{bad}");
        }
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

        #[test]
        fn parsing_never_panics(text in "[a-z=#@; \\\\\n-]{0,40}") {
            let _ = Requirements::parse(&text).map(|requirements| requirements.pinned().len());
        }
    }
}
