//! `/proc/meminfo`.

/// The file.
pub const MEMINFO: &str = "/proc/meminfo";

/// Memory that the kernel has to give, in bytes: what is built in without what firmware and kernel keep. None where it is not said.
pub fn total(text: &str) -> Option<u64> {
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOST: &str = include_str!("../../tests/fixtures/meminfo/debian-12-container.txt");

    #[test]
    fn the_total_is_in_bytes() {
        assert_eq!(total(HOST), Some(24_684_092 * 1024));
        for text in ["", "MemTotal:", "MemTotal: 12", "MemTotal: 12 MB", "MemTotal: -1 kB", "MemTotal: 0 kB"] {
            assert_eq!(total(text), None, "{text}");
        }
        assert_eq!(total(&format!("MemTotal: {} kB", u64::MAX)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[HOST])) {
            prop_assert!(total(&text).is_none_or(|bytes| bytes > 0 && text.contains("MemTotal:")));
        }
    }
}
