//! `cc-cloud <env> preflight`, and `cc-cloud preflight` for machines without an environment.

use std::path::PathBuf;

use cc_plan::compile::Known;
use cc_plan::counted;
use cc_plan::plan::Plan;
use cc_plan::spec::Spec;
use cc_preflight::report::{self as renderer, Report as Results};
use cc_preflight::{Attestations, Phase, Scene, Selection as Checks, Waivers};
use clap::ValueHint;
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;

use super::complete;
use super::context::Context;
use crate::error::{CliError, Kind};
use crate::preflight::{Found, Hosts, Record, Round, Site};
use crate::report::Event;
use crate::run::{Interrupt, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PreflightArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    /// Only these hosts or groups
    #[arg(short, long, value_name = "HOSTS", value_delimiter = ',', add = ArgValueCompleter::new(complete::hosts))]
    limit: Vec<String>,
    /// Check the environment's files only; no host is asked
    #[arg(long, conflicts_with = "limit")]
    offline: bool,
    /// Measure again what was found good earlier and still holds
    #[arg(long)]
    recheck: bool,
    #[command(subcommand)]
    action: Option<PreflightAction>,
}

/// What a person does about findings.
#[derive(clap::Subcommand, Debug)]
enum PreflightAction {
    /// Accept a failure for a time, in a file that colleagues review
    Waive(super::waive::WaiveArgs),
    /// Answer for what only a person can know, in a file that colleagues review
    Attest(super::attest::AttestArgs),
}

/// Which checks are wanted, and what becomes of the findings.
#[derive(clap::Args, Debug)]
pub struct WantedArgs {
    /// Only these checks: os.livepatch, or net.*
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', add = ArgValueCompleter::new(complete::checks))]
    only: Vec<String>,
    /// What is about to begin; by default a change where something is installed already, else an installation
    #[arg(long, value_name = "PHASE")]
    phase: Option<PhaseName>,
    /// Also run checks that sample or load the hosts for seconds; each says beforehand what it will do
    #[arg(long)]
    deep: bool,
    /// List what passed and what does not apply, too
    #[arg(long)]
    all: bool,
    /// Print the raw answers that a check's findings rest on
    #[arg(long, value_name = "CHECK", add = ArgValueCompleter::new(complete::checks))]
    evidence: Option<String>,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Write SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sarif: Option<PathBuf>,
    /// Write metrics for Prometheus' textfile collector
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    prometheus: Option<PathBuf>,
    /// Print annotations for GitHub Actions instead of the table
    #[arg(long)]
    github: bool,
    /// Remove the agent from the hosts at the end
    #[arg(long)]
    leave_nothing: bool,
}

/// A phase on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PhaseName {
    /// The first change on new hosts.
    Install,
    /// Opening the site to its users.
    GoLive,
    /// Moving data from another site.
    Migration,
    /// A change on a live site.
    Change,
}

impl From<PhaseName> for Phase {
    fn from(name: PhaseName) -> Self {
        match name {
            PhaseName::Install => Self::Install,
            PhaseName::GoLive => Self::GoLive,
            PhaseName::Migration => Self::Migration,
            PhaseName::Change => Self::Change,
        }
    }
}

/// Checks the hosts of an environment.
pub async fn run(context: &Context, environment: &str, args: &PreflightArgs) -> Result<(), CliError> {
    match &args.action {
        Some(PreflightAction::Waive(args)) => return super::waive::run(context, environment, args),
        Some(PreflightAction::Attest(args)) => return super::attest::run(context, environment, args),
        None => {}
    }
    args.wanted.check()?;
    let spec = context.load_without_secrets(environment)?.spec;
    let selection = Selection::hosts(&args.limit);
    let interrupt = Interrupt::listen(context.report.clone());
    let (hosts, known) = match args.offline {
        true => (Hosts::Nobody, Known::default()),
        false => {
            let (fleet, known) = context.reach(&spec, &selection, &interrupt).await?;
            (Hosts::Fleet(Box::new(fleet)), known)
        }
    };
    let plan = context.compile(&spec, &known)?;
    let accepted = context.accepted(&spec)?;
    let inspection = Inspection {
        name: Some(environment),
        spec: &spec,
        plan: &plan,
        known: &known,
        hosts: selection.select_hosts(&spec)?,
        waivers: &accepted.0,
        attestations: &accepted.1,
        record: Record::path(&context.root, environment),
        recheck: args.recheck,
    };
    inspection.run(context, &args.wanted, hosts, &interrupt).await
}

/// What is inspected.
pub(super) struct Inspection<'i> {
    /// The environment's name; none for machines without one.
    pub name: Option<&'i str>,
    pub spec: &'i Spec,
    pub plan: &'i Plan,
    pub known: &'i Known,
    pub hosts: Vec<String>,
    pub waivers: &'i Waivers,
    pub attestations: &'i Attestations,
    pub record: Option<PathBuf>,
    pub recheck: bool,
}

impl Inspection<'_> {
    /// One round, then the reports.
    pub async fn run(
        self,
        context: &Context,
        wanted: &WantedArgs,
        mut hosts: Hosts,
        interrupt: &Interrupt,
    ) -> Result<(), CliError> {
        let site = Site {
            spec: self.spec,
            plan: self.plan,
            hosts: &self.hosts,
            addresses: &self.known.addresses,
            phase: wanted.phase.map(Phase::from),
            deep: wanted.deep,
            now: Timestamp::now(),
        };
        let scene = context.scene(&site, &hosts)?;
        let round = Round {
            selection: wanted.checks(),
            waivers: self.waivers,
            attestations: self.attestations,
            // Without hosts nothing is learnt about them.
            record: self.record.filter(|_| matches!(hosts, Hosts::Fleet(_))),
            recheck: self.recheck,
        };
        let found = round.run(&scene, &mut hosts, interrupt, &context.report).await;
        if let Hosts::Fleet(fleet) = hosts {
            fleet.leave(wanted.leave_nothing, &context.report).await;
        }
        if interrupt.is_set() {
            return Err(Interrupt::error());
        }
        let results = results(self.name, &scene, site.now, &found);
        wanted.report(context, &results, &found)?;
        if found.stops() { Err(CliError::reported(Kind::ChecksFailed)) } else { Ok(()) }
    }
}

/// What reports are made of.
pub(super) fn results(name: Option<&str>, scene: &Scene<'_>, started: Timestamp, found: &Found) -> Results {
    Results {
        environment: name.map(str::to_owned),
        size: scene.size(),
        phase: scene.phase,
        started,
        finished: Timestamp::now(),
        hosts: scene.hosts.iter().map(|host| host.name.clone()).collect(),
        findings: found.findings.clone(),
        policy: scene.policy.clone(),
        checks: cc_preflight::abouts(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

impl WantedArgs {
    /// Refuses what no check has.
    pub(super) fn check(&self) -> Result<(), CliError> {
        self.checks().check().map_err(CliError::usage)?;
        let evidence = Checks { only: self.evidence.iter().cloned().collect(), ..Checks::default() };
        evidence.check().map_err(CliError::usage)
    }

    fn checks(&self) -> Checks {
        // The evidence of one check needs no other.
        let only = if self.only.is_empty() { self.evidence.iter().cloned().collect() } else { self.only.clone() };
        Checks { only, ..Checks::default() }
    }

    fn report(&self, context: &Context, results: &Results, found: &Found) -> Result<(), CliError> {
        for (file, text) in [
            (&self.html, renderer::html::render as fn(&Results) -> String),
            (&self.junit, renderer::junit::render),
            (&self.sarif, renderer::sarif::render),
            (&self.prometheus, renderer::prometheus::render),
        ] {
            if let Some(file) = file {
                context.write(file, &text(results))?;
            }
        }
        match (&self.evidence, self.github) {
            (Some(id), _) => context.report.emit(&Event::Data { text: &evidence(results, id) }),
            (None, true) => context.report.emit(&Event::Data { text: &renderer::github::render(results) }),
            (None, false) => show(context, results, self.all),
        }
        if found.held > 0 {
            let held = counted(found.held, "finding");
            let message = format!("{held} measured earlier and still good; --recheck measures again");
            context.report.emit(&Event::Note { message: &message });
        }
        Ok(())
    }
}

/// The findings as a table.
pub(super) fn show(context: &Context, results: &Results, all: bool) {
    let style = context.report.style();
    let look = renderer::Look { width: style.width, color: style.color };
    let text = renderer::table::render(results, look, all || context.args.verbose > 0);
    context.report.emit(&Event::Preflight { text: &text, objects: renderer::json::objects(results) });
}

/// The raw answers of a check, host by host.
fn evidence(results: &Results, id: &str) -> String {
    let of = results.findings.iter().filter(|finding| finding.id == id);
    let one = |finding: &cc_preflight::Finding| {
        let subject = finding.subject();
        let head = if subject.is_empty() { finding.id.clone() } else { format!("{} on {subject}", finding.id) };
        let text = if finding.evidence.text.is_empty() { "(nothing was asked)\n" } else { &finding.evidence.text };
        format!(
            "# {head}, {}, measured {}, sha256 {}\n{text}\n",
            finding.verdict.name(),
            finding.at,
            finding.evidence.sha256
        )
    };
    of.map(one).collect()
}
