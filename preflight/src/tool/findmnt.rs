//! `findmnt -J -l -o TARGET,SOURCE,FSTYPE,OPTIONS`.

use serde::Deserialize;

/// How to ask.
pub const FINDMNT: [&str; 5] = ["findmnt", "-J", "-l", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS"];

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mount {
    /// Where.
    pub target: String,
    /// What: `/dev/sdb1`, `tmpfs`; with the folder in brackets where only that is mounted.
    #[serde(default)]
    pub source: Option<String>,
    /// `ext4`.
    pub fstype: String,
    options: String,
}

/// All mounts, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mounts {
    filesystems: Vec<Mount>,
}

impl Mount {
    /// Whether it has an option: `ro`, `noexec`.
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|word| word == option)
    }

    /// Whether it is the whole of what is mounted, and no folder of it.
    pub fn is_volume(&self) -> bool {
        self.source.as_deref().is_some_and(|source| !source.contains('['))
    }
}

impl Mounts {
    /// Reads all mounts; none where that is something else, or where `/` is not mounted.
    pub fn parse(text: &str) -> Option<Self> {
        let all: Self = serde_json::from_str(text).ok()?;
        // Every mount is for reading only, or for writing too: options without either are none.
        let sound = |mount: &Mount| mount.target.starts_with('/') && (mount.has("rw") || mount.has("ro"));
        (all.filesystems.iter().all(sound) && all.filesystems.iter().any(|mount| mount.target == "/")).then_some(all)
    }

    /// The mount that a path is on, or would be; of those on top of each other the last.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        self.filesystems.iter().filter(|mount| holds(&mount.target, path)).max_by_key(|mount| mount.target.len())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.filesystems.iter()
    }
}

/// Whether a path is a folder, or lies below it.
pub(super) fn holds(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTAINER: &str = include_str!("../../tests/fixtures/findmnt/debian-12-container.txt");
    const SERVER: &str = include_str!("../../tests/fixtures/findmnt/data-volume.txt");

    #[test]
    fn the_mount_of_a_path_is_the_closest_and_the_last() {
        let server = Mounts::parse(SERVER).unwrap();
        let data = server.of("/opt/data/redis").unwrap();
        assert_eq!((data.target.as_str(), data.source.as_deref()), ("/opt/data", Some("/dev/mapper/vg_data-data")));
        assert!(data.has("noatime") && !data.has("ro") && data.is_volume());
        assert!(server.of("/tmp").unwrap().has("noexec"), "two are mounted there: the last is seen");
        let container = Mounts::parse(CONTAINER).unwrap();
        assert_eq!(container.of("/tmp").unwrap().target, "/");
        assert!(!container.of("/etc/hosts").unwrap().is_volume());
    }

    #[test]
    fn what_is_no_table_of_mounts_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"filesystems": []}"#,
            r#"{"filesystems": [{"target": "/", "fstype": "ext4", "options": ""}]}"#,
        ] {
            assert_eq!(Mounts::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[CONTAINER, SERVER])) {
            if let Some(all) = Mounts::parse(&text) {
                prop_assert!(all.of("/").is_some());
            }
        }
    }
}
