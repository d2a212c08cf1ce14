//! What ufw has in its files.

use std::net::IpAddr;
use std::path::Path;

use super::ssh_session::SshSession;
use super::ufw_tuple::UfwTuple;
use crate::host::Host;
use crate::step_error::StepError;

/// ufw as it is set up; what runs is the same, because ufw writes its files whenever it changes the kernel's rules.
#[derive(Debug, Default)]
pub struct Firewall {
    /// Whether ufw is there at all.
    pub(super) installed: bool,
    pub(super) enabled: bool,
    /// Default policies in ufw's words; empty when unknown.
    pub(super) incoming: String,
    pub(super) outgoing: String,
    /// Whether rules are made for IPv6 too.
    pub(super) ipv6: bool,
    /// IPv4 rules first, each family in the order in which it is asked.
    pub(super) rules: Vec<UfwTuple>,
}

impl Firewall {
    pub(super) fn read(host: &Host) -> Result<Self, StepError> {
        let text = |path: &str| Ok::<_, StepError>(host.read_text(Path::new(path))?.unwrap_or_default());
        let (conf, defaults) = (text("/etc/ufw/ufw.conf")?, text("/etc/default/ufw")?);
        let rules = [text("/etc/ufw/user.rules")?, text("/etc/ufw/user6.rules")?];
        Ok(Self {
            installed: Path::new("/usr/sbin/ufw").exists(),
            enabled: setting(&conf, "ENABLED").eq_ignore_ascii_case("yes"),
            incoming: policy(setting(&defaults, "DEFAULT_INPUT_POLICY")),
            outgoing: policy(setting(&defaults, "DEFAULT_OUTPUT_POLICY")),
            ipv6: setting(&defaults, "IPV6").eq_ignore_ascii_case("yes") && Path::new("/proc/sys/net/ipv6").exists(),
            rules: rules.iter().flat_map(|text| UfwTuple::parse_all(text)).collect(),
        })
    }

    /// Refuses a firewall in which the next session would not come in. The one of today would live on, because what is
    /// established stays, and nobody would notice before it is too late.
    pub(super) fn check_way_in(&self, incoming: &str, session: Option<&SshSession>) -> Result<(), StepError> {
        let Some(SshSession { from, port }) = session else {
            return Ok(());
        };
        if self.lets_in(*port, *from, incoming) {
            return Ok(());
        }
        let message = format!(
            "the firewall would shut this host off: no rule would let {from} in to port {port}, which is how we came"
        );
        Err(StepError::new(message)
            .hint(format!("put a `ufw_rule` that allows port {port}/tcp from {from} before this step")))
    }

    /// Whether a new connection to this TCP port would be let in under this default policy.
    fn lets_in(&self, port: u16, from: IpAddr, policy: &str) -> bool {
        let first = self.rules.iter().find(|rule| rule.decides("tcp", port, from));
        from.is_loopback() || first.map_or(policy == "allow", UfwTuple::admits)
    }
}

/// The error for a host without ufw.
pub(super) fn not_installed() -> StepError {
    StepError::new("ufw is not on this host").hint("add a step `package: ufw` before it")
}

/// The last value of a shell assignment.
fn setting<'a>(text: &'a str, name: &str) -> &'a str {
    let value = text.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().trim().trim_matches(['"', '\''])
}

fn policy(target: &str) -> String {
    match target {
        "ACCEPT" => "allow",
        "DROP" => "deny",
        "REJECT" => "reject",
        _ => "",
    }
    .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_a_shell_would() {
        let text = "# ENABLED=yes\nENABLED=no\nIPV6=\"yes\"\nENABLED='Yes'\n";
        assert_eq!((setting(text, "ENABLED"), setting(text, "IPV6"), setting(text, "NONE")), ("Yes", "yes", ""));
    }

    #[test]
    fn the_first_rule_that_decides_counts_then_the_policy() {
        let rules = UfwTuple::parse_all(
            "### tuple ### deny tcp 22 0.0.0.0/0 any 192.0.2.0/24 in\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n",
        );
        let firewall = Firewall { rules, ..Firewall::default() };
        let (denied, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        assert!(!firewall.lets_in(22, denied, "allow"));
        assert!(firewall.lets_in(22, other, "deny"));
        assert!(!firewall.lets_in(2222, other, "deny"));
        assert!(firewall.lets_in(2222, other, "allow"));
        assert!(firewall.lets_in(2222, "127.0.0.1".parse().unwrap(), "deny"));
        let error = firewall.check_way_in("deny", Some(&SshSession { from: other, port: 2222 })).unwrap_err();
        assert!(error.message.contains("port 2222") && error.hint.unwrap().contains("2222/tcp"));
        assert!(firewall.check_way_in("deny", Some(&SshSession { from: other, port: 22 })).is_ok());
        assert!(firewall.check_way_in("deny", None).is_ok());
    }
}
