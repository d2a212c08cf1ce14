//! The part of a plan that a command is about: `--limit`, `--services`, `--tags`.

use std::collections::BTreeSet;
use std::fmt;

use cc_plan::plan::Plan;
use cc_plan::spec::Spec;
use cc_plan::suggest;
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// Names as given on the command line; an empty list selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Hosts and groups.
    pub limit: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}

impl Selection {
    /// Hosts and groups alone.
    pub fn hosts(limit: &[String]) -> Self {
        Self { limit: limit.to_vec(), ..Self::default() }
    }

    /// Whether steps of a selected host may be left out, so that nothing can be said of orphans.
    pub fn is_partial(&self) -> bool {
        !self.services.is_empty() || !self.tags.is_empty()
    }

    /// The selected hosts in inventory order.
    ///
    /// # Errors
    /// A name that is neither a host nor a group.
    pub fn select_hosts(&self, spec: &Spec) -> Result<Vec<String>, CliError> {
        let hosts = &spec.inventory.hosts;
        let known = || {
            let names = hosts.iter().map(|host| host.name.as_str());
            names.chain(hosts.iter().flat_map(|host| host.groups.iter().map(|group| group.as_str()))).chain(["all"])
        };
        if let Some(unknown) = self.limit.iter().find(|name| !known().any(|known| known == name.as_str())) {
            return Err(unknown_name("host or group", unknown, known()));
        }
        let named = |name: &str| self.limit.iter().any(|wanted| wanted == name || wanted == "all");
        let chosen = hosts
            .iter()
            .filter(|host| self.limit.is_empty() || named(&host.name) || host.groups.iter().any(|group| named(group)));
        Ok(chosen.map(|host| host.name.value.clone()).collect())
    }

    /// Leaves in the plan only what is selected.
    ///
    /// # Errors
    /// A name that the plan does not have.
    pub fn apply(&self, spec: &Spec, plan: &mut Plan) -> Result<(), CliError> {
        let hosts: BTreeSet<String> = self.select_hosts(spec)?.into_iter().collect();
        self.check_services(plan)?;
        self.check_tags(plan)?;
        let service_chosen = |name: &str| self.services.is_empty() || self.services.iter().any(|wanted| wanted == name);
        let tag_chosen = |tags: &[String]| self.tags.is_empty() || tags.iter().any(|tag| self.tags.contains(tag));
        plan.hosts.retain(|host| hosts.contains(&host.host));
        for host in &mut plan.hosts {
            host.steps.retain(|step| service_chosen(&step.service) && tag_chosen(&step.tags));
            host.handlers.retain(|handler| service_chosen(&handler.service));
            host.checks.retain(|check| service_chosen(&check.service));
        }
        for stage in &mut plan.stages {
            stage.services.retain(|service| service_chosen(&service.name));
            for service in &mut stage.services {
                service.hosts.retain(|host| hosts.contains(host));
            }
        }
        Ok(())
    }

    fn check_services(&self, plan: &Plan) -> Result<(), CliError> {
        let known = || plan.stages.iter().flat_map(|stage| &stage.services).map(|service| service.name.as_str());
        match self.services.iter().find(|name| !known().any(|known| known == name.as_str())) {
            Some(unknown) => Err(unknown_name("service", unknown, known())),
            None => Ok(()),
        }
    }

    fn check_tags(&self, plan: &Plan) -> Result<(), CliError> {
        let steps = || plan.hosts.iter().flat_map(|host| &host.steps);
        let known = || steps().flat_map(|step| &step.tags).map(String::as_str);
        match self.tags.iter().find(|name| !known().any(|known| known == name.as_str())) {
            Some(unknown) => Err(unknown_name("tag", unknown, known())),
            None => Ok(()),
        }
    }
}

/// For a person: `hosts web; services redis, nginx`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("hosts", &self.limit), ("services", &self.services), ("tags", &self.tags)];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
        f.write_str(if parts.is_empty() { "everything" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}

fn unknown_name<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> CliError {
    let error = CliError::usage(format!("there is no {what} `{name}` in this environment"));
    if let Some(near) = suggest::closest(name, known.clone()) {
        return error.hint(format!("did you mean `{near}`?"));
    }
    let names: BTreeSet<&str> = known.collect();
    match names.is_empty() {
        true => error.hint(format!("the environment has no {what} at all")),
        false => error.hint(format!("known: {}", names.into_iter().collect::<Vec<_>>().join(", "))),
    }
}
