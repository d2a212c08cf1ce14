//! `getent ahosts NAME`: what a host itself takes a name for.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Its status for a name that has no address.
pub const NOT_FOUND: i32 = 2;

/// The addresses of a name; none where a line has none.
pub fn addresses(text: &str) -> Option<BTreeSet<IpAddr>> {
    let found: Option<BTreeSet<IpAddr>> =
        text.lines().map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    found.filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXTURE: &str = include_str!("../../tests/fixtures/ahosts/localhost.txt");

    #[test]
    fn an_address_for_each_kind_of_socket_is_one() {
        assert_eq!(addresses(FIXTURE), Some(BTreeSet::from([IpAddr::from([127, 0, 0, 1])])));
        assert_eq!(addresses(""), None);
    }

    proptest! {
        #[test]
        fn what_is_no_address_is_not_taken_for_one(text in "[a-z\n ]*") {
            prop_assert_eq!(addresses(&text), None);
        }
    }
}
