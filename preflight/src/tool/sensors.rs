//! `sensors -j`.

use std::collections::BTreeMap;

use serde_json::Value;

/// How to ask.
pub const SENSORS: [&str; 2] = ["sensors", "-j"];

/// A thermometer, in degrees Celsius.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// Chip and label: `coretemp-isa-0000 Core 0`.
    pub name: String,
    /// What it shows.
    pub now: f64,
    /// Above which it is high, where the chip says so.
    pub high: Option<f64>,
    /// Above which it is critical, where the chip says so.
    pub critical: Option<f64>,
}

/// All thermometers; none where the text is something else.
pub fn temperatures(text: &str) -> Option<Vec<Temperature>> {
    let chips: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(text).ok()?;
    let features = chips.iter().flat_map(|(chip, features)| features.iter().map(move |feature| (chip, feature)));
    Some(
        features
            .filter_map(|(chip, (label, values))| temperature(&format!("{chip} {label}"), values.as_object()?))
            .collect(),
    )
}

fn temperature(name: &str, values: &serde_json::Map<String, Value>) -> Option<Temperature> {
    let value = |end: &str| {
        values
            .iter()
            .find(|(key, _)| key.starts_with("temp") && key.ends_with(end))
            .and_then(|(_, value)| value.as_f64())
    };
    Some(Temperature { name: name.to_owned(), now: value("_input")?, high: value("_max"), critical: value("_crit") })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SERVER: &str = include_str!("../../tests/fixtures/sensors/server.txt");

    #[test]
    fn only_thermometers_count() {
        let all = temperatures(SERVER).unwrap();
        assert_eq!(
            all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["acpitz-acpi-0 temp1", "coretemp-isa-0000 Core 0", "coretemp-isa-0000 Package id 0"]
        );
        assert_eq!((all[1].now, all[1].high, all[1].critical), (46.0, Some(80.0), Some(100.0)));
        assert_eq!((temperatures(""), temperatures("[]"), temperatures("{}")), (None, None, Some(vec![])));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[SERVER])) {
            prop_assert!(temperatures(&text).is_none_or(|all| all.is_empty() || text.contains("temp")));
        }
    }
}
