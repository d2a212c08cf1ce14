//! Identifiers that evidence must not keep.

/// What stands for a masked identifier.
pub(crate) const MASKED: &str = "(masked)";

/// A text without the values of these keys, in whatever notation: `machine-id: 1f2e`, `"Machine-Id":"1f2e"`, `machine_id=1f2e`.
/// Keys are lower-case with `-` between words; case and `-`, `_`, space do not matter. A value is the run of letters, digits and
/// dashes after the key.
pub(crate) fn mask_values(text: &str, keys: &[&str]) -> String {
    text.split_inclusive('\n')
        .map(|line| keys.iter().fold(line.to_owned(), |line, key| mask_line(&line, key)))
        .collect()
}

fn mask_line(line: &str, key: &str) -> String {
    // Byte for byte as long as the line, so that places in one are places in the other.
    let plain = line.to_ascii_lowercase().replace(['_', ' '], "-");
    let (mut masked, mut from) = (String::new(), 0);
    while let Some(found) = plain[from..].find(key) {
        let end = from + found + key.len();
        let value = end + line[end..].find(|c: char| !"\"': =\t".contains(c)).unwrap_or(line.len() - end);
        let after =
            value + line[value..].find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(line.len() - value);
        // A key is followed by a separator; otherwise it is part of a longer word or the end of a sentence.
        let keyed = line[end..value].contains([':', '=']);
        masked.push_str(&line[from..if keyed { value } else { after }]);
        if keyed && after > value {
            masked.push_str(MASKED);
        }
        from = after;
    }
    masked.push_str(&line[from..]);
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_masked_in_every_notation() {
        let keys = ["machine-id"];
        for (text, masked) in [
            ("machine-id: 1f2e3d\nkernel: 5\n", "machine-id: (masked)\nkernel: 5\n"),
            ("machine id: 1f2e3d", "machine id: (masked)"),
            (r#"{"Machine-Id":"1f2e-3d","tier":"updates"}"#, r#"{"Machine-Id":"(masked)","tier":"updates"}"#),
            ("machine_id=1f2e machine_id=3d", "machine_id=(masked) machine_id=(masked)"),
            ("the machine id is not told", "the machine id is not told"),
            (r#"{"machine-id":""}"#, r#"{"machine-id":""}"#),
        ] {
            assert_eq!(mask_values(text, &keys), masked);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_masked(text in "(machine.id|[:= \"é]|\\PC){0,40}") {
            mask_values(&text, &["machine-id"]);
        }
    }
}
