//! What services offer to others.

use std::sync::Arc;

use super::HostCompiler;
use crate::plan::Offered;

impl HostCompiler<'_> {
    /// What a service offers on this host, and who uses it. A port that depends on something unknown is left out.
    pub(super) fn offers(&mut self, index: usize) {
        let world = Arc::clone(self.world);
        let service = &world.spec.environment.services[index];
        let Some(role) = world.spec.roles.get(&service.role.value) else { return };
        for (number, offer) in role.offers.iter().enumerate() {
            self.scope.take_touched();
            let port = u16::try_from(self.scope.port(index, self.host, number)).ok();
            self.offers.push(Offered {
                service: service.name.value.clone(),
                offer: offer.name.value.clone(),
                port: port.filter(|_| self.scope.take_touched().is_empty()),
                clients: world
                    .topology
                    .clients_of(index, &offer.name)
                    .into_iter()
                    .filter(|client| *client != self.host)
                    .map(|client| world.spec.inventory.hosts[client].name.value.clone())
                    .collect(),
            });
        }
    }
}
