//! `wipefs -nJ DEVICE`: what is written on a device. `-n` changes nothing.

use serde::Deserialize;

#[derive(Deserialize)]
struct Output {
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(rename = "type")]
    kind: String,
}

/// The kinds of what is written on the device: `ext4`, `gpt`; none of them where it is blank. None where the text is something
/// else. Old versions print nothing for a blank device.
pub fn signatures(text: &str) -> Option<Vec<String>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let output: Output = serde_json::from_str(text).ok()?;
    Some(output.signatures.into_iter().map(|signature| signature.kind).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXT4: &str = include_str!("../../tests/fixtures/wipefs/ext4.txt");
    const BLANK: &str = include_str!("../../tests/fixtures/wipefs/blank.txt");

    #[test]
    fn names_what_is_written() {
        assert_eq!(signatures(EXT4), Some(vec!["ext4".to_owned()]));
        assert_eq!((signatures(BLANK), signatures("")), (Some(vec![]), Some(vec![])));
        assert_eq!((signatures("{}"), signatures("DEVICE OFFSET")), (None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[EXT4, BLANK])) {
            prop_assert!(signatures(&text).is_none() || text.trim().is_empty() || text.contains("signatures"));
        }
    }
}
