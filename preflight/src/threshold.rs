//! Figures that checks measure against.

use cc_plan::node::{Kind, Node};
use cc_plan::quantity::{parse_bytes, parse_duration, parse_percent};
use cc_plan::spec::environment::Size;

/// A figure that a check measures against.
#[derive(Debug)]
pub struct Threshold {
    /// Its id, which begins with that of its check: `disk.size.free_fail`.
    pub id: &'static str,
    /// What it bounds: "less free space than this fails".
    pub doc: &'static str,
    /// What its figures count.
    pub unit: Unit,
    /// The figures, in the unit's base.
    pub values: Values,
    /// Where the figure comes from.
    pub basis: Basis,
}

/// What a figure counts. Figures are kept in the base that is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Hundredths: 10 is 10%.
    Percent,
    /// Pieces.
    Count,
    /// Seconds.
    Duration,
    /// Megabits (10^6) a second.
    Mbps,
}

/// Figures by the environment's size.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// For every size.
    Same(f64),
    /// One for each.
    BySize {
        /// Of a rehearsal.
        demo: f64,
        /// One server.
        single: f64,
        /// Two servers.
        micro: f64,
        /// Five servers.
        small: f64,
        /// More.
        large: f64,
    },
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug)]
pub enum Basis {
    /// A document names it.
    Documented(&'static str),
    /// It is proposed here, for this reason.
    Proposed(&'static str),
}

impl Threshold {
    /// The figure for a size, in the unit's base.
    pub fn value(&self, size: Size) -> f64 {
        match (self.values, size) {
            (Values::Same(value), _) => value,
            (Values::BySize { demo, .. }, Size::Demo) => demo,
            (Values::BySize { single, .. }, Size::Single) => single,
            (Values::BySize { micro, .. }, Size::Micro) => micro,
            (Values::BySize { small, .. }, Size::Small) => small,
            (Values::BySize { large, .. }, Size::Large) => large,
        }
    }
}

impl Unit {
    /// Reads a figure as a policy writes it.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub fn parse(self, node: &Node) -> Result<f64, String> {
        #[expect(clippy::cast_precision_loss, reason = "figures are far below 2^53")]
        match (self, &node.kind) {
            (Self::Bytes, Kind::String(text)) => parse_bytes(text).map(|bytes| bytes as f64),
            (Self::Percent, Kind::String(text)) => parse_percent(text).map(f64::from),
            (Self::Duration, Kind::String(text)) => match text.strip_suffix("ms").map(str::parse::<u32>) {
                Some(Ok(millis)) => Ok(f64::from(millis) / 1000.0),
                _ => parse_duration(text).map(|seconds| seconds as f64),
            },
            (Self::Mbps, Kind::String(text)) => {
                let number = text.strip_suffix("Mbps").map(str::trim_end).and_then(|number| number.parse::<u32>().ok());
                number.map(f64::from).ok_or_else(|| format!("`{text}` is not a rate: write it as 940Mbps"))
            }
            (Self::Count, Kind::Int(number)) if *number >= 0 => Ok(*number as f64),
            (Self::Count, Kind::Float(number)) if number.is_finite() && *number >= 0.0 => Ok(*number),
            _ => Err(format!("expected {}, found {}", self.example(), node.describe())),
        }
    }

    /// What to write.
    fn example(self) -> &'static str {
        match self {
            Self::Bytes => "a size such as 32GiB",
            Self::Percent => "a share such as 10%",
            Self::Count => "a number",
            Self::Duration => "a duration such as 100ms, 30s or 14d",
            Self::Mbps => "a rate such as 940Mbps",
        }
    }

    /// A figure for a person: `32 GiB`, `10%`, `100 ms`, `14 d`.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Bytes => bytes(value),
            Self::Percent => format!("{}%", plain(value)),
            Self::Count => plain(value),
            Self::Duration => duration(value),
            Self::Mbps => format!("{} Mbps", plain(value)),
        }
    }
}

/// At most one decimal, and none for whole numbers.
fn plain(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (value, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", plain(value), units[unit])
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{} ms", plain(s * 1000.0)),
        s if s < 120.0 => format!("{} s", plain(s)),
        s if s < 7200.0 => format!("{} min", plain(s / 60.0)),
        s if s < 48.0 * 3600.0 => format!("{} h", plain(s / 3600.0)),
        s => format!("{} d", plain(s / 86400.0)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_their_unit() {
        assert_eq!(Unit::Bytes.show(32.0 * 1024.0 * 1024.0 * 1024.0), "32 GiB");
        assert_eq!(Unit::Bytes.show(1_500_000.0), "1.4 MiB");
        assert_eq!(Unit::Percent.show(12.5), "12.5%");
        assert_eq!(Unit::Duration.show(0.1), "100 ms");
        assert_eq!(Unit::Duration.show(14.0 * 86400.0), "14 d");
        assert_eq!(Unit::Mbps.show(940.0), "940 Mbps");
    }
}
