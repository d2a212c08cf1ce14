//! `/proc/mdstat`.

/// The file. It is there where the kernel has loaded software RAID.
pub const MDSTAT: &str = "/proc/mdstat";

/// A RAID of the kernel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// `md0`.
    pub name: String,
    /// How it stands.
    pub state: State,
}

/// How an array stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// All disks are there.
    Clean,
    /// It is being checked, rebuilt or reshaped: the kernel's line.
    Busy(String),
    /// Disks are missing and nothing is done about it: `[3/2] [U_U]`.
    Degraded(String),
    /// It does not run.
    Inactive,
}

/// All arrays; none where the text is something else.
pub fn arrays(text: &str) -> Option<Vec<Array>> {
    let mut lines = text.lines().peekable();
    lines.next()?.strip_prefix("Personalities :")?;
    if !text.lines().any(|line| line.starts_with("unused devices:")) {
        return None;
    }
    let mut all = Vec::new();
    while let Some(line) = lines.next() {
        let Some((name, rest)) = line.split_once(" : ") else { continue };
        let mut details = Vec::new();
        while let Some(detail) = lines.next_if(|line| line.starts_with(' ')) {
            details.push(detail.trim());
        }
        all.push(Array { name: name.to_owned(), state: state(rest, &details)? });
    }
    Some(all)
}

fn state(rest: &str, details: &[&str]) -> Option<State> {
    let word = rest.split_whitespace().next()?;
    if word == "inactive" {
        return Some(State::Inactive);
    }
    if word != "active" {
        return None;
    }
    let activities = ["recovery", "resync", "reshape", "check"];
    if let Some(line) = details.iter().find(|line| activities.iter().any(|activity| line.contains(activity))) {
        return Some(State::Busy((*line).to_owned()));
    }
    // `[2/2] [UU]`; arrays without redundancy have neither.
    let missing = details.iter().find_map(|line| {
        let disks = &line[line.rfind('[')?..];
        let known = disks.len() > 2
            && disks.ends_with(']')
            && disks[1..disks.len() - 1].chars().all(|disk| "U_".contains(disk));
        (known && disks.contains('_')).then(|| State::Degraded(disks.to_owned()))
    });
    let failed = rest.contains("(F)").then(|| State::Degraded("a disk has failed".to_owned()));
    Some(missing.or(failed).unwrap_or(State::Clean))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLEAN: &str = include_str!("../../tests/fixtures/mdstat/clean.txt");
    const DEGRADED: &str = include_str!("../../tests/fixtures/mdstat/degraded.txt");
    const REBUILDING: &str = include_str!("../../tests/fixtures/mdstat/rebuilding.txt");

    #[test]
    fn tells_how_each_array_stands() {
        let states = |text| arrays(text).unwrap().into_iter().map(|array| array.state).collect::<Vec<_>>();
        assert_eq!(states(CLEAN), [State::Clean]);
        assert_eq!(states(DEGRADED), [State::Degraded("[U_U]".to_owned()), State::Clean]);
        assert!(matches!(states(REBUILDING).as_slice(), [State::Busy(line)] if line.contains("12.6%")));
        assert_eq!(states("Personalities : \nunused devices: <none>\n"), []);
        for text in ["", "nonsense", &CLEAN[..100], &CLEAN.replace(" active ", " aktiv ")] {
            assert_eq!(arrays(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[CLEAN, DEGRADED, REBUILDING])) {
            prop_assert!(arrays(&text).is_none() || text.starts_with("Personalities :"));
        }
    }
}
