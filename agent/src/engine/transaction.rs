//! Neighbouring packages of a service, installed in one go.

use crate::change::{Change, ChangeKind};
use crate::host::Host;
use crate::resource::{Package, Resource, ResourceType as _};
use crate::step::Step;
use crate::step_error::StepError;

/// How many of the first steps belong together: packages of one service that want the same of apt, at least one step.
pub(super) fn length(steps: &[Step]) -> usize {
    let alike = |step: &&Step| match (&steps[0].resource, &step.resource) {
        (Resource::Package(first), Resource::Package(other)) => {
            first.install_recommends == other.install_recommends && steps[0].service == step.service
        }
        _ => false,
    };
    steps.iter().take_while(alike).count().max(1)
}

/// What would change, one change a step.
pub(super) fn plan(host: &Host, steps: &[Step]) -> Result<Vec<Change>, StepError> {
    packages(steps)
        .map(|package| {
            let state = package.observe(host)?;
            package.diff(&state, host)
        })
        .collect()
}

/// Makes all changes with one call of apt.
pub(super) fn apply(host: &Host, steps: &[Step]) -> Result<(), StepError> {
    Package::apply_all(&packages(steps).collect::<Vec<_>>(), host)
}

/// The change as it was made: a plan may not have known which version would be installed.
pub(super) fn made(host: &Host, step: &Step, change: Change) -> Change {
    let Resource::Package(package) = &step.resource else {
        return change;
    };
    let version = host.packages().ok().and_then(|dpkg| Some(dpkg.installed(&package.name)?.version.clone()));
    match (change.kind, version) {
        (ChangeKind::Create, Some(version)) => Change::of(ChangeKind::Create).value("version", None, Some(version)),
        _ => change,
    }
}

fn packages(steps: &[Step]) -> impl Iterator<Item = &Package> {
    steps.iter().filter_map(|step| match &step.resource {
        Resource::Package(package) => Some(package),
        _ => None,
    })
}
