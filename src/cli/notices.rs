//! The hooks of a command, and what they are told on the way.

use std::path::Path;
use std::time::Duration;

use super::context::{Context, environments};
use crate::error::{CliError, Kind};
use crate::history::{Ended, Intent, Mask};
use crate::hooks::{Found, Hooks, Occasion, Point};
use crate::report::{Event, PlanView};

/// Options about hooks.
#[derive(clap::Args, Clone, Debug)]
pub struct HookArgs {
    /// Run none of the repository's hooks
    #[arg(long)]
    no_hooks: bool,
    /// Seconds that a hook may take before it is ended
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    hook_timeout: u64,
}

/// The hooks of a command, and what they are told on the way.
pub struct Notices<'c> {
    context: &'c Context,
    hooks: Hooks,
    occasion: Occasion,
}

impl<'c> Notices<'c> {
    /// Looks for hooks, and warns of what looks like one and is none.
    pub fn new(context: &'c Context, environment: &str, command: &str, args: &HookArgs, message: Option<&str>) -> Self {
        let occasion = Occasion::new(environment, command, &context.root, message);
        if args.no_hooks {
            return Self { context, hooks: Hooks::default(), occasion };
        }
        let known = environments(&context.root);
        let Found { hooks, odd } = Found::look(Path::new(&occasion.author.folder), environment, &known);
        for odd in odd {
            context.report.emit(&Event::Warning { message: &odd.message, hint: Some(&odd.hint) });
        }
        Self { context, hooks: Hooks::new(hooks, Duration::from_secs(args.hook_timeout)), occasion }
    }

    /// Runs the hooks of a point.
    ///
    /// # Errors
    /// When one refuses what would come.
    pub async fn at(&self, point: Point) -> Result<(), CliError> {
        self.hooks.run(point, &self.occasion, &self.context.report).await
    }

    /// The plan is known; from here on secrets are hidden in what people have typed.
    pub fn planned(&mut self, plan: &PlanView, mask: &Mask) {
        self.occasion.plan = Some(Intent::of(plan));
        if let Some(message) = &mut self.occasion.message {
            mask.hide(message);
        }
    }

    /// The plan is approved and the run has its name: from here on it is told how the command ends.
    pub fn approved(&mut self, run: &str) {
        self.occasion.run = Some(run.to_owned());
    }

    /// How the run ended is known.
    pub fn done(&mut self, ended: Ended) {
        self.occasion.ended = Some(ended);
    }

    /// The command is over: an approved run did what its plan said, or did not. Runs the hooks.
    ///
    /// # Errors
    /// The command's own, or that the person has stopped a hook.
    pub async fn finish(mut self, result: Result<(), CliError>) -> Result<(), CliError> {
        if self.occasion.run.is_none() {
            return result;
        }
        let point = if result.is_ok() { Point::AfterDeploy } else { Point::OnFailure };
        self.occasion.ended.get_or_insert_with(|| Ended::early(&result));
        let told = self.at(point).await;
        result.and(told.map_err(|error| CliError { kind: Kind::Interrupted, ..error }))
    }
}
