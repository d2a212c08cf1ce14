//! What a plan will ask the host for.

use std::collections::BTreeSet;

use crate::resource::Resource;

/// Names that a plan will ask for, so that one command can answer for all of them.
#[derive(Debug, Default, Clone)]
pub struct Expected {
    /// Packages.
    pub packages: BTreeSet<String>,
    /// systemd units, with their ending.
    pub units: BTreeSet<String>,
}

impl Expected {
    /// What these resources will ask for.
    pub fn of<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Self {
        let mut expected = Self::default();
        for resource in resources {
            match resource {
                Resource::Package(package) => {
                    expected.packages.insert(package.name.clone());
                }
                Resource::Service(service) if super::is_unit_name(&service.name) => {
                    expected.units.insert(super::units::full_name(&service.name));
                }
                Resource::Unit(unit) => {
                    expected.units.extend(unit.unit_name().map(str::to_owned));
                }
                _ => {}
            }
        }
        expected
    }
}
