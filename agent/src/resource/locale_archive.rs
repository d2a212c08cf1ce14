//! `/usr/lib/locale/locale-archive`: the locales that `locale-gen` made.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// First number of the file.
const MAGIC: u32 = 0xde02_0109;
/// Bytes of one entry of the table of names: hash, offset of the name, offset of the record.
const ENTRY: usize = 12;

/// Bytes before the tables that say where they are.
const HEADER: usize = 32;

/// The names in the archive at `path`, as glibc spells them (`en_US.utf8`); none when it is not there or no archive.
pub(super) fn names_at(path: &Path) -> Vec<String> {
    let Ok(mut file) = File::open(path) else {
        return Vec::new();
    };
    let mut bytes = vec![0; HEADER];
    if file.read_exact(&mut bytes).is_err() {
        return Vec::new();
    }
    // The texts are behind the table of names; the locales themselves, up to 200 MB of them, are behind the texts.
    let field = |at: usize| u64::from(u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
    let length = (field(20) + field(24)).saturating_sub(HEADER as u64).min(64 << 20);
    match file.take(length).read_to_end(&mut bytes) {
        Ok(_) => names(&bytes).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// The names in the front of an archive; `None` when the file is no archive of this machine.
fn names(archive: &[u8]) -> Option<Vec<String>> {
    let number = |at: usize| {
        let bytes = archive.get(at..at.checked_add(4)?)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    if number(0)? != MAGIC {
        return None;
    }
    let table = number(8)? as usize;
    let size = number(16)? as usize;
    let mut names = Vec::new();
    for entry in (0..size).map(|index| table + index * ENTRY) {
        // A free slot of the hash table has no record.
        if number(entry + 8)? != 0 {
            let name = archive.get(number(entry + 4)? as usize..)?.split(|byte| *byte == 0).next()?;
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    Some(names)
}

/// A locale's name as glibc spells it: `en_US.UTF-8` is `en_US.utf8`, `de_DE.ISO-8859-1@euro` is `de_DE.iso88591@euro`.
pub(super) fn normalise(name: &str) -> String {
    let (main, modifier) = name.split_once('@').map_or((name, None), |(main, modifier)| (main, Some(modifier)));
    let mut text = match main.split_once('.') {
        None => main.to_owned(),
        Some((language, codeset)) => {
            let plain: String = codeset.chars().filter(char::is_ascii_alphanumeric).collect();
            let iso = if plain.bytes().all(|byte| byte.is_ascii_digit()) { "iso" } else { "" };
            format!("{language}.{iso}{}", plain.to_ascii_lowercase())
        }
    };
    if let Some(modifier) = modifier {
        text.push('@');
        text.push_str(modifier);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A table of two slots, one of them free, and one name behind it.
    fn archive() -> Vec<u8> {
        let mut bytes: Vec<u8> = [MAGIC, 0, 56, 1, 2].into_iter().flat_map(u32::to_ne_bytes).collect();
        bytes.resize(56, 0);
        bytes.extend([0, 0, 0, 7, 80, 99].into_iter().flat_map(u32::to_ne_bytes));
        bytes.extend(b"en_US.utf8\0rest");
        bytes
    }

    #[test]
    fn names_are_read_from_the_table() {
        assert_eq!(names(&archive()), Some(vec!["en_US.utf8".to_owned()]));
    }

    #[test]
    fn another_file_is_no_archive() {
        assert_eq!(names(b"nothing of the kind"), None);
        assert_eq!(names(&archive()[..60]), None);
    }

    #[test]
    fn names_are_spelled_as_glibc_does() {
        for (given, spelled) in [
            ("en_US.UTF-8", "en_US.utf8"),
            ("C.UTF-8", "C.utf8"),
            ("de_DE@euro", "de_DE@euro"),
            ("de_DE.ISO-8859-15@euro", "de_DE.iso885915@euro"),
            ("xx.8859-1", "xx.iso88591"),
        ] {
            assert_eq!(normalise(given), spelled);
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0_usize..90, byte: u8) {
            let mut bytes = archive();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = names(&bytes);
        }
    }
}
