//! Where people reach the site.

use std::net::IpAddr;

use cc_plan::spec::environment::Size;

use crate::judgement::Unmeasured;
use crate::question::Ask;
use crate::scene::{HostScene, Scene};
use crate::tool::ip::is_private;

/// Ports of the web.
pub(super) const WEB: [u16; 2] = [80, 443];
/// What to do where the site has no name.
pub(super) const NAME_IT: &str = "write the name of the site as `policy.preflight.site` of the environment";

/// Where people reach the site: its names, and the hosts that answer to them.
pub(super) struct Front<'s> {
    /// The site's name, then its further names.
    pub names: Vec<&'s str>,
    /// Hosts that offer a port of the web to people rather than to other hosts.
    pub hosts: Vec<&'s HostScene<'s>>,
}

impl<'s> Front<'s> {
    /// That of an environment.
    pub fn of(scene: &'s Scene<'s>) -> Self {
        let written = &scene.policy.written;
        let names = written.site.iter().chain(&written.alternate_sites).map(|name| name.value.as_str()).collect();
        let offers_web = |host: &&HostScene<'_>| {
            host.offers
                .iter()
                .any(|offer| offer.port.is_some_and(|port| WEB.contains(&port)) && offer.clients.is_empty())
        };
        Self { names, hosts: scene.hosts.iter().filter(offers_web).collect() }
    }

    /// Why nothing can be asked about the site's names: a rehearsal needs none, any other environment is told to have one.
    pub fn unnamed(&self, scene: &Scene<'_>) -> Option<Ask> {
        match (self.names.is_empty(), scene.size()) {
            (false, _) => None,
            (true, Size::Demo) => Some(Ask::skip(format!("demo: the site has no name of its own; {NAME_IT}"))),
            (true, _) => Some(Ask::nothing()),
        }
    }

    /// That the site has a name.
    pub fn named(&self) -> Result<(), Unmeasured> {
        if self.names.is_empty() { Err(Unmeasured::new("the site has no name").fix(NAME_IT)) } else { Ok(()) }
    }

    /// The addresses under which people should reach the site.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.hosts.iter().filter_map(|host| public_address(host)).collect()
    }
}

/// The address under which others reach a host: its param `public_address`, else the one of the inventory.
pub(super) fn public_address(host: &HostScene<'_>) -> Option<IpAddr> {
    let own = host.param("public_address").and_then(|node| node.as_str());
    own.or(host.address.as_deref())?.parse().ok()
}

/// Whether people on the internet can reach a host's address.
pub(super) fn is_public(host: &HostScene<'_>) -> bool {
    public_address(host).is_some_and(|address| !is_private(address))
}
