//! `/etc/fstab` as text whose lines are replaced one at a time.

use std::borrow::Cow;

/// One file system of `fstab(5)`, without its escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FstabEntry {
    pub(super) device: String,
    pub(super) path: String,
    pub(super) fstype: String,
    pub(super) options: String,
}

impl FstabEntry {
    /// The line's entry; `None` for comments, empty lines and damaged ones.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.split_whitespace().map(|field| unescape(field).into_owned());
        Some(Self {
            device: fields.next()?,
            path: fields.next()?,
            fstype: fields.next()?,
            options: fields.next().unwrap_or_else(|| "defaults".to_owned()),
        })
    }

    /// The line without its end. Remote and memory file systems are not checked at boot, others after the root.
    pub(super) fn render(&self) -> String {
        let checked = self.device.starts_with('/') || self.device.contains('=');
        let pass = match (self.path.as_str(), checked && self.fstype != "swap" && !self.is_bind()) {
            (_, false) => 0,
            ("/", true) => 1,
            (_, true) => 2,
        };
        let [device, path, fstype, options] =
            [&self.device, &self.path, &self.fstype, &self.options].map(|field| escape(field));
        format!("{device}\t{path}\t{fstype}\t{options}\t0\t{pass}")
    }

    fn is_bind(&self) -> bool {
        self.options.split(',').any(|option| matches!(option, "bind" | "rbind"))
    }
}

/// The first entry that `wanted` accepts.
pub(super) fn find(text: &str, wanted: impl Fn(&FstabEntry) -> bool) -> Option<FstabEntry> {
    text.lines().filter_map(FstabEntry::parse).find(wanted)
}

/// The text with `entry` in the place of the first entry that `old` accepts, or at the end; further ones that `old` accepts
/// are dropped. All other lines stay as they are.
pub(super) fn replace(text: &str, old: impl Fn(&FstabEntry) -> bool, entry: Option<&FstabEntry>) -> String {
    let mut entry = entry;
    let mut result = String::with_capacity(text.len() + 80);
    let mut push = |line: &str| {
        result.push_str(line);
        result.push('\n');
    };
    for line in text.lines() {
        if !FstabEntry::parse(line).is_some_and(|found| old(&found)) {
            push(line);
        } else if let Some(entry) = entry.take() {
            push(&entry.render());
        }
    }
    if let Some(entry) = entry {
        push(&entry.render());
    }
    result
}

/// Undoes the octal escapes (`\040` for a space) of `fstab(5)`, `/proc/self/mountinfo` and `/proc/swaps`.
pub(super) fn unescape(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &rest[4..] } else { tail };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn escape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    for character in field.chars() {
        match character {
            ' ' | '\t' | '\n' | '\\' => text.push_str(&format!("\\{:03o}", u32::from(character))),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str =
        "# comment\nUUID=1 / ext4 defaults 0 1\n\n/dev/vdb\t/srv\txfs\tnoatime\t0\t2\n/dev/old /srv ext4\n";

    fn entry(path: &str) -> FstabEntry {
        FstabEntry {
            device: "/dev/vdc".into(),
            path: path.into(),
            fstype: "ext4".into(),
            options: "noatime,nofail".into(),
        }
    }

    #[test]
    fn an_entry_takes_the_place_of_its_mount_point() {
        assert_eq!(
            replace(TEXT, |e| e.path == "/srv", Some(&entry("/srv"))),
            "# comment\nUUID=1 / ext4 defaults 0 1\n\n/dev/vdc\t/srv\text4\tnoatime,nofail\t0\t2\n"
        );
    }

    #[test]
    fn a_new_entry_goes_to_the_end_even_without_a_last_newline() {
        assert_eq!(
            replace("a /b ext4", |e| e.path == "/c", Some(&entry("/c"))),
            "a /b ext4\n/dev/vdc\t/c\text4\tnoatime,nofail\t0\t2\n"
        );
    }

    #[test]
    fn removal_leaves_the_rest() {
        assert_eq!(replace(TEXT, |e| e.path == "/srv", None), "# comment\nUUID=1 / ext4 defaults 0 1\n\n");
    }

    #[test]
    fn only_local_file_systems_are_checked() {
        let pass = |device: &str, path: &str, fstype: &str, options: &str| {
            let entry =
                FstabEntry { device: device.into(), path: path.into(), fstype: fstype.into(), options: options.into() };
            entry.render().chars().last()
        };
        assert_eq!(pass("UUID=1", "/", "ext4", "defaults"), Some('1'));
        assert_eq!(pass("/dev/vdb", "/srv", "ext4", "defaults"), Some('2'));
        assert_eq!(pass("/dev/vdb", "none", "swap", "sw"), Some('0'));
        assert_eq!(pass("nas:/export", "/srv", "nfs", "defaults"), Some('0'));
        assert_eq!(pass("tmpfs", "/tmp", "tmpfs", "size=1g"), Some('0'));
        assert_eq!(pass("/a", "/b", "none", "rw,bind"), Some('0'));
    }

    proptest! {
        #[test]
        fn any_field_survives_the_round_trip(path in "/[ -~é\t\n]{0,20}", device in "[!-\"$-~][ -~]{0,10}") {
            let written = FstabEntry { device, ..entry(&path) };
            prop_assert_eq!(FstabEntry::parse(&written.render()), Some(written));
        }

        #[test]
        fn replacing_twice_is_replacing_once(text in "([#/a ]{0,6}\n){0,6}") {
            let once = replace(&text, |e| e.path == "/a", Some(&entry("/a")));
            prop_assert_eq!(replace(&once, |e| e.path == "/a", Some(&entry("/a"))), once.clone());
        }
    }
}
