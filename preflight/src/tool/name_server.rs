//! What name servers say, as [`Outside::Resolve`](crate::Outside) and [`Outside::Authoritative`](crate::Outside) answers hold it.

use std::net::IpAddr;

use serde::Deserialize;

/// What a name server says of a name.
#[derive(Clone, Debug, Deserialize)]
pub struct Records {
    /// Address and port of the server.
    pub server: String,
    /// `NOERROR`, `NXDOMAIN`…; none where it gave no answer.
    pub rcode: Option<String>,
    /// Why it gave none.
    pub error: Option<String>,
    /// The answers, aliases among them.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// `A`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds for which it may be kept.
    pub ttl: u32,
    /// As in a zone file.
    pub value: String,
}

impl Records {
    /// Reads an answer; none where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Reads the answers of several servers; none where they are none.
    pub fn parse_all(text: &str) -> Option<Vec<Self>> {
        serde_json::from_str(text).ok()
    }

    /// Whether it says that there is or is not such a record, as against failing to say.
    pub fn is_answer(&self) -> bool {
        matches!(self.rcode.as_deref(), Some("NOERROR" | "NXDOMAIN"))
    }

    /// The addresses among the answers.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let addresses = self.records.iter().filter(|record| matches!(record.kind.as_str(), "A" | "AAAA"));
        addresses.filter_map(|record| record.value.parse().ok())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXTURE: &str = r#"{"server": "192.0.2.53:53", "rcode": "NOERROR", "records": [
        {"name": "hq.example.test", "type": "CNAME", "ttl": 300, "value": "lb.example.test"},
        {"name": "lb.example.test", "type": "A", "ttl": 60, "value": "203.0.113.7"}]}"#;

    #[test]
    fn addresses_stand_behind_aliases() {
        let records = Records::parse(FIXTURE).unwrap();
        assert_eq!(records.addresses().collect::<Vec<_>>(), [IpAddr::from([203, 0, 113, 7])]);
        assert!(records.is_answer() && records.records[0].ttl == 300);
        let silent = Records::parse_all(r#"[{"server": "x", "error": "late", "records": []}]"#).unwrap();
        assert!(!silent[0].is_answer());
    }

    proptest! {
        #[test]
        fn what_is_cut_off_is_no_answer(text in any::<String>(), place in any::<prop::sample::Index>()) {
            prop_assert!(Records::parse(&text).is_none() && Records::parse_all(&text).is_none_or(|all| all.is_empty()));
            prop_assert!(Records::parse(&FIXTURE[..place.index(FIXTURE.len())]).is_none());
        }
    }
}
