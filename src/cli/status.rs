//! `cc-cloud <env> status`.

use cc_agent::protocol::{Reply, Request};
use cc_agent::resource::Resource;
use cc_plan::plan::HostPlan;
use cc_plan::spec::Spec;
use jiff::Timestamp;

use super::args::SelectionArgs;
use super::context::Context;
use super::prepared::unreachable;
use crate::error::CliError;
use crate::keeper::Keepers;
use crate::lock::{Freeze, LockError, LockRecord, holder};
use crate::report::Event;
use crate::run::{Fleet, Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    selection: SelectionArgs,
}

/// Shows who is at work, and units and packages of every service on every host. Needs no secret.
pub async fn run(context: &Context, environment: &str, args: &StatusArgs) -> Result<(), CliError> {
    let selection = Selection::from(&args.selection);
    let spec = context.load_without_secrets(environment)?.spec;
    let interrupt = Interrupt::listen(context.report.clone());
    let (mut fleet, known) = context.connect_with_keepers(&spec, &selection, &interrupt).await?;
    let mut plan = context.compile(&spec, &known)?;
    selection.apply(&spec, &mut plan)?;
    show_locks(context, &spec, &fleet).await;
    let mut rows = Vec::new();
    for host in &plan.hosts {
        let Some(member) = fleet.members.get_mut(&host.host) else { continue };
        let things = things(host);
        let pick = |wanted: Kind| things.iter().filter(move |thing| thing.1 == wanted).map(|thing| thing.2.to_owned());
        let request = Request::Status { units: pick(Kind::Unit).collect(), packages: pick(Kind::Package).collect() };
        match member.ask(&request).await {
            Ok(Reply::Status { units, packages }) => rows.extend(things.iter().map(|(service, kind, name)| {
                let found = match kind {
                    Kind::Unit => units.get(*name),
                    Kind::Package => packages.get(*name),
                };
                let label = match kind {
                    Kind::Unit => "unit",
                    Kind::Package => "package",
                };
                let state = found.cloned().unwrap_or_else(|| "(not there)".to_owned());
                vec![host.host.clone(), (*service).to_owned(), format!("{label} {name}"), state]
            })),
            Ok(_) => {}
            Err(trouble) => fleet.lose(&host.host, &trouble),
        }
    }
    context.report.emit(&Event::Table { name: "status", columns: &["HOST", "SERVICE", "WHAT", "STATE"], rows: &rows });
    let result = unreachable(context, &fleet);
    fleet.leave(false, &context.report).await;
    result
}

/// Shows the environment's lock and its freeze; that they cannot be read does not keep the rest from being shown.
async fn show_locks(context: &Context, spec: &Spec, fleet: &Fleet) {
    let mut keepers = fleet.keepers(spec).await;
    match locks(&mut keepers).await {
        Ok(rows) => {
            context.report.emit(&Event::Table { name: "lock", columns: &["WHAT", "STATE", "DETAILS"], rows: &rows });
        }
        Err(error) => {
            let error = error.in_environment(&spec.environment.name);
            context
                .report
                .emit(&Event::Warning { message: &error.message, hint: error.hints.first().map(String::as_str) });
        }
    }
}

async fn locks(keepers: &mut Keepers) -> Result<Vec<Vec<String>>, LockError> {
    let row = |what: &str, state: &str, details: String| vec![what.to_owned(), state.to_owned(), details];
    let records = LockRecord::read(keepers).await?;
    let mut rows = vec![match holder(&records.iter().collect::<Vec<_>>()) {
        Some(by) => row("lock", "held", by.describe()),
        None => row("lock", "free", String::new()),
    }];
    if let Some(freeze) = Freeze::read(keepers).await? {
        let state = if freeze.holds(Timestamp::now()) { "frozen" } else { "ended" };
        rows.push(row("freeze", state, freeze.describe()));
    }
    Ok(rows)
}

/// What has a state worth showing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unit,
    Package,
}

/// Units and packages of a host's services in plan order.
fn things(host: &HostPlan) -> Vec<(&str, Kind, &str)> {
    host.steps
        .iter()
        .filter_map(|step| match &step.resource {
            Resource::Service(service) => Some((step.service.as_str(), Kind::Unit, service.name.as_str())),
            Resource::Package(package) => Some((step.service.as_str(), Kind::Package, package.name.as_str())),
            _ => None,
        })
        .collect()
}
