//! X.509 certificates, as an [`Outside::Tls`](crate::Outside) answer holds them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What a server showed.
#[derive(Clone, Debug, Deserialize)]
pub struct Shown {
    /// Whether the machine that looked trusts it for the name.
    pub trusted: bool,
    /// Why not.
    pub why: Option<String>,
    /// Base64 of each certificate's DER, the server's own first.
    pub chain: Vec<String>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Names that it is for.
    pub names: Vec<String>,
    /// Its last second, counted from 1970.
    pub ends: i64,
}

impl Shown {
    /// Reads an answer; none where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The certificates, the server's own first; none where one cannot be read, or there is none.
    pub fn certificates(&self) -> Option<Vec<Certificate>> {
        let chain: Option<Vec<Certificate>> = self.chain.iter().map(|text| Certificate::parse(text)).collect();
        chain.filter(|chain| !chain.is_empty())
    }
}

impl Certificate {
    fn parse(base64: &str) -> Option<Self> {
        let der = BASE64_STANDARD.decode(base64).ok()?;
        let parsed = x509_cert::Certificate::from_der(&der).ok()?;
        let own = parsed.tbs_certificate();
        let names = match own.get_extension::<SubjectAltName>().ok()? {
            Some((_, names)) => names.0.iter().filter_map(name).collect(),
            None => Vec::new(),
        };
        let ends = i64::try_from(own.validity().not_after.to_unix_duration().as_secs()).ok()?;
        Some(Self { subject: own.subject().to_string(), issuer: own.issuer().to_string(), names, ends })
    }

    /// Whether nobody but its owner vouches for it.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it is for a name; `*.example.org` is for each name directly below.
    pub fn is_for(&self, name: &str) -> bool {
        let below = name.split_once('.').map(|(_, rest)| rest);
        self.names.iter().any(|own| {
            own.eq_ignore_ascii_case(name)
                || own.strip_prefix("*.").zip(below).is_some_and(|(own, rest)| own.eq_ignore_ascii_case(rest))
        })
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
            four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string())).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXTURE: &str = include_str!("../../tests/fixtures/certificate/self-signed.txt");

    #[test]
    fn names_and_end_are_read() {
        let own = Certificate::parse(FIXTURE.trim()).unwrap();
        assert!(own.is_self_signed() && own.subject.contains("hq.example.test"), "{own:?}");
        assert_eq!(own.ends, 1_767_225_599);
        for (name, is_for) in [
            ("hq.example.test", true),
            ("HQ.example.test", true),
            ("a.wild.example.test", true),
            ("a.b.wild.example.test", false),
            ("wild.example.test", false),
            ("192.0.2.7", true),
        ] {
            assert_eq!(own.is_for(name), is_for, "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            prop_assert!(Shown::parse(&text).is_none());
            prop_assert_eq!(Certificate::parse(&text), None);
            let mut der = BASE64_STANDARD.decode(FIXTURE.trim()).unwrap();
            let place = place.index(der.len());
            der[place] = byte;
            let _ = Certificate::parse(&BASE64_STANDARD.encode(&der));
            prop_assert_eq!(Certificate::parse(&BASE64_STANDARD.encode(&der[..place])), None);
        }
    }
}
