//! Rollouts: that a gate names services.

use super::Draft;
use super::reference::unknown;
use crate::diagnostic::Diagnostics;

pub(super) fn check(draft: &Draft<'_>, found: &mut Diagnostics) {
    let Some(environment) = draft.environment.as_ref().filter(|environment| environment.complete) else { return };
    let services = &environment.value.services;
    let known: Vec<&str> = services.iter().map(|service| service.name.value.as_str()).collect();
    let own = services.iter().filter_map(|service| service.rollout.as_ref());
    for rollout in own.chain([&environment.value.rollout]) {
        for name in rollout.gate.iter().filter(|name| !known.contains(&name.value.as_str())) {
            found.push(unknown("service", name, &known));
        }
    }
}
