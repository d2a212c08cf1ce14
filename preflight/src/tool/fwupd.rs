//! `fwupdmgr get-updates --json`.

use serde_json::Value;

/// Firmware for which there is a newer one: the names of its devices. None where the text is another.
pub fn pending(text: &str) -> Option<Vec<String>> {
    let json: Value = serde_json::from_str(text).ok()?;
    let devices = json.get("Devices")?.as_array()?;
    let newer = devices.iter().filter(|device| {
        let releases = device.get("Releases").and_then(Value::as_array);
        // A device without the field is told of as the list says it: one with an update.
        releases.is_none_or(|releases| !releases.is_empty())
    });
    Some(newer.map(|device| device.get("Name").and_then(Value::as_str).unwrap_or("a device").to_owned()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const PENDING: &str = include_str!("../../tests/fixtures/fwupd/pending.json");

    #[test]
    fn devices_with_releases_are_pending() {
        assert_eq!(pending(PENDING).unwrap(), ["System Firmware"]);
        assert_eq!(pending(r#"{"Devices": []}"#), Some(vec![]));
        assert_eq!(pending("{}"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[PENDING])) {
            pending(&text);
        }
    }
}
