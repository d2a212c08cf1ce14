//! Who answers.

use std::collections::BTreeMap;

use cc_agent::facts::Facts;
use cc_preflight::{HostScene, Reach};

use crate::run::{Fleet, Lost};
use crate::ssh::Barrier;

/// Who answers.
pub enum Hosts {
    /// Nobody: only files are checked.
    Nobody,
    /// Agents of an environment's hosts.
    Fleet(Box<Fleet>),
    /// This machine, without an agent.
    Here(Box<Facts>),
}

impl Hosts {
    /// Tells a scene what is known of a host.
    pub(super) fn introduce(&self, host: &mut HostScene<'_>) {
        match self {
            Self::Nobody => {}
            Self::Here(facts) => {
                // Nobody has written down an address of this machine.
                host.address = None;
                host.facts = Some((**facts).clone());
                host.reach = Reach::Connected { user: None, root: rustix::process::geteuid().is_root() };
            }
            Self::Fleet(fleet) => {
                if let Some(member) = fleet.members.get(&host.name) {
                    host.facts = Some(member.facts.clone());
                    host.installed = member.installed;
                    host.reach = Reach::Connected { user: Some(member.user.clone()), root: member.root };
                } else if let Some(lost) = fleet.lost.get(&host.name) {
                    host.reach = reach(lost);
                }
            }
        }
    }

    /// Facts of those who answer.
    pub fn facts(&self, here: &str) -> BTreeMap<String, Facts> {
        match self {
            Self::Nobody => BTreeMap::new(),
            Self::Fleet(fleet) => fleet.facts(),
            Self::Here(facts) => [(here.to_owned(), (**facts).clone())].into(),
        }
    }
}

fn reach(lost: &Lost) -> Reach {
    use cc_preflight::Cause;
    let cause = match lost.barrier {
        Barrier::Network => Cause::Network,
        Barrier::HostKey => Cause::HostKey,
        Barrier::Login => Cause::Login,
        Barrier::Sudo => Cause::Sudo,
        Barrier::Agent => Cause::Agent,
    };
    Reach::Lost { message: lost.message.clone(), hint: lost.hint.clone(), cause }
}
