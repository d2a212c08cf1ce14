//! `/etc/os-release`.

/// What a system says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsRelease {
    /// `ubuntu`.
    pub id: String,
    /// `22.04`.
    pub version: String,
}

impl OsRelease {
    /// Reads the file; none where it names no system.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { id: field(text, "ID")?, version: field(text, "VERSION_ID")? })
    }

    /// `ubuntu-22.04`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.id, self.version)
    }
}

/// The last assignment of a name, without its quotes.
fn field(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| line.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    let value = text.lines().filter_map(value).next_back()?;
    let bare = value.trim_matches(['"', '\'']).trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn quotes_do_not_matter() {
        let parsed = OsRelease::parse("NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nID=ubuntu\nID_LIKE=debian\n").unwrap();
        assert_eq!(parsed.name(), "ubuntu-22.04");
        assert_eq!(OsRelease::parse("ID=\nVERSION_ID=12"), None);
        assert_eq!(OsRelease::parse(""), None);
    }
}
