//! Whether others can tell that mail is ours.

use std::net::IpAddr;

use cc_agent::probe::Outcome;
use cc_plan::spec::environment::External;

use crate::answers::Answered;
use crate::judgement::Judgement;
use crate::outside::Outside;
use crate::question::Question;
use crate::tool::ip::is_private;
use crate::tool::name_server::{Record, Records};

/// The domain that mail is sent from, and what its name servers should say.
pub(super) struct Sender<'s> {
    domain: &'s str,
    /// Under which the mail server's key is published.
    selector: Option<&'s str>,
    /// Of the mail server, where it is named by an address that others see.
    address: Option<IpAddr>,
}

/// A record by which others tell that mail is ours.
struct Sign {
    /// For a person.
    what: &'static str,
    name: String,
    kind: &'static str,
    /// Whether a record is it.
    is: fn(&Record) -> bool,
}

impl<'s> Sender<'s> {
    /// That of `external.smtp`; none where it has no `from`.
    pub fn of(external: &'s External) -> Option<Self> {
        let param = |wanted: &str| {
            let (_, node) = external.params.iter().find(|(name, _)| name.value == wanted)?;
            node.as_str()
        };
        // `HQ <hq@example.org>` too.
        let (_, domain) = param("from")?.trim_end_matches('>').rsplit_once('@')?;
        let address = external.address.value.parse().ok().filter(|address| !is_private(*address));
        Some(Self { domain, selector: param("dkim_selector"), address })
    }

    /// What is asked of the name servers.
    pub fn questions(&self) -> Vec<Question> {
        self.signs().iter().map(Sign::question).collect()
    }

    /// What the answers say. Mail without these records is delivered by some and thrown away by others: never a failure.
    pub fn judge(&self, answers: &Answered<'_>) -> Judgement {
        let (mut missing, mut untold) = (Vec::new(), Vec::new());
        for sign in self.signs() {
            match sign.records(answers).filter(Records::is_answer) {
                None => untold.push(sign.described()),
                Some(records) if !records.records.iter().any(sign.is) => missing.push(sign.described()),
                Some(_) => {}
            }
        }
        let expected = format!("others can tell that mail from {} is ours", self.domain);
        if !missing.is_empty() {
            Judgement::warn(format!("there is no {}", missing.join(", and no ")), expected).fix(
                "publish the records that the provider of the mail server names: SPF as TXT of the domain, DKIM as TXT of \
                 SELECTOR._domainkey and the domain, PTR for the server's address",
            )
        } else if !untold.is_empty() {
            Judgement::warn(format!("no name server says whether there is {}", untold.join(", and ")), expected)
                .fix("see whether this machine's resolver answers: `getent hosts` of any name, /etc/resolv.conf")
        } else {
            Judgement::pass("SPF is published", expected)
        }
    }

    fn signs(&self) -> Vec<Sign> {
        let is_spf: fn(&Record) -> bool = |record| record.kind == "TXT" && record.value.starts_with("v=spf1");
        // A key that was withdrawn stays as `p=`.
        let is_key: fn(&Record) -> bool = |record| {
            let parts = || record.value.split(';').map(str::trim);
            record.kind == "TXT" && parts().any(|part| part.starts_with("p=") && part.len() > 2)
        };
        let spf = Sign { what: "SPF record", name: self.domain.to_owned(), kind: "TXT", is: is_spf };
        let key = self.selector.map(|selector| {
            let name = format!("{selector}._domainkey.{}", self.domain);
            Sign { what: "DKIM key", name, kind: "TXT", is: is_key }
        });
        let name = self.address.map(|address| Sign {
            what: "PTR record",
            name: address.to_string(),
            kind: "PTR",
            is: |record| record.kind == "PTR",
        });
        [Some(spf), key, name].into_iter().flatten().collect()
    }
}

impl Sign {
    fn question(&self) -> Question {
        Question::Outside(Outside::Resolve { name: self.name.clone(), kind: self.kind.to_owned(), server: None })
    }

    fn records(&self, answers: &Answered<'_>) -> Option<Records> {
        let question = self.question();
        let index = answers.questions.iter().position(|asked| *asked == question)?;
        match answers.outcome(index) {
            Outcome::Text { text, cut: false } => Records::parse(text),
            _ => None,
        }
    }

    fn described(&self) -> String {
        format!("{} of {}", self.what, self.name)
    }
}
