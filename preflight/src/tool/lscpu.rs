//! `lscpu -J`.

use serde::Deserialize;

/// How to ask.
pub const LSCPU: [&str; 2] = ["lscpu", "-J"];

/// The processors of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lscpu {
    /// Those that the kernel uses.
    pub online: u32,
    /// What they are called, where that is known.
    pub model: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    lscpu: Vec<Field>,
}

/// A line; newer versions put lines below others.
#[derive(Deserialize)]
struct Field {
    field: String,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    children: Vec<Field>,
}

impl Lscpu {
    /// Reads the output; none where it does not say which processors are on line.
    pub fn parse(text: &str) -> Option<Self> {
        let output: Output = serde_json::from_str(text).ok()?;
        let online = count(find(&output.lscpu, "On-line CPU(s) list:")?)?;
        let model = find(&output.lscpu, "Model name:").filter(|name| *name != "-").map(str::to_owned);
        Some(Self { online, model })
    }
}

fn find<'f>(fields: &'f [Field], name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find_map(|field| if field.field == name { field.data.as_deref() } else { find(&field.children, name) })
}

/// How many a list such as `0-3,8` names.
fn count(list: &str) -> Option<u32> {
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.split(',').map(range).try_fold(0_u32, |sum, range| sum.checked_add(range?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLAT: &str = include_str!("../../tests/fixtures/lscpu/debian-12-container.txt");
    const NESTED: &str = include_str!("../../tests/fixtures/lscpu/nested.txt");

    #[test]
    fn counts_what_is_on_line_in_either_form() {
        let flat = Lscpu::parse(FLAT).unwrap();
        assert_eq!((flat.online, flat.model.as_deref()), (2, Some("AMD EPYC")));
        let nested = Lscpu::parse(NESTED).unwrap();
        assert_eq!((nested.online, nested.model.as_deref()), (12, Some("Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz")));
        assert_eq!((count("0-3,8"), count("3-0"), count(""), count("0-4294967295")), (Some(5), None, None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[FLAT, NESTED])) {
            prop_assert!(Lscpu::parse(&text).is_none_or(|cpu| cpu.online > 0));
        }
    }
}
