//! A rule of the firewall.

use serde::{Deserialize, Serialize};

use super::firewall::{Firewall, not_installed};
use super::plain::plain;
use super::ssh_session::SshSession;
use super::ufw_tuple::{Network, UfwTuple};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// A rule of the firewall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UfwRule {
    /// Comment that identifies the rule.
    pub name: String,
    /// `allow`, `deny`, `limit`, `reject`.
    #[serde(default = "allow")]
    pub action: String,
    /// Port or range `6000:6100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Source address or network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Destination address or network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn allow() -> String {
    "allow".to_owned()
}

impl UfwRule {
    fn bad(&self, why: &str) -> StepError {
        StepError::new(format!("the firewall rule `{}`: {why}", self.name.escape_default()))
    }

    fn check(&self) -> Result<(), StepError> {
        plain("ufw_rule", &self.name)?;
        if self.name.is_empty() || self.name.contains('\'') || self.name.starts_with('-') {
            return Err(self.bad("ufw takes no such comment, by which we know the rule"));
        }
        if self.state == Presence::Absent {
            return Ok(());
        }
        if !matches!(self.action.as_str(), "allow" | "deny" | "limit" | "reject") {
            return Err(self.bad(&format!("`{}` is none of allow, deny, limit, reject", self.action)));
        }
        if !matches!(self.protocol.as_deref(), None | Some("tcp" | "udp")) {
            return Err(self.bad("its protocol is neither tcp nor udp"));
        }
        let port = self.port.as_deref().unwrap_or("1");
        if !port.split(',').all(is_port) {
            return Err(self.bad(&format!("`{port}` is not a port: write 443, 80,443 or 6000:6100")));
        }
        if port.contains([',', ':']) && self.protocol.is_none() {
            return Err(self.bad("several ports need a protocol").hint("add `protocol: tcp` or `protocol: udp`"));
        }
        if self.port.is_none() && self.from.is_none() && self.to.is_none() && self.protocol.is_none() {
            return Err(self.bad("it names no port and no address").hint("set the default policy with `ufw` instead"));
        }
        Ok(())
    }

    fn network(&self, field: &str, given: Option<&String>) -> Result<Option<Network>, StepError> {
        let given = given.map(String::as_str).filter(|text| *text != "any");
        given
            .map(|text| {
                Network::parse(text).ok_or_else(|| self.bad(&format!("`{field}: {text}` is not an address or network")))
            })
            .transpose()
    }

    /// The rules that ufw makes of it, one for each address family that it fits.
    fn tuples(&self, ipv6: bool) -> Result<Vec<UfwTuple>, StepError> {
        let (from, to) = (self.network("from", self.from.as_ref())?, self.network("to", self.to.as_ref())?);
        let fits = |v6: bool| [from, to].into_iter().flatten().all(|network| network.is_v6() == v6);
        let families: Vec<bool> = [false, true].into_iter().filter(|v6| fits(*v6)).collect();
        if families.is_empty() {
            return Err(self.bad("`from` and `to` are of different address families"));
        }
        if families == [true] && !ipv6 {
            return Err(self
                .bad("it is for IPv6, which ufw does not handle on this host")
                .hint("see IPV6 in /etc/default/ufw"));
        }
        let rule = |v6: bool| UfwTuple {
            action: self.action.clone(),
            protocol: self.protocol.clone().unwrap_or_else(|| "any".to_owned()),
            dport: self.port.as_deref().map_or_else(|| "any".to_owned(), sorted),
            dst: to.unwrap_or(Network::any(v6)).canonical(),
            sport: "any".to_owned(),
            src: from.unwrap_or(Network::any(v6)).canonical(),
            direction: "in".to_owned(),
            comment: self.name.clone(),
            application: false,
        };
        Ok(families.into_iter().filter(|v6| ipv6 || !v6).map(rule).collect())
    }

    /// The rules of this name on the host.
    fn ours<'a>(&'a self, firewall: &'a Firewall) -> impl Iterator<Item = &'a UfwTuple> {
        firewall.rules.iter().filter(|rule| rule.comment == self.name)
    }

    /// Refuses to take away the rule that lets us in.
    fn check_way_in(
        &self,
        state: &Firewall,
        wanted: &[UfwTuple],
        session: Option<&SshSession>,
    ) -> Result<(), StepError> {
        let open = |rules| Firewall { rules, ..Firewall::default() }.check_way_in(&state.incoming, session);
        if !state.enabled || open(state.rules.clone()).is_err() {
            return Ok(());
        }
        let others = state.rules.iter().filter(|rule| rule.comment != self.name);
        open(others.chain(wanted).cloned().collect())
    }

    fn remove(&self, rule: &UfwTuple, host: &Host) -> Result<(), StepError> {
        let arguments = rule.arguments().ok_or_else(|| {
            self.bad(&format!("another kind of rule has this comment: {}", rule.describe()))
                .hint("remove it by hand: `ufw status numbered`, `ufw delete NUMBER`")
        })?;
        host.command(["ufw", "--force", "delete"]).args(arguments).run().map(drop)
    }
}

fn is_port(text: &str) -> bool {
    let number =
        |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0 && text.bytes().all(|b| b.is_ascii_digit()));
    match text.split_once(':') {
        None => number(text).is_some(),
        Some((first, last)) => matches!((number(first), number(last)), (Some(first), Some(last)) if first < last),
    }
}

/// Ports in the order in which ufw writes them.
fn sorted(ports: &str) -> String {
    let mut ports: Vec<&str> = ports.split(',').collect();
    ports.sort_by_key(|range| range.split(':').next().and_then(|port| port.parse::<u16>().ok()));
    ports.join(",")
}

/// Rules for a person; those of both families read the same and are named once.
fn describe<'a>(rules: impl Iterator<Item = &'a UfwTuple>) -> Option<String> {
    let mut texts: Vec<String> = rules.map(UfwTuple::describe).collect();
    texts.dedup();
    (!texts.is_empty()).then(|| texts.join(", "))
}

impl ResourceType for UfwRule {
    type State = Firewall;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        Firewall::read(host)
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let before = describe(self.ours(state));
        if self.state == Presence::Absent {
            let change = before.map(|rule| Change::of(ChangeKind::Delete).value("rule", Some(rule), None));
            return Ok(change.unwrap_or_else(Change::none));
        }
        let wanted = self.tuples(state.ipv6 || !state.installed)?;
        let same = self.ours(state).count() == wanted.len() && self.ours(state).all(|rule| wanted.contains(rule));
        if same {
            return Ok(Change::none());
        }
        let after = describe(wanted.iter());
        let mut differ = Differ::default();
        if before == after {
            let families = |rules: usize| format!("for {rules} of the address families");
            differ.field("rule", Some(families(self.ours(state).count())), Some(families(wanted.len())));
        }
        differ.field("rule", before.as_ref(), after);
        Ok(if before.is_none() { differ.create() } else { differ.update() })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if !state.installed {
            return Err(not_installed());
        }
        let wanted = if self.state == Presence::Present { self.tuples(state.ipv6)? } else { Vec::new() };
        self.check_way_in(state, &wanted, SshSession::current().as_ref())?;
        // The new rule comes before the old one goes: at no time is less allowed than before or after.
        for rule in wanted.iter().filter(|rule| !state.rules.contains(rule)) {
            let arguments = rule.arguments().unwrap_or_default();
            host.command(["ufw"]).args(arguments).args(["comment", &self.name]).run()?;
        }
        // A rule that differs in its action alone was changed in its place by now.
        let between = Firewall::read(host)?;
        for rule in self.ours(&between).filter(|rule| !wanted.contains(rule)) {
            self.remove(rule, host)?;
        }
        Ok(())
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(json: &str) -> UfwRule {
        let rule: UfwRule = serde_json::from_str(json).unwrap();
        rule.check().unwrap();
        rule
    }

    fn firewall(rules: Vec<UfwTuple>) -> Firewall {
        Firewall { installed: true, ipv6: true, rules, ..Firewall::default() }
    }

    fn lines(rule: &UfwRule) -> Vec<String> {
        rule.tuples(true).unwrap().iter().map(|tuple| tuple.arguments().unwrap().join(" ")).collect()
    }

    #[test]
    fn a_rule_without_addresses_is_for_both_families() {
        assert_eq!(
            lines(&rule(r#"{"name": "web", "port": "443,80", "protocol": "tcp"}"#)),
            [
                "allow in proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 80,443",
                "allow in proto tcp from ::/0 to ::/0 port 80,443"
            ]
        );
        let db = rule(r#"{"name": "db", "port": "5432", "protocol": "tcp", "from": "10.1.2.3/8"}"#);
        assert_eq!(lines(&db), ["allow in proto tcp from 10.0.0.0/8 to 0.0.0.0/0 port 5432"]);
        assert_eq!(rule(r#"{"name": "a", "port": "1"}"#).tuples(false).unwrap().len(), 1);
    }

    #[test]
    fn what_is_there_is_no_change_whatever_its_order() {
        let host = Host::new("/nonexistent");
        let web = rule(r#"{"name": "web", "port": "80", "protocol": "tcp"}"#);
        let mut rules = web.tuples(true).unwrap();
        rules.reverse();
        rules.extend(rule(r#"{"name": "other", "port": "81"}"#).tuples(true).unwrap());
        assert!(web.diff(&firewall(rules.clone()), &host).unwrap().is_none());
        let moved = rule(r#"{"name": "web", "port": "8080", "protocol": "tcp"}"#);
        let change = moved.diff(&firewall(rules), &host).unwrap();
        let expected = Change::of(ChangeKind::Update).value(
            "rule",
            Some("allow tcp port 80".into()),
            Some("allow tcp port 8080".into()),
        );
        assert_eq!(change, expected);
    }

    #[test]
    fn a_missing_family_is_a_change_too() {
        let host = Host::new("/nonexistent");
        let web = rule(r#"{"name": "web", "port": "80"}"#);
        let only_v4 = web.tuples(false).unwrap();
        assert_eq!(web.diff(&firewall(only_v4), &host).unwrap().kind, ChangeKind::Update);
    }

    #[test]
    fn the_rule_that_lets_us_in_cannot_be_taken_away() {
        let ssh = rule(r#"{"name": "ssh", "port": "22", "protocol": "tcp"}"#);
        let session = |port| Some(SshSession { from: "192.0.2.7".parse().unwrap(), port });
        let on = Firewall { enabled: true, incoming: "deny".into(), ..firewall(ssh.tuples(true).unwrap()) };
        assert!(ssh.check_way_in(&on, &[], session(22).as_ref()).is_err());
        let deny = UfwRule { action: "deny".into(), ..ssh.clone() };
        assert!(ssh.check_way_in(&on, &deny.tuples(true).unwrap(), session(22).as_ref()).is_err());
        assert!(ssh.check_way_in(&on, &ssh.tuples(true).unwrap(), session(22).as_ref()).is_ok());
        assert!(ssh.check_way_in(&on, &[], None).is_ok());
        assert!(ssh.check_way_in(&on, &[], session(2222).as_ref()).is_ok(), "shut before, and not by us");
        assert!(ssh.check_way_in(&Firewall { enabled: false, ..on }, &[], session(22).as_ref()).is_ok());
    }

    #[test]
    fn what_ufw_would_refuse_or_misread_is_refused_first() {
        for bad in [
            r#"{"name": "", "port": "1"}"#,
            r#"{"name": "it's", "port": "1"}"#,
            r#"{"name": "x", "port": "0"}"#,
            r#"{"name": "x", "port": "+1"}"#,
            r#"{"name": "x", "port": "ssh"}"#,
            r#"{"name": "x", "port": "6100:6000", "protocol": "tcp"}"#,
            r#"{"name": "x", "port": "80,443"}"#,
            r#"{"name": "x", "action": "drop", "port": "1"}"#,
            r#"{"name": "x", "protocol": "icmp"}"#,
            r#"{"name": "x"}"#,
        ] {
            assert!(serde_json::from_str::<UfwRule>(bad).unwrap().check().is_err(), "{bad}");
        }
        let mixed = rule(r#"{"name": "x", "from": "10.0.0.1", "to": "fd00::1"}"#);
        assert!(mixed.tuples(true).unwrap_err().message.contains("different address families"));
    }
}
