//! `getent passwd` and `getent group`: lines of fields between colons.

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Number.
    pub id: u32,
}

impl Entry {
    /// Reads all lines; none where one of them is no entry.
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        let entry = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            fields.next()?;
            let id = fields.next()?.parse().ok()?;
            // A group has one more field, a user four more.
            [1, 4].contains(&fields.count()).then(|| Self { name: name.to_owned(), id })
        };
        text.lines().map(entry).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const PASSWD: &str = include_str!("../../tests/fixtures/getent/passwd.txt");
    const GROUP: &str = include_str!("../../tests/fixtures/getent/group.txt");

    #[test]
    fn names_and_numbers() {
        let users = Entry::parse(PASSWD).unwrap();
        assert_eq!(users.last().unwrap(), &Entry { name: "nobody".to_owned(), id: 65534 });
        assert_eq!(Entry::parse(GROUP).unwrap()[0], Entry { name: "root".to_owned(), id: 0 });
        assert_eq!(Entry::parse("no such entry\n"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[PASSWD, GROUP])) {
            Entry::parse(&text);
        }
    }
}
