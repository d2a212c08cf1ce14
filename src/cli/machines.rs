//! `cc-cloud preflight --host ssh://…` and `--this-machine`: machines that belong to no environment yet.

use cc_agent::facts::Facts;
use cc_plan::compile::Known;
use cc_plan::spec::environment::Size;
use cc_preflight::{Attestations, Waivers};

use super::context::Context;
use super::preflight::{Inspection, WantedArgs};
use crate::error::CliError;
use crate::preflight::{Bare, Hosts};
use crate::run::{Interrupt, Selection};
use crate::ssh::Endpoint;

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct MachinesArgs {
    /// A machine to check; may be repeated
    #[arg(
        long,
        value_name = "[USER@]HOST[:PORT]",
        conflicts_with = "this_machine",
        required_unless_present = "this_machine"
    )]
    host: Vec<Endpoint>,
    /// Check the machine that this command runs on
    #[arg(long)]
    this_machine: bool,
    /// The size that it would have to carry
    #[arg(long, value_name = "SIZE", default_value = "single")]
    size: SizeName,
    #[command(flatten)]
    wanted: WantedArgs,
}

/// A size on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SizeName {
    /// A rehearsal.
    Demo,
    /// One server.
    Single,
    /// Two servers.
    Micro,
    /// Five servers.
    Small,
    /// More.
    Large,
}

impl From<SizeName> for Size {
    fn from(name: SizeName) -> Self {
        match name {
            SizeName::Demo => Self::Demo,
            SizeName::Single => Self::Single,
            SizeName::Micro => Self::Micro,
            SizeName::Small => Self::Small,
            SizeName::Large => Self::Large,
        }
    }
}

/// Checks machines against a size.
pub async fn run(context: &Context, args: &MachinesArgs) -> Result<(), CliError> {
    args.wanted.check()?;
    let bare = Bare::new(args.size.into(), &args.host)?;
    let context = &context.passing(bare.root());
    let spec = bare.load()?;
    let interrupt = Interrupt::listen(context.report.clone());
    let (hosts, known) = match args.this_machine {
        true => {
            let facts = Facts::gather().map_err(|error| CliError::failed(error.message))?;
            (
                Hosts::Here(Box::new(facts.clone())),
                Known { facts: [(Bare::HERE.to_owned(), facts)].into(), ..Known::default() },
            )
        }
        false => {
            let (fleet, known) = context.reach(&spec, &Selection::default(), &interrupt).await?;
            (Hosts::Fleet(Box::new(fleet)), known)
        }
    };
    let plan = context.compile(&spec, &known)?;
    let inspection = Inspection {
        name: None,
        spec: &spec,
        plan: &plan,
        known: &known,
        hosts: spec.inventory.hosts.iter().map(|host| host.name.value.clone()).collect(),
        waivers: &Waivers::default(),
        attestations: &Attestations::default(),
        record: None,
        recheck: true,
    };
    inspection.run(context, &args.wanted, hosts, &interrupt).await
}
