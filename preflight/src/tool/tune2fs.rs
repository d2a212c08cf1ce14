//! `tune2fs -l` of several devices, each after a line `# DEVICE`.

/// How to ask for every ext file system that is mounted. findmnt exits with 1 where there is none.
pub const TUNE2FS: [&str; 4] = [
    "sh",
    "-c",
    "devices=$(findmnt -vnlo SOURCE -t ext2,ext3,ext4); [ $? -le 1 ] || exit 127; \
     for device in $(echo \"$devices\" | sort -u); do echo \"# $device\"; tune2fs -l \"$device\" || exit; done",
    "tune2fs",
];

/// What an ext file system says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ext {
    /// `/dev/sda1`.
    pub device: String,
    /// `clean`, `not clean`, `clean with errors`.
    pub state: String,
    /// Errors that the kernel has met since the last check.
    pub errors: u64,
    /// Whether it has a journal; without one, it is never clean while it is mounted.
    pub journal: bool,
}

/// All of them; none where the text is something else, or cut off.
pub fn file_systems(text: &str) -> Option<Vec<Ext>> {
    let text = text.trim_start();
    if text.is_empty() {
        return Some(Vec::new());
    }
    let parts = text.strip_prefix("# ")?.split("\n# ");
    parts.map(one).collect()
}

fn one(text: &str) -> Option<Ext> {
    let (device, rest) = text.split_once('\n')?;
    let field = |name: &str| rest.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let errors = match field("FS Error count") {
        Some(count) => count.parse().ok()?,
        None => 0,
    };
    // This comes last of what every version prints: a text that has it is whole.
    field("Inode size")?;
    Some(Ext {
        device: device.starts_with("/dev/").then(|| device.to_owned())?,
        state: field("Filesystem state")?.to_owned(),
        errors,
        journal: field("Filesystem features")?.split_whitespace().any(|feature| feature == "has_journal"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLEAN: &str = include_str!("../../tests/fixtures/tune2fs/clean.txt");
    const FAULTY: &str = include_str!("../../tests/fixtures/tune2fs/faulty.txt");

    #[test]
    fn reads_each_file_system() {
        let clean = file_systems(CLEAN).unwrap();
        assert_eq!((clean[0].device.as_str(), clean[0].state.as_str(), clean[0].errors), ("/dev/sda2", "clean", 0));
        let faulty = file_systems(FAULTY).unwrap();
        assert_eq!((faulty[0].state.as_str(), faulty[0].errors, faulty[0].journal), ("clean with errors", 3, true));
        assert_eq!((faulty[1].device.as_str(), faulty[1].state.as_str()), ("/dev/sdc1", "not clean"));
        for text in ["# /dev/sda1\n", "tune2fs 1.47.0\n", &CLEAN[..400], &CLEAN.replace("/dev/sda2", "")] {
            assert_eq!(file_systems(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[CLEAN, FAULTY])) {
            if let Some(all) = file_systems(&text) {
                prop_assert!(all.is_empty() == text.trim().is_empty());
            }
        }
    }
}
