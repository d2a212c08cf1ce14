//! The SSH sessions of a fleet, to relay over.

use std::collections::BTreeMap;
use std::time::Duration;

use super::relay::{Opening, Relay, Stream};
use crate::run::Fleet;
use crate::ssh::Forwarder;

/// How long a host may take to connect.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sessions of the hosts that were reached, by name.
pub struct Sessions {
    forwarders: BTreeMap<String, Forwarder>,
}

impl Sessions {
    /// Those of a fleet. They stay open as long as this.
    pub fn of(fleet: &Fleet) -> Self {
        let forwarders = fleet.members.iter().map(|(host, member)| (host.clone(), member.forwarder()));
        Self { forwarders: forwarders.collect() }
    }
}

impl Relay for Sessions {
    fn open<'a>(&'a self, from: &'a str, address: &'a str, port: u16) -> Opening<'a> {
        Box::pin(async move {
            let forwarder = self.forwarders.get(from).ok_or_else(|| format!("there is no session with {from}"))?;
            let stream =
                forwarder.connect(address, port, PATIENCE).await.map_err(|error| format!("{from}: {error}"))?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}
