//! `chronyc -c tracking`: one line of comma-separated values.

/// How chrony keeps a clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracking {
    /// The source, as it is named or addressed; empty without one.
    pub source: String,
    /// How far the source is from a reference clock; 0 without one.
    pub stratum: u8,
    /// How far the clock is behind (positive) or ahead of the source, in seconds.
    pub offset: f64,
    /// Whether it follows a source.
    pub synchronized: bool,
}

/// Values of a line; see chronyc(1), "tracking".
const VALUES: usize = 14;

impl Tracking {
    /// Reads the line; none where it is another.
    pub fn parse(text: &str) -> Option<Self> {
        let values: Vec<&str> = text.trim().split(',').collect();
        if values.len() != VALUES {
            return None;
        }
        let synchronized = match values[13] {
            "Normal" | "Insert second" | "Delete second" => true,
            "Not synchronised" => false,
            _ => return None,
        };
        let offset = values[4].parse().ok().filter(|offset: &f64| offset.is_finite())?;
        Some(Self { source: values[1].to_owned(), stratum: values[2].parse().ok()?, offset, synchronized })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const SYNCHRONISED: &str = include_str!("../../tests/fixtures/chrony/synchronised.txt");
    const ALONE: &str = include_str!("../../tests/fixtures/chrony/not_synchronised.txt");

    #[test]
    fn the_source_and_the_distance_from_it() {
        let tracking = Tracking::parse(SYNCHRONISED).unwrap();
        assert_eq!((tracking.synchronized, tracking.stratum, tracking.offset), (true, 3, 0.000_012_418));
        assert!(!Tracking::parse(ALONE).unwrap().synchronized);
        assert_eq!(Tracking::parse("506 Cannot talk to daemon\n"), None);
        assert_eq!(Tracking::parse(&SYNCHRONISED.replace("Normal", "Normale")), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[SYNCHRONISED, ALONE])) {
            Tracking::parse(&text);
        }
    }
}
