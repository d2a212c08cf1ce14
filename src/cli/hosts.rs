//! `cc-cloud <env> hosts`.

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct HostsArgs {}

/// Lists the hosts of the inventory, with the addresses that their provider gives them.
pub async fn run(context: &Context, environment: &str, _: &HostsArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let addresses = context.addresses(&spec).await?;
    let rows: Vec<Vec<String>> = spec
        .inventory
        .hosts
        .iter()
        .map(|host| {
            let address = addresses.get(&host.name.value).cloned().unwrap_or_else(|| "(not there yet)".to_owned());
            let groups: Vec<&str> = host.groups.iter().map(|group| group.as_str()).collect();
            let on = |service: &&cc_plan::spec::environment::Service| {
                service.on.iter().any(|place| place.value == host.name.value || groups.contains(&place.as_str()))
            };
            let services = spec.environment.services.iter().filter(on);
            let services: Vec<&str> = services.map(|service| service.name.as_str()).collect();
            vec![host.name.value.clone(), address, groups.join(", "), services.join(", ")]
        })
        .collect();
    context.report.emit(&Event::Table {
        name: "host",
        columns: &["HOST", "ADDRESS", "GROUPS", "SERVICES"],
        rows: &rows,
    });
    Ok(())
}
