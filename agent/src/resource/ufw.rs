//! The firewall as a whole.

use serde::{Deserialize, Serialize};

use super::ResourceType;
use super::firewall::{Firewall, not_installed};
use super::ssh_session::SshSession;
use crate::change::{Change, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// The firewall as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ufw {
    /// Any name, for the plan: `firewall`.
    pub name: String,
    /// Whether it is on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Default policy: `deny`, `allow`, `reject`.
    #[serde(default = "deny")]
    pub incoming: String,
    /// Default policy.
    #[serde(default = "allow")]
    pub outgoing: String,
}

fn allow() -> String {
    "allow".to_owned()
}

fn deny() -> String {
    "deny".to_owned()
}

fn yes() -> bool {
    true
}

impl Ufw {
    fn check(&self) -> Result<(), StepError> {
        let policies = [("incoming", &self.incoming), ("outgoing", &self.outgoing)];
        policies.into_iter().try_for_each(|(field, policy)| match policy.as_str() {
            "allow" | "deny" | "reject" => Ok(()),
            other => Err(StepError::new(format!("`{field}: {other}` is not a policy: write allow, deny or reject"))),
        })
    }
}

impl ResourceType for Ufw {
    type State = Firewall;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        Firewall::read(host)
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        if !state.installed {
            if !self.enabled {
                return Ok(Change::none());
            }
            differ.field("enabled", None::<bool>, Some(true));
            differ.field("incoming", None::<String>, Some(&self.incoming));
            differ.field("outgoing", None::<String>, Some(&self.outgoing));
            return Ok(differ.create().note("ufw is not installed yet"));
        }
        differ.field("enabled", Some(state.enabled), Some(self.enabled));
        differ.field("incoming", Some(&state.incoming), Some(&self.incoming));
        differ.field("outgoing", Some(&state.outgoing), Some(&self.outgoing));
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if !state.installed {
            return Err(not_installed());
        }
        if self.enabled {
            state.check_way_in(&self.incoming, SshSession::current().as_ref())?;
        }
        for (direction, is, wanted) in
            [("incoming", &state.incoming, &self.incoming), ("outgoing", &state.outgoing, &self.outgoing)]
        {
            if is != wanted {
                host.command(["ufw", "default", wanted, direction]).run()?;
            }
        }
        if state.enabled == self.enabled {
            return Ok(());
        }
        // Without --force it would ask whether the connection may be lost; that has just been checked.
        host.command(["ufw", "--force", if self.enabled { "enable" } else { "disable" }]).run().map(drop)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::ChangeKind;

    fn ufw(json: &str) -> Ufw {
        serde_json::from_str(json).unwrap()
    }

    fn firewall() -> Firewall {
        Firewall { installed: true, incoming: "deny".into(), outgoing: "allow".into(), ..Firewall::default() }
    }

    #[test]
    fn state_and_policies_are_compared() {
        let host = Host::new("/nonexistent");
        let on = ufw(r#"{"name": "firewall", "incoming": "reject"}"#);
        let change = on.diff(&firewall(), &host).unwrap();
        let expected = Change::of(ChangeKind::Update)
            .value("enabled", Some("false".into()), Some("true".into()))
            .value("incoming", Some("deny".into()), Some("reject".into()));
        assert_eq!(change, expected);
        assert_eq!(on.diff(&Firewall::default(), &host).unwrap().kind, ChangeKind::Create);
        assert!(ufw(r#"{"name": "x", "outgoing": "drop"}"#).check().is_err());
    }
}
