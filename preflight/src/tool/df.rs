//! `df -B1 --output=size,used,avail,ipcent,fstype,target`.

/// How to ask.
pub const DF: [&str; 3] = ["df", "-B1", "--output=size,used,avail,ipcent,fstype,target"];

/// A mounted file system and its room, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// What it can hold.
    pub size: u64,
    /// What it holds.
    pub used: u64,
    /// What it can take from programs other than root's.
    pub available: u64,
    /// Inodes in use, in percent; none where the file system has no such limit.
    pub inodes: Option<u8>,
    /// `ext4`.
    pub kind: String,
    /// Where it is mounted.
    pub target: String,
}

/// All mounted file systems that have a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystems(Vec<FileSystem>);

impl FileSystem {
    /// What is free, in percent of what programs can use: the reserve for root counts as neither.
    pub fn free_percent(&self) -> f64 {
        let room = self.used.saturating_add(self.available);
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        if room == 0 { 0.0 } else { self.available as f64 * 100.0 / room as f64 }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut rest = line.trim_start();
        let mut word = || {
            let (word, after) = rest.split_once(' ')?;
            rest = after.trim_start();
            Some(word)
        };
        let (size, used, available) = (word()?.parse().ok()?, word()?.parse().ok()?, word()?.parse().ok()?);
        let inodes = match word()? {
            "-" => None,
            share => Some(share.strip_suffix('%')?.parse().ok().filter(|share| *share <= 100)?),
        };
        let kind = word()?.to_owned();
        rest.starts_with('/').then(|| Self { size, used, available, inodes, kind, target: rest.to_owned() })
    }
}

impl FileSystems {
    /// Reads the whole table; none where a line of it is something else, or where `/` is not in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next()?.split_whitespace().collect();
        if header != ["1B-blocks", "Used", "Avail", "IUse%", "Type", "Mounted", "on"] {
            return None;
        }
        let all: Vec<FileSystem> = lines.map(FileSystem::parse).collect::<Option<_>>()?;
        all.iter().any(|fs| fs.target == "/" && fs.size > 0).then_some(Self(all))
    }

    /// The file system that holds a path, or would.
    pub fn of(&self, path: &str) -> Option<&FileSystem> {
        let holding = self.0.iter().filter(|fs| super::findmnt::holds(&fs.target, path));
        holding.max_by_key(|fs| fs.target.len())
    }

    /// Those that hold any of the paths, each once, in the order of the paths.
    pub fn of_all<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> Vec<&FileSystem> {
        let mut all: Vec<&FileSystem> = Vec::new();
        for fs in paths.into_iter().filter_map(|path| self.of(path)) {
            if !all.contains(&fs) {
                all.push(fs);
            }
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTAINER: &str = include_str!("../../tests/fixtures/df/debian-12-container.txt");
    const SERVER: &str = include_str!("../../tests/fixtures/df/data-volume.txt");

    #[test]
    fn a_path_is_on_the_file_system_that_is_mounted_closest_to_it() {
        let server = FileSystems::parse(SERVER).unwrap();
        assert_eq!(server.of("/opt/data/postgresql").unwrap().target, "/opt/data");
        assert_eq!(server.of("/opt/database").unwrap().target, "/");
        assert_eq!(server.of("/mnt/old backups/x").unwrap().target, "/mnt/old backups");
        assert_eq!(server.of("/boot/efi").unwrap().inodes, None);
        let targets = server.of_all(["/", "/var", "/opt/data"]).iter().map(|fs| fs.target.as_str()).collect::<Vec<_>>();
        assert_eq!(targets, ["/", "/opt/data"]);
        let container = FileSystems::parse(CONTAINER).unwrap();
        let root = container.of("/var/lib/redis").unwrap();
        assert_eq!((root.kind.as_str(), root.inodes), ("fuse.fuse-overlayfs", Some(4)));
        assert_eq!(root.free_percent().round(), 42.0);
    }

    #[test]
    fn half_a_table_or_another_language_is_none() {
        for text in ["", "1B-blocks Used Avail IUse% Type Mounted on\n", &SERVER[..SERVER.len() - 30]] {
            assert_eq!(FileSystems::parse(text), None, "{text}");
        }
        assert_eq!(FileSystems::parse(&SERVER.replace("Mounted on", "Eingehängt auf")), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[CONTAINER, SERVER])) {
            if let Some(all) = FileSystems::parse(&text) {
                prop_assert!(all.of("/").is_some());
            }
        }
    }
}
