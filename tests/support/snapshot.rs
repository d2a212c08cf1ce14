use std::collections::BTreeMap;

/// The state of folders of a host, to compare before and after: everything that a careless observer would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Prints, each followed by a NUL: path, type and mode, owner, mtime, inode and link target; then path and digest of files.
    pub(super) const SCRIPT: &str = r#"
        cd /
        find "$@" -printf '%p\t%y %#m %U:%G %T@ inode %i %l\0'
        find "$@" -type f -print0 | xargs -0 -r sha256sum -bz | sed -z -E 's/^\\?([0-9a-f]{64}) .(.*)$/\2\tsha256 \1/'
    "#;

    pub(super) fn parse(printed: &str) -> Self {
        let mut entries = BTreeMap::<String, String>::new();
        for record in printed.split('\0').filter(|record| !record.is_empty()) {
            let (path, state) = record.split_once('\t').expect("a path and its state");
            let entry = entries.entry(path.to_owned()).or_default();
            if !entry.is_empty() {
                entry.push(' ');
            }
            entry.push_str(state);
        }
        Self(entries)
    }

    /// The paths in it.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// One line for each path that was made (`+`), removed (`-`) or changed (`~`, with both states) since.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let gone = self.0.iter().filter_map(|(path, before)| match after.0.get(path) {
            None => Some(format!("- {path}")),
            Some(after) if after != before => Some(format!("~ {path}: {before} -> {after}")),
            Some(_) => None,
        });
        let new = after.0.keys().filter(|path| !self.0.contains_key(*path)).map(|path| format!("+ {path}"));
        gone.chain(new).collect()
    }
}
