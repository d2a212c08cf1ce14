//! `/proc/swaps`.

/// Swap space in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// File or device.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Bytes that are taken.
    pub used: u64,
}

impl Swap {
    /// Reads the table; none where it has no head or one of its lines is another.
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        let mut lines = text.lines();
        lines.next().filter(|head| head.split_whitespace().eq(["Filename", "Type", "Size", "Used", "Priority"]))?;
        let swap = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [path, _, size, used, _] = words.as_slice() else { return None };
            let bytes = |kilobytes: &str| kilobytes.parse::<u64>().ok()?.checked_mul(1024);
            // As the kernel writes a space in a path.
            Some(Self { path: path.replace("\\040", " "), size: bytes(size)?, used: bytes(used)? })
        };
        lines.map(swap).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const NONE: &str = include_str!("../../tests/fixtures/swaps/none.txt");
    const FILE: &str = include_str!("../../tests/fixtures/swaps/file.txt");

    #[test]
    fn files_and_how_full_they_are() {
        assert_eq!(Swap::parse(NONE), Some(vec![]));
        assert_eq!(
            Swap::parse(FILE).unwrap()[0],
            Swap { path: "/swapfile".to_owned(), size: 2 << 30, used: 512 << 20 }
        );
        assert_eq!(Swap::parse(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[NONE, FILE])) {
            Swap::parse(&text);
        }
    }
}
