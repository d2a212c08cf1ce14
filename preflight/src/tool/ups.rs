//! Uninterruptible power supplies: `upsc` of NUT and `apcaccess` of apcupsd.

/// How to ask NUT for every UPS that this host is connected to: a line `[NAME]` before each.
pub const UPSC: [&str; 4] = [
    "sh",
    "-c",
    "command -v upsc >/dev/null || { echo 'upsc is not installed' >&2; exit 127; }; all=$(upsc -l 2>/dev/null) || exit 1; \
     for ups in $all; do echo \"[$ups]\"; upsc \"$ups\" 2>/dev/null || exit 1; done",
    "upsc",
];

/// How to ask apcupsd.
pub const APCACCESS: [&str; 2] = ["apcaccess", "status"];

/// A UPS.
#[derive(Clone, Debug, PartialEq)]
pub struct Ups {
    /// Its name.
    pub name: String,
    /// Whether it has mains.
    pub online: bool,
    /// How long its battery lasts, in seconds.
    pub runtime: f64,
}

/// What [`UPSC`] printed; none where it is something else, or where a UPS tells no state or time.
pub fn nut(text: &str) -> Option<Vec<Ups>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let parts = text.trim_start().strip_prefix('[')?.split("\n[");
    let ups = |part: &str| {
        let (name, rest) = part.split_once("]\n")?;
        let status = field(rest, "ups.status")?;
        Some(Ups {
            name: name.to_owned(),
            online: status.split_whitespace().any(|word| word == "OL"),
            runtime: field(rest, "battery.runtime")?.parse().ok().filter(|seconds: &f64| seconds.is_finite())?,
        })
    };
    parts.map(ups).collect()
}

/// What [`APCACCESS`] printed; none where it is something else, or where the UPS tells no state or time.
pub fn apcupsd(text: &str) -> Option<Ups> {
    let minutes: f64 = field(text, "TIMELEFT")?.strip_suffix("Minutes")?.trim().parse().ok()?;
    let name = field(text, "UPSNAME").or_else(|| field(text, "MODEL")).unwrap_or("apcupsd");
    let online = field(text, "STATUS")?.split_whitespace().any(|word| word == "ONLINE");
    minutes.is_finite().then(|| Ups { name: name.to_owned(), online, runtime: minutes * 60.0 })
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NUT: &str = include_str!("../../tests/fixtures/upsc/on-line.txt");
    const APC: &str = include_str!("../../tests/fixtures/apcaccess/on-line.txt");

    #[test]
    fn both_tell_state_and_time() {
        assert_eq!(nut(NUT).unwrap(), [Ups { name: "rack".to_owned(), online: true, runtime: 1830.0 }]);
        assert_eq!(apcupsd(APC), Some(Ups { name: "server-room".to_owned(), online: true, runtime: 2832.0 }));
        assert!(!nut(&NUT.replace("OL CHRG", "OB DISCHRG")).unwrap()[0].online);
        assert_eq!(nut("[rack]\nups.status: OL\n"), None);
        assert_eq!(nut("Error: Data stale"), None);
        assert_eq!((nut(""), apcupsd("")), (Some(vec![]), None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[NUT, APC])) {
            prop_assert!(nut(&text).is_none_or(|all| all.is_empty() || text.contains("battery.runtime")));
            prop_assert!(apcupsd(&text).is_none_or(|ups| ups.runtime.is_finite()));
        }
    }
}
