//! `/etc/hosts` as text whose lines are replaced one at a time.

use std::net::IpAddr;

/// One line that maps an address to names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostsLine {
    pub(super) address: IpAddr,
    /// The canonical name first.
    pub(super) names: Vec<String>,
}

impl HostsLine {
    /// `None` for comments, empty lines and what `hosts(5)` would skip.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        let names: Vec<String> = words.map(str::to_owned).collect();
        (!names.is_empty()).then_some(Self { address, names })
    }

    pub(super) fn render(&self) -> String {
        format!("{}\t{}", self.address, self.names.join(" "))
    }

    /// Host names compare without case.
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a look-up of `name` for this family would find the line.
    fn answers(&self, name: &str, v4: bool) -> bool {
        self.address.is_ipv4() == v4 && self.has(name)
    }
}

/// The lines of one address family that a look-up of `name` would find, in order.
pub(super) fn answers(text: &str, name: &str, v4: bool) -> Vec<HostsLine> {
    text.lines().filter_map(HostsLine::parse).filter(|line| line.answers(name, v4)).collect()
}

/// The text in which `wanted` alone answers for its canonical name. It takes the place of the first line that did so before;
/// other such lines go, or lose the names of `wanted` where another name leads them. Lines of the other address family, comments
/// and everything else stay as they are.
pub(super) fn place(text: &str, wanted: &HostsLine) -> String {
    let mut placed = false;
    edit(text, |line| {
        if !line.answers(&wanted.names[0], wanted.address.is_ipv4()) {
            return Edit::Keep;
        }
        // A line that another name leads belongs to somebody else, who keeps what is not ours.
        let foreign = !line.names[0].eq_ignore_ascii_case(&wanted.names[0]);
        let others: Vec<String> = line.names.iter().filter(|name| foreign && !wanted.has(name)).cloned().collect();
        let rest = (!others.is_empty()).then(|| HostsLine { address: line.address, names: others }.render());
        let ours = (!std::mem::replace(&mut placed, true)).then(|| wanted.render());
        Edit::Replace(ours.into_iter().chain(rest).collect())
    }) + &(if placed { String::new() } else { wanted.render() + "\n" })
}

/// The text without the lines whose canonical name is `name` (and whose address is `address`, if given); from other lines
/// the name is taken.
pub(super) fn remove(text: &str, name: &str, address: Option<IpAddr>) -> String {
    edit(text, |line| {
        if !line.has(name) || address.is_some_and(|address| address != line.address) {
            return Edit::Keep;
        }
        if line.names[0].eq_ignore_ascii_case(name) {
            return Edit::Replace(Vec::new());
        }
        let names = line.names.iter().filter(|known| !known.eq_ignore_ascii_case(name)).cloned().collect();
        Edit::Replace(vec![HostsLine { address: line.address, names }.render()])
    })
}

enum Edit {
    Keep,
    Replace(Vec<String>),
}

fn edit(text: &str, mut each: impl FnMut(&HostsLine) -> Edit) -> String {
    let mut result = String::with_capacity(text.len() + 80);
    for line in text.lines() {
        match HostsLine::parse(line).map_or(Edit::Keep, |parsed| each(&parsed)) {
            Edit::Keep => {
                result.push_str(line);
                result.push('\n');
            }
            Edit::Replace(lines) => lines.iter().for_each(|line| {
                result.push_str(line);
                result.push('\n');
            }),
        }
    }
    result
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "127.0.0.1\tlocalhost\n127.0.1.1\tweb1.example.org web1\n# the others\n10.0.0.9 old db1 # keep\n\
        ::1 localhost ip6-localhost\n";

    fn line(text: &str) -> HostsLine {
        HostsLine::parse(text).unwrap()
    }

    #[test]
    fn a_new_name_goes_to_the_end() {
        assert_eq!(place(TEXT, &line("10.0.0.2 cache1 cache")), format!("{TEXT}10.0.0.2\tcache1 cache\n"));
    }

    #[test]
    fn the_installers_loopback_line_gives_way() {
        let text = place(TEXT, &line("10.0.0.1 web1.example.org web1"));
        assert!(text.starts_with("127.0.0.1\tlocalhost\n10.0.0.1\tweb1.example.org web1\n# the others\n"), "{text}");
        assert_eq!(answers(&text, "WEB1", true), [line("10.0.0.1 web1.example.org web1")]);
    }

    #[test]
    fn names_of_others_on_a_shared_line_stay() {
        let text = place(TEXT, &line("10.0.0.3 db1"));
        assert!(text.contains("10.0.0.3\tdb1\n10.0.0.9\told\n"), "{text}");
        let text = place(TEXT, &line("10.0.0.9 db1"));
        assert!(text.contains("10.0.0.9\tdb1\n10.0.0.9\told\n"), "{text}");
    }

    #[test]
    fn an_alias_that_is_gone_from_the_entry_is_gone_from_the_file() {
        let text = place("10.0.0.1 db1 db\n", &line("10.0.0.2 db1"));
        assert_eq!(text, "10.0.0.2\tdb1\n");
    }

    #[test]
    fn the_other_family_is_left_alone() {
        let text = place(TEXT, &line("127.0.0.1 localhost here"));
        assert!(text.starts_with("127.0.0.1\tlocalhost here\n"));
        assert!(text.ends_with("::1 localhost ip6-localhost\n"));
    }

    #[test]
    fn removal_takes_the_line_or_the_name() {
        assert!(!remove(TEXT, "web1.example.org", None).contains("127.0.1.1"));
        assert!(remove(TEXT, "db1", None).contains("10.0.0.9\told\n"));
        assert_eq!(remove(TEXT, "db1", Some("10.0.0.1".parse().unwrap())), TEXT);
        assert_eq!(remove(TEXT, "nobody", None), TEXT);
    }

    proptest! {
        #[test]
        fn placing_makes_it_the_only_answer(text in "((10.0.0.[1-3]|::[12]|#) ([abc] ?){0,3}\n){0,6}") {
            let wanted = line("10.0.0.2 a b");
            let once = place(&text, &wanted);
            prop_assert_eq!(answers(&once, "a", true), vec![wanted.clone()]);
            prop_assert_eq!(place(&once, &wanted), once.clone());
            prop_assert_eq!(answers(&once, "a", false), answers(&text, "a", false));
            let led_by_c = |text: &str| answers(text, "c", true).iter().any(|line| line.names[0] == "c");
            prop_assert_eq!(led_by_c(&once), led_by_c(&text));
            prop_assert!(answers(&remove(&once, "a", None), "a", true).is_empty());
        }
    }
}
