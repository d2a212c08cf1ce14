//! What every command has at hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cc_plan::compile::{self, Known, LocalFiles, RepositoryFiles, SmokeStep};
use cc_plan::diagnostic::{self, Diagnostics};
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
use cc_plan::source::Sources;
use cc_plan::spec::{self, Loaded, Spec};

use cc_preflight::{AddError, Attestations, Policy, Scene, Waivers};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::args::GlobalArgs;
use crate::error::CliError;
use crate::preflight::{self, Hosts, Site};
use crate::report::{Event, Report};
use crate::shipped::EmbeddedRoles;

/// Options, output and the repository.
pub struct Context {
    /// Options.
    pub args: GlobalArgs,
    /// Output.
    pub report: Arc<Report>,
    /// The folder with `environments/`.
    pub root: PathBuf,
    /// Whether that folder goes with this command, so that nobody is told of it.
    pub passes: bool,
}

impl Context {
    /// The repository with the roles in this binary.
    pub fn repository(&self) -> Repository<'static> {
        Repository { root: self.root.clone(), shipped: &EmbeddedRoles }
    }

    /// Loads and checks an environment; everything that is wrong with it has been shown when this fails.
    ///
    /// # Errors
    /// When the files have errors.
    pub fn load(&self, environment: &str) -> Result<Spec, CliError> {
        let loaded = self.load_without_secrets(environment)?;
        self.show(&loaded.unset, &loaded.spec.sources);
        if loaded.unset.has_errors() { Err(invalid(environment, &loaded.unset)) } else { Ok(loaded.spec) }
    }

    /// The same for what can be done before the secrets are set.
    ///
    /// # Errors
    /// When the files have errors; missing secrets are none.
    pub fn load_without_secrets(&self, environment: &str) -> Result<Loaded, CliError> {
        match spec::load(&self.repository(), environment) {
            Ok(loaded) => {
                self.show(&loaded.warnings, &loaded.spec.sources);
                for role in &loaded.overridden {
                    let message = format!("role `{role}`: roles/{role} is used instead of the one that ships");
                    self.report.emit(&Event::Note { message: &message });
                }
                Ok(loaded)
            }
            Err(broken) => {
                self.show(&broken.diagnostics, &broken.sources);
                Err(invalid(environment, &broken.diagnostics))
            }
        }
    }

    /// Compiles a plan; everything that is wrong has been shown when this fails.
    ///
    /// # Errors
    /// When templates or values have errors.
    pub fn compile(&self, spec: &Spec, known: &Known) -> Result<Plan, CliError> {
        let files: Arc<dyn LocalFiles> = Arc::new(RepositoryFiles::new(&self.root));
        compile::compile(spec, &Known { files: Some(files), ..known.clone() }).map_err(|diagnostics| {
            self.show(&diagnostics, &spec.sources);
            invalid(&spec.environment.name, &diagnostics)
        })
    }

    /// The smoke test; everything that is wrong with it has been shown when this fails.
    ///
    /// # Errors
    /// When templates or values have errors.
    pub fn smoke_steps(&self, spec: &Spec, known: &Known, run: &str) -> Result<Vec<SmokeStep>, CliError> {
        compile::smoke(spec, known, run).map_err(|diagnostics| {
            self.show(&diagnostics, &spec.sources);
            invalid(&spec.environment.name, &diagnostics)
        })
    }

    /// The same command in a repository that goes with it.
    pub fn passing(&self, root: &Path) -> Self {
        Self { args: self.args.clone(), report: Arc::clone(&self.report), root: root.to_owned(), passes: true }
    }

    /// Failures that were accepted, and what people have answered for.
    ///
    /// # Errors
    /// Errors in these files; they have been shown.
    pub fn accepted(&self, spec: &Spec) -> Result<(Waivers, Attestations), CliError> {
        let (repository, today) = (self.repository(), today());
        let invalid = |bad: Box<spec::Invalid>| {
            self.show(&bad.diagnostics, &bad.sources);
            invalid(&spec.environment.name, &bad.diagnostics)
        };
        let waivers = Waivers::load(&repository, spec, today).map_err(invalid)?;
        Ok((waivers, Attestations::load(&repository, spec, today).map_err(invalid)?))
    }

    /// Why a waiver or attestation was not added.
    pub fn not_added(&self, error: AddError) -> CliError {
        let message = error.to_string();
        match error {
            AddError::Refused { hint, .. } => CliError::usage(message).hint(hint),
            AddError::Invalid { invalid, .. } => {
                self.show(&invalid.diagnostics, &invalid.sources);
                CliError::failed(message).hint("mend the file first; it was not changed")
            }
            AddError::Form { entry, .. } => CliError::failed(message).hint(format!("add this by hand:\n{entry}")),
            AddError::Io { .. } => CliError::failed(message),
        }
    }

    /// What the environment changes of what checks come with; everything that is wrong with it has been shown when this fails.
    ///
    /// # Errors
    /// Unknown checks or thresholds, figures of the wrong unit.
    pub fn policy(&self, spec: &Spec) -> Result<Policy, CliError> {
        Policy::new(&spec.environment).map_err(|diagnostics| {
            self.show(&diagnostics, &spec.sources);
            invalid(&spec.environment.name, &diagnostics)
        })
    }

    /// What preflight knows beforehand; everything that is wrong with the environment's policy has been shown when this fails.
    ///
    /// # Errors
    /// Unknown checks or thresholds, figures of the wrong unit.
    pub fn scene<'s>(&self, site: &Site<'s>, hosts: &Hosts) -> Result<Scene<'s>, CliError> {
        Ok(preflight::scene(site, self.policy(site.spec)?, hosts))
    }

    /// Shows what did not go as it should and stops nothing.
    pub fn warn(&self, troubles: &[String]) {
        for message in troubles {
            self.report.emit(&Event::Warning { message, hint: None });
        }
    }

    /// Writes a file for the person, and says so.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, file: &Path, text: &str) -> Result<(), CliError> {
        std::fs::write(file, text).map_err(|error| {
            CliError::failed(format!("cannot write {}: {error}", file.display()))
                .hint("name a file in a folder that exists")
        })?;
        self.report.emit(&Event::Note { message: &format!("wrote {}", file.display()) });
        Ok(())
    }

    /// Shows findings about files.
    pub fn show(&self, diagnostics: &Diagnostics, sources: &Sources) {
        if diagnostics.iter().next().is_none() {
            return;
        }
        let style = self.report.style();
        let rendered = diagnostic::render(diagnostics, sources, style.color, style.width);
        let findings = diagnostic::to_json(diagnostics, sources);
        let findings = findings.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        self.report.emit(&Event::Diagnostics { rendered: &rendered, findings });
    }
}

/// The error after findings have been shown.
fn invalid(environment: &str, diagnostics: &Diagnostics) -> CliError {
    CliError::failed(format!("environment `{environment}` has {}", diagnostics.summary()))
}

/// The day, in UTC as everything that is written down.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The nearest folder upwards that has `environments/`; the current one when there is none.
pub fn find_root(start: &Path) -> PathBuf {
    let is_root = |path: &&Path| path.join("environments").is_dir();
    start.ancestors().find(is_root).unwrap_or(start).to_owned()
}

/// Environments of a repository, sorted.
pub fn environments(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join("environments")) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("environment.yml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
