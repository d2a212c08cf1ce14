//! The values that a schema's `x-format` asks for.

use std::net::IpAddr;

use cc_agent::resource::Mode;

use crate::node::{Kind, Node};
use crate::quantity::{parse_bytes, parse_duration, parse_percent};

/// A form that values can have.
pub(crate) struct Format {
    name: &'static str,
    /// For a message: "expected …".
    pub(crate) expected: &'static str,
    /// What to write.
    pub(crate) hint: &'static str,
    accepts: fn(&Node) -> bool,
}

const FORMATS: [Format; 13] = [
    Format {
        name: "bytes",
        expected: "a size",
        hint: "write a number with a unit, such as 512MiB (1024) or 2GB (1000)",
        accepts: |node| quantity(node, |text| parse_bytes(text).is_ok()),
    },
    Format {
        name: "duration",
        expected: "a duration",
        hint: "write a number with a unit, such as 90s, 5m, 2h or 1d",
        accepts: |node| quantity(node, |text| parse_duration(text).is_ok()),
    },
    Format {
        name: "percent",
        expected: "a share",
        hint: "write a whole number from 0% to 100%",
        accepts: |node| matches!(node.kind, Kind::Int(0..=100)) || text(node, |text| parse_percent(text).is_ok()),
    },
    Format {
        name: "batch-size",
        expected: "a number of hosts or a share of them",
        hint: "write a number from 1 up, or a share such as 25%",
        accepts: |node| {
            matches!(node.kind, Kind::Int(1..)) || text(node, |text| parse_percent(text).is_ok_and(|share| share > 0))
        },
    },
    Format {
        name: "mode",
        expected: "a file mode",
        hint: "write octal digits in quotes, such as \"0644\"",
        accepts: |node| text(node, |text| Mode::parse(text).is_ok()),
    },
    Format {
        name: "path",
        expected: "an absolute path",
        hint: "write a path that begins with /",
        accepts: |node| text(node, |text| text.starts_with('/') && !text.contains('\0')),
    },
    Format {
        name: "date",
        expected: "a date",
        hint: "write year, month and day, such as 2026-12-31",
        accepts: |node| text(node, is_date),
    },
    Format {
        name: "port",
        expected: "a port",
        hint: "write a number from 1 to 65535",
        accepts: |node| matches!(node.kind, Kind::Int(1..=65535)),
    },
    Format {
        name: "name",
        expected: "a name",
        hint: "use lower-case letters, digits, `-` and `_`; begin with a letter or digit",
        accepts: |node| text(node, |text| starts(text, |c| c.is_ascii_alphanumeric()) && of(text, "-_")),
    },
    Format {
        name: "identifier",
        expected: "a name that templates can use",
        hint: "use lower-case letters, digits and `_`; do not begin with a digit",
        accepts: |node| text(node, |text| starts(text, |c| c.is_ascii_lowercase() || c == '_') && of(text, "_")),
    },
    Format {
        name: "host-name",
        expected: "a host name",
        hint: "use lower-case letters, digits, `-` and `.`; begin and end with a letter or digit; at most 63 characters between dots",
        accepts: |node| text(node, is_host_name),
    },
    Format {
        name: "address",
        expected: "an address",
        hint: "write an IP address, such as 10.0.0.5 or 2001:db8::5, or a host name, without port or scheme",
        accepts: |node| text(node, is_address),
    },
    Format {
        name: "template",
        expected: "a template",
        hint: "write \"{{ expression }}\"",
        accepts: |node| text(node, |text| text.contains("{{") || text.contains("{%")),
    },
];

impl Format {
    /// The format of this name; `None` for those of JSON Schema and of numbers.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Whether a value has the form.
    pub(crate) fn accepts(&self, node: &Node) -> bool {
        (self.accepts)(node)
    }
}

fn text(node: &Node, accepts: impl Fn(&str) -> bool) -> bool {
    node.as_str().is_some_and(accepts)
}

fn quantity(node: &Node, accepts: impl Fn(&str) -> bool) -> bool {
    matches!(node.kind, Kind::Int(0..)) || text(node, accepts)
}

fn starts(text: &str, accepts: impl Fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(accepts)
}

fn of(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c))
}

/// A day of the calendar.
fn is_date(text: &str) -> bool {
    let digits = |part: &str, count: usize| {
        (part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u32>().ok())?
    };
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// An IP address or a name that can be looked up. What looks like an IP address must be one.
fn is_address(text: &str) -> bool {
    let is_name = |text: &str| {
        let last = text.rsplit('.').next().unwrap_or_default();
        let looks_numeric = last.bytes().all(|byte| byte.is_ascii_digit());
        !looks_numeric && is_host_name(&text.to_lowercase().replace('_', "-"))
    };
    text.parse::<IpAddr>().is_ok() || is_name(text)
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && of(label, "-") && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_hosts() {
        for address in
            ["10.0.0.1", "::1", "2001:db8::5", "db1", "db_1.Example.org", "ec2-1-2-3-4.compute.amazonaws.com"]
        {
            assert!(is_address(address), "{address}");
        }
        for address in ["", "10.0.0.999", "10.0.0", "10.0.0.1:22", "http://db1", "a b", "-x", "example.org.", "host:22"]
        {
            assert!(!is_address(address), "{address}");
        }
    }

    #[test]
    fn dates_are_of_the_calendar() {
        for date in ["2026-12-31", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert!(is_date(date), "{date}");
        }
        for date in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "26-1-1",
            "31.12.2026",
            "2026-12",
            "",
        ] {
            assert!(!is_date(date), "{date}");
        }
    }

    #[test]
    fn host_names_are_labels() {
        assert!(is_host_name("web-1.eu"));
        for name in ["Web1", "web_1", "-web", "web-", "web..eu", "", &"x".repeat(64)] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
