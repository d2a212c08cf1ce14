//! `vgs --reportformat json --units b --nosuffix -o vg_name,vg_size,vg_free`.

use serde::Deserialize;

/// How to ask.
pub const VGS: [&str; 8] =
    ["vgs", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", "vg_name,vg_size,vg_free"];

#[derive(Deserialize)]
struct Output {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    vg: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    vg_name: String,
    vg_free: String,
}

/// A volume group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Bytes that no volume has.
    pub free: u64,
}

/// All volume groups; none where the text is something else.
pub fn groups(text: &str) -> Option<Vec<Group>> {
    let output: Output = serde_json::from_str(text).ok()?;
    let group = |row: Row| Some(Group { free: row.vg_free.parse().ok()?, name: row.vg_name });
    output.report.into_iter().flat_map(|report| report.vg).map(group).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = include_str!("../../tests/fixtures/vgs/one-group.txt");
    const NONE: &str = include_str!("../../tests/fixtures/vgs/none.txt");

    #[test]
    fn names_groups_with_what_is_free() {
        assert_eq!(groups(ONE), Some(vec![Group { name: "vg_data".to_owned(), free: 732_823_552 }]));
        assert_eq!(groups(NONE), Some(vec![]));
        assert_eq!((groups(""), groups("{}"), groups(&ONE.replace("732823552", "0.7t"))), (None, None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[ONE, NONE])) {
            prop_assert!(groups(&text).is_none() || text.contains("report"));
        }
    }
}
