//! What plan and deploy have in common: spec, connected hosts, compiled plan, secrets.

use cc_plan::compile::Known;
use cc_plan::plan::Plan;
use cc_plan::spec::Spec;

use super::args::SelectionArgs;
use super::context::Context;
use crate::error::{CliError, Kind};
use crate::history::Mask;
use crate::report::Event;
use crate::run::{self, Asked, Fleet, Interrupt, Observation, Selection, Vaults};
use crate::secrets::Unlocked;

/// Everything before the first observation.
pub struct Prepared {
    /// What was written.
    pub spec: Spec,
    /// What was selected.
    pub selection: Selection,
    /// What it compiled to, as far as it was selected.
    pub plan: Plan,
    /// What is known of hosts.
    pub known: Known,
    /// The hosts.
    pub fleet: Fleet,
    /// Their secrets.
    pub vaults: Vaults,
    /// Ctrl-C.
    pub interrupt: Interrupt,
}

impl From<&SelectionArgs> for Selection {
    fn from(args: &SelectionArgs) -> Self {
        Self { limit: args.limit.clone(), services: args.services.clone(), tags: args.tags.clone() }
    }
}

impl Prepared {
    /// Loads, connects to the selected hosts and compiles with their facts.
    ///
    /// # Errors
    /// Errors in files, missing secrets or keys, host keys that nobody confirms. A host that cannot be reached is no error
    /// here: the fleet says so.
    pub async fn new(context: &Context, environment: &str, args: &SelectionArgs) -> Result<Self, CliError> {
        Self::unlocked(context, environment, Selection::from(args), None).await
    }

    /// The same where the secrets file has been unlocked already, so that a hardware key is touched once.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub async fn unlocked(
        context: &Context,
        environment: &str,
        selection: Selection,
        unlocked: Option<&Unlocked>,
    ) -> Result<Self, CliError> {
        Self::with(context, environment, selection, unlocked, false).await
    }

    /// The same for who changes something: connects to the environment's keepers too.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub async fn to_change(
        context: &Context,
        environment: &str,
        selection: Selection,
        unlocked: Option<&Unlocked>,
    ) -> Result<Self, CliError> {
        Self::with(context, environment, selection, unlocked, true).await
    }

    async fn with(
        context: &Context,
        environment: &str,
        selection: Selection,
        unlocked: Option<&Unlocked>,
        keepers: bool,
    ) -> Result<Self, CliError> {
        let spec = context.load(environment)?;
        selection.select_hosts(&spec)?;
        let interrupt = Interrupt::listen(context.report.clone());
        let (fleet, known) = match keepers {
            true => context.connect_with_keepers(&spec, &selection, &interrupt).await?,
            false => context.connect(&spec, &selection, &interrupt).await?,
        };
        let mut plan = context.compile(&spec, &known)?;
        selection.apply(&spec, &mut plan)?;
        let vaults = context.vaults(&spec, &plan, unlocked)?;
        Ok(Self { spec, selection, plan, known, fleet, vaults, interrupt })
    }

    /// Hides the secrets of these hosts in what is written down.
    ///
    /// # Errors
    /// Never: the secrets were read before.
    pub fn mask(&self) -> Result<Mask, CliError> {
        let vaults = self.vaults.unpacked();
        vaults.map(Mask::new).map_err(|error| CliError::failed(format!("cannot hide secrets: {error}")))
    }

    /// Asks the hosts what would change.
    pub async fn observe(&mut self, context: &Context) -> Observation {
        self.ask(context, false).await
    }

    /// The same, and what the hosts know of the past of that: who moved.
    pub async fn observe_with_past(&mut self, context: &Context) -> Observation {
        self.ask(context, true).await
    }

    async fn ask(&mut self, context: &Context, past: bool) -> Observation {
        let asked = Asked { orphans: !self.selection.is_partial(), past };
        let parallel = usize::from(context.args.parallel);
        run::observe(&mut self.fleet, &self.plan, &self.vaults, parallel, asked, &context.report).await
    }
}

/// Reports hosts that could not be reached; the error that they make of an otherwise good end.
pub fn unreachable(context: &Context, fleet: &Fleet) -> Result<(), CliError> {
    for (host, lost) in &fleet.lost {
        context.report.emit(&Event::Unreachable { host, message: &lost.message, hint: lost.hint.as_deref() });
    }
    if fleet.lost.is_empty() { Ok(()) } else { Err(CliError::reported(Kind::Unreachable)) }
}
