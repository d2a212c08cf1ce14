//! `cc-cloud <env> up`.

use super::context::Context;
use crate::error::CliError;
use crate::report::Event;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct UpArgs {}

/// Makes or starts the environment's rehearsal hosts.
pub async fn run(context: &Context, environment: &str, _: &UpArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let hosts = context.rehearse(&spec).await?;
    for host in &hosts {
        let how = match host.origin {
            crate::rehearsal::Origin::Created => "created",
            crate::rehearsal::Origin::Started => "started",
            crate::rehearsal::Origin::Found => "already up",
        };
        context.report.emit(&Event::Note { message: &format!("{} at {}: {how}", host.name, host.address) });
        if host.outdated {
            context.report.emit(&Event::Warning {
                message: &format!("{} was made from an older host image", host.name),
                hint: Some("`down`, then `up`, makes it anew"),
            });
        }
    }
    Ok(())
}
