//! The gate after a batch: services that the changed one must not have broken are asked whether they are still healthy.

use cc_agent::check::Finding;
use cc_agent::protocol::{Reply, Request};
use cc_plan::plan::HostPlan;

use super::apply::Run;
use super::fleet::Fleet;
use super::schedule::{Batch, Schedule};
use super::tally::Tally;
use crate::report::Event;

impl Run<'_> {
    /// Asks every service of the batch's gate on every host that it stands on, and closes the gate of those that are waiting for
    /// it where one is not healthy within the deadline.
    pub(super) async fn gate(&self, fleet: &mut Fleet, batch: &Batch, schedule: &mut Schedule<'_>, tally: &mut Tally) {
        for service in &batch.gate {
            for host in self.asked(service, schedule) {
                let found = match self.ask(fleet, &host, service).await {
                    Ok(findings) => findings,
                    Err(why) => {
                        self.close(batch, service, &why, schedule);
                        continue;
                    }
                };
                let sick: Vec<&Finding> = found.iter().filter(|finding| !finding.healthy).collect();
                for finding in &sick {
                    self.report.emit(&Event::Check { host: &host, finding });
                    let why = format!("{service} on {host}: {}: {}", finding.check, finding.observed);
                    self.close(batch, service, &why, schedule);
                }
                tally.sick(&host, sick.len());
            }
        }
    }

    /// The hosts to ask; none, with a remark, where asking would say nothing.
    fn asked(&self, service: &str, schedule: &Schedule) -> Vec<String> {
        let with = |planned: &&HostPlan| planned.checks.iter().any(|check| check.service == service);
        let hosts: Vec<String> = self.plan.hosts.iter().filter(with).map(|host| host.host.clone()).collect();
        let why = match () {
            () if hosts.is_empty() => "it has no health check in what is selected",
            () if schedule.comes_later(service) => "it changes later in this run",
            () => return hosts,
        };
        self.report.emit(&Event::Note { message: &format!("gate: {service} is not asked: {why}") });
        Vec::new()
    }

    async fn ask(&self, fleet: &mut Fleet, host: &str, service: &str) -> Result<Vec<Finding>, String> {
        let Some(member) = fleet.members.get_mut(host) else {
            return Err(format!("{service} on {host} cannot be asked: the host is out of reach"));
        };
        let checks = self.plan.hosts.iter().filter(|planned| planned.host == host).flat_map(|planned| &planned.checks);
        let checks = checks.filter(|check| check.service == service).cloned().collect();
        let request = Request::Check { checks, deadline: self.options.health_deadline.as_secs() };
        match member.work(&request, self.interrupt, |_| {}).await {
            Ok(Reply::Checked { findings }) => Ok(findings),
            Ok(other) => Err(member.unexpected(&other).to_string()),
            Err(trouble) => Err(format!("{service} on {host} cannot be asked: {trouble}")),
        }
    }

    /// Closes the gate of the batch's services that name this one.
    fn close(&self, batch: &Batch, asked: &str, why: &str, schedule: &mut Schedule<'_>) {
        let services = self.plan.stages[batch.stage].services.iter();
        let waiting = services.filter(|service| service.rollout.gate.iter().any(|name| name.value == asked));
        let changed = waiting.filter(|service| batch.work.iter().any(|work| work.services.contains(&service.name)));
        changed.for_each(|service| schedule.losses().closed(&service.name, why));
    }
}
