//! An address in `/etc/hosts`.

use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::hosts_file::{HostsLine, answers, place, remove};
use super::plain::plain;
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// An address in `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostsEntry {
    /// Canonical name.
    pub name: String,
    /// IP address.
    #[serde(default)]
    pub address: String,
    /// Further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

const FILE: &str = "/etc/hosts";

impl HostsEntry {
    fn line(&self) -> Result<HostsLine, StepError> {
        let names: Vec<String> = [&self.name].into_iter().chain(&self.aliases).cloned().collect();
        for name in &names {
            plain("hosts_entry", name)?;
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '#') {
                return Err(StepError::new(format!("`{name}` is not a host name")));
            }
        }
        Ok(HostsLine { address: self.address()?, names })
    }

    fn address(&self) -> Result<IpAddr, StepError> {
        self.address.parse().map_err(|_| {
            let message =
                format!("the address `{}` of the host name `{}` is not an IP address", self.address, self.name);
            StepError::new(message).hint("write an address such as 10.0.0.5 or fd00::5")
        })
    }

    /// The file's text as it should be.
    fn edit(&self, text: &str) -> Result<String, StepError> {
        match self.state {
            Presence::Present => Ok(place(text, &self.line()?)),
            Presence::Absent if self.address.is_empty() => Ok(remove(text, &self.name, None)),
            Presence::Absent => Ok(remove(text, &self.name, Some(self.address()?))),
        }
    }
}

impl ResourceType for HostsEntry {
    type State = String;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        Ok(host.read_text(Path::new(FILE))?.unwrap_or_default())
    }

    fn diff(&self, text: &Self::State, _: &Host) -> Result<Change, StepError> {
        if self.state == Presence::Absent {
            let change = if self.edit(text)? == *text { ChangeKind::None } else { ChangeKind::Delete };
            return Ok(Change::of(change));
        }
        let wanted = self.line()?;
        let known = answers(text, &self.name, wanted.address.is_ipv4());
        if let [only] = known.as_slice()
            && *only == wanted
        {
            return Ok(Change::none());
        }
        let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
        let addresses = list(known.iter().map(|line| line.address.to_string()).collect());
        let names = list(known.iter().map(|line| line.names.join(" ")).collect());
        let mut differ = Differ::default();
        differ.field("address", addresses, Some(wanted.address));
        differ.field("names", names, Some(wanted.names.join(" ")));
        Ok(if known.is_empty() { differ.create() } else { differ.update() })
    }

    fn apply(&self, text: &Self::State, host: &Host) -> Result<(), StepError> {
        host.write(Path::new(FILE), self.edit(text)?.as_bytes(), Attributes::default())
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }

    /// A name may have an address of each family.
    fn qualifier(&self) -> String {
        if self.address.contains(':') { "IPv6".to_owned() } else { String::new() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(json: &str) -> HostsEntry {
        serde_json::from_str(json).unwrap()
    }

    const TEXT: &str = "127.0.0.1\tlocalhost\n10.0.0.9\tdb1\n";

    #[test]
    fn a_moved_name_shows_both_addresses() {
        let host = Host::new("/nonexistent");
        let db = entry(r#"{"name": "db1", "address": "10.0.0.2"}"#);
        let change = db.diff(&TEXT.to_owned(), &host).unwrap();
        let expected =
            Change::of(ChangeKind::Update).value("address", Some("10.0.0.9".into()), Some("10.0.0.2".into()));
        assert_eq!(change, expected);
        let after = db.edit(TEXT).unwrap();
        assert_eq!(after, "127.0.0.1\tlocalhost\n10.0.0.2\tdb1\n");
        assert!(db.diff(&after, &host).unwrap().is_none());
        assert_eq!(db.absent().unwrap().edit(&after).unwrap(), "127.0.0.1\tlocalhost\n");
    }

    #[test]
    fn what_would_break_the_file_is_refused() {
        for bad in [
            r#"{"name": "db1", "address": "10.0.0"}"#,
            r#"{"name": "db1", "address": ""}"#,
            r#"{"name": "db 1", "address": "10.0.0.1"}"#,
            r##"{"name": "db1", "address": "10.0.0.1", "aliases": ["#x"]}"##,
            r#"{"name": "db1", "address": "10.0.0.1", "aliases": ["a\n1.1.1.1 b"]}"#,
        ] {
            assert!(entry(bad).edit(TEXT).is_err(), "{bad}");
        }
    }
}
