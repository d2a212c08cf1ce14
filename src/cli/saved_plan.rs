//! Saved plans: what `plan -o`, `plan show`, `plan diff` and `deploy FILE` have in common.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::prepared::Prepared;
use crate::error::{CliError, Kind};
use crate::report::{Event, PlanView};
use crate::saved_plan::{Basis, Origin, SavedPlan, SealedFile};
use crate::secrets::{self, Unlocked};
use crate::ssh::AgentBinary;

/// The environment's data key.
///
/// # Errors
/// No secrets file, which has the key; no own key that opens it.
pub fn unlock(context: &Context, environment: &str) -> Result<Unlocked, CliError> {
    let path = context.repository().secrets_file(environment);
    if !path.exists() {
        let why = "a saved plan is sealed with the data key of the environment's secrets file, and there is none";
        let missing = CliError::from(secrets::Error::Missing { path });
        return Err(CliError {
            message: format!("{why}: secrets/{environment}.yml"),
            ..missing.in_environment(environment)
        });
    }
    context.unlock(environment).map_err(|error| CliError::from(error).in_environment(environment))
}

/// Saves what was planned.
///
/// # Errors
/// A plan that does not say what happens on every host; a file that cannot be written.
pub fn save(
    context: &Context,
    prepared: &Prepared,
    view: &PlanView,
    unlocked: &Unlocked,
    prune: bool,
    file: &Path,
) -> Result<(), CliError> {
    let not_saved =
        |why: String, kind| CliError { kind, message: format!("the plan was not saved: {why}"), hints: Vec::new() };
    let leave_out = "mend what is said above, or leave that part out with --limit or --services";
    if view.errors() > 0 {
        return Err(not_saved(format!("{} steps cannot be observed", view.errors()), Kind::Failed).hint(leave_out));
    }
    if view.unreachable() > 0 {
        let lost: Vec<&str> = prepared.fleet.lost.keys().map(String::as_str).collect();
        let why = format!("it does not say what happens on {}, which cannot be reached", lost.join(", "));
        return Err(not_saved(why, Kind::Unreachable).hint(leave_out));
    }
    let plan = take(context, prepared, view, unlocked, prune)?;
    let sealed = SealedFile::seal(&plan, &unlocked.plan_key());
    let sealed = sealed.map_err(|error| not_saved(error.to_string(), Kind::Failed))?;
    sealed.write(file)?;
    let environment = &view.environment;
    let message = format!("saved in {0}; `cc-cloud {environment} deploy {0}` applies it", file.display());
    context.report.emit(&Event::Note { message: &message });
    Ok(())
}

/// What is planned now, as it would be saved.
fn take(
    context: &Context,
    prepared: &Prepared,
    view: &PlanView,
    unlocked: &Unlocked,
    prune: bool,
) -> Result<SavedPlan, CliError> {
    let agent = AgentBinary::find(context.args.agent().as_deref())?;
    let Prepared { spec, plan, known, selection, .. } = prepared;
    Ok(SavedPlan {
        origin: Origin::here(&context.root),
        selection: selection.clone(),
        prune,
        basis: Basis::new(spec, plan, known, unlocked, agent.digest())?,
        view: view.clone(),
    })
}

/// A saved plan with the key that opened it.
pub struct Opened {
    file: PathBuf,
    plan: SavedPlan,
    unlocked: Unlocked,
}

impl Opened {
    /// Opens the file.
    ///
    /// # Errors
    /// No key; a file that is not a saved plan of this environment, whole and unchanged.
    pub fn open(context: &Context, environment: &str, file: &Path) -> Result<Self, CliError> {
        // The file first: what is no plan needs no key.
        let sealed = SealedFile::read(file)?;
        let unlocked = unlock(context, environment)?;
        let plan = open(&sealed, file, environment, &unlocked)?;
        Ok(Self { file: file.to_owned(), plan, unlocked })
    }

    /// Whether orphans are removed.
    pub fn prunes(&self) -> bool {
        self.plan.prune
    }

    /// The environment as it is now, as far as the plan is about it.
    ///
    /// # Errors
    /// As [`Prepared::new`]. Where they come from a change since the plan was made, the plan is stale all the same.
    pub async fn prepare(&self, context: &Context, environment: &str) -> Result<Prepared, CliError> {
        Prepared::to_change(context, environment, self.plan.selection.clone(), Some(&self.unlocked)).await
    }

    /// Refuses to go on when anything is not as it was, and shows what.
    ///
    /// # Errors
    /// A stale plan.
    pub fn check(&self, context: &Context, prepared: &Prepared, view: &PlanView) -> Result<(), CliError> {
        let now = take(context, prepared, view, &self.unlocked, self.plan.prune)?;
        let moved = self.plan.moved(&now);
        if moved.is_empty() {
            return Ok(());
        }
        context.report.emit(&Event::Moved { moved: &moved });
        let things = if moved.len() == 1 { "1 thing".to_owned() } else { format!("{} things", moved.len()) };
        let message =
            format!("{} is stale: {things} moved since it was made; nothing was changed", self.file.display());
        let environment = &view.environment;
        let again = format!(
            "look at what is said above, then plan again: `cc-cloud {environment} plan -o {}`",
            self.file.display()
        );
        Err(CliError::failed(message).hint(again))
    }
}

fn open(sealed: &SealedFile, file: &Path, environment: &str, unlocked: &Unlocked) -> Result<SavedPlan, CliError> {
    let opened = sealed.open(environment, &unlocked.plan_key());
    Ok(opened.map_err(|trouble| trouble.of(file))?)
}

/// Shows a saved plan.
///
/// # Errors
/// A file that cannot be opened.
pub fn show(context: &Context, environment: &str, file: &Path) -> Result<(), CliError> {
    let Opened { plan, .. } = Opened::open(context, environment, file)?;
    let SavedPlan { origin, selection, prune, basis, .. } = &plan;
    let saved = serde_json::json!({"origin": origin, "selection": selection, "prune": prune, "basis": basis});
    let text = head(&plan, context.args.verbose > 0);
    context.report.emit(&Event::SavedPlan { text: &text, saved });
    context.report.emit(&Event::Plan(&plan.view));
    Ok(())
}

/// Shows what is different in a newer saved plan.
///
/// # Errors
/// A file that cannot be opened.
pub fn diff(context: &Context, environment: &str, old: &Path, new: &Path) -> Result<(), CliError> {
    let newer = SealedFile::read(new)?;
    let Opened { plan, unlocked, .. } = Opened::open(context, environment, old)?;
    let moved = plan.moved(&open(&newer, new, environment, &unlocked)?);
    context.report.emit(&Event::Moved { moved: &moved });
    if moved.is_empty() {
        context.report.emit(&Event::Note { message: "the two plans are the same" });
    }
    Ok(())
}

/// What stands above the changes.
fn head(plan: &SavedPlan, verbose: bool) -> String {
    let (origin, basis) = (&plan.origin, &plan.basis);
    let at = origin.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let mut text = format!("Saved plan of {}, made {at} by {}\n", plan.view.environment, origin.author.who);
    let _ = writeln!(text, "for {}", plan.asked());
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let _ = writeln!(
        text,
        "from {} files, {} secrets and the facts of {} hosts, by cc-cloud {} with agent {}\n",
        basis.files.len(),
        basis.secrets.len(),
        basis.facts.len(),
        basis.cc_cloud,
        short(&basis.agent)
    );
    if verbose {
        for (path, digest) in basis.files.iter().chain(&basis.secrets) {
            let _ = writeln!(text, "  {}  {path}", short(digest));
        }
        text.push('\n');
    }
    text
}
