//! The way from a client to a host that it uses.

use cc_agent::probe::Probe;
use cc_plan::plan::Offered;

use crate::question::Question;
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;

/// The way from a client to a host that it uses.
pub(super) struct Way<'s> {
    /// The client.
    pub from: &'s HostScene<'s>,
    /// The server.
    pub to: &'s HostScene<'s>,
}

impl<'s> Way<'s> {
    /// That of a pair.
    pub fn of(scene: &'s Scene<'s>, subject: Subject) -> Option<Self> {
        let Subject::Pair { from, to } = subject else { return None };
        Some(Self { from: scene.hosts.get(from)?, to: scene.hosts.get(to)? })
    }

    /// What the client uses there, with its port.
    pub fn offers(&self) -> Vec<(&'s Offered, u16)> {
        let used = self.to.offers.iter().filter(|offer| offer.clients.contains(&self.from.name));
        used.filter_map(|offer| Some((offer, offer.port?))).collect()
    }

    /// The first port that the client uses: what is measured over it holds for the others.
    pub fn first_port(&self) -> Option<u16> {
        self.offers().first().map(|(_, port)| *port)
    }

    /// Where the client finds the server. A host without a written address is known by its name.
    pub fn address(&self) -> String {
        self.to.address.clone().unwrap_or_else(|| self.to.name.clone())
    }

    /// Asks the server to listen. Several checks ask for the same: it is done once.
    pub fn listen(&self, port: u16) -> Question {
        Question::On { host: self.to.name.clone(), probe: Probe::Listen { port } }
    }

    /// Asks the client.
    pub fn ask(&self, probe: Probe) -> Question {
        Question::On { host: self.from.name.clone(), probe }
    }

    /// Connections from the client.
    pub fn connect(&self, port: u16, times: u16) -> Question {
        self.ask(Probe::Connect { address: self.address(), port, times })
    }

    /// Datagrams from the client and back.
    pub fn echo(&self, port: u16, times: u16, bytes: u16) -> Question {
        self.ask(Probe::Echo { address: self.address(), port, times, bytes })
    }
}
