//! A Python virtual environment that holds exactly what a requirements or lock file says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::plain::plain;
use super::requirements::Requirements;
use super::venv::{Marker, Projects, Venv};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Attributes, CommandLine, Host};
use crate::ordered::ordered;
use crate::resource::Mode;
use crate::secret::{contains_token, hex};
use crate::step_error::StepError;

/// Where an interpreter without a path is looked for.
const PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// Projects without a wheel are compiled, which takes its time.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Differing projects that a plan names.
const SHOWN: usize = 30;

/// A Python virtual environment that holds exactly what a requirements or lock file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PythonVenv {
    /// Absolute path.
    pub path: String,
    /// Interpreter.
    #[serde(default = "python3")]
    pub python: String,
    /// Content of the requirements file; hashes are enforced when it has any.
    #[serde(default)]
    pub requirements: String,
    /// User who owns it; root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn python3() -> String {
    "python3".to_owned()
}

/// What the host has of a virtual environment.
pub struct VenvState {
    exists: bool,
    /// `None` when an installation was cut off, or made by others.
    marker: Option<Marker>,
    installed: Projects,
    /// The interpreter that would be used; `None` when it is not on the host.
    interpreter: Option<String>,
    owner: Option<String>,
}

impl PythonVenv {
    fn folder(&self) -> &Path {
        Path::new(&self.path)
    }

    fn venv(&self) -> Venv<'_> {
        Venv(self.folder())
    }

    fn check(&self) -> Result<Requirements, StepError> {
        plain("python_venv", &self.path)?;
        plain("python", &self.python)?;
        if !self.path.starts_with('/') || self.path.trim_end_matches('/').is_empty() {
            return Err(StepError::new(format!("`{}` is not an absolute path for a virtual environment", self.path)));
        }
        Requirements::parse(&self.requirements)
            .map_err(|why| StepError::new(format!("the requirements of {}: {why}", self.path)))
    }

    fn digest(&self, host: &Host) -> String {
        hex(&Sha256::digest(host.vault().stamped(&self.requirements)))
    }

    /// The interpreter, links followed, so that another minor version of it is another one.
    fn interpreter(&self) -> Option<String> {
        let candidates = match self.python.contains('/') {
            true => vec![PathBuf::from(&self.python)],
            false => PATH.iter().map(|folder| Path::new(folder).join(&self.python)).collect(),
        };
        let found = candidates.into_iter().find_map(|candidate| fs::canonicalize(candidate).ok());
        found.map(|path| path.to_string_lossy().into_owned())
    }

    /// The differences between what is installed and what is required, project by project.
    fn compare(
        &self,
        state: &VenvState,
        marker: &Marker,
        requirements: &Requirements,
        same: bool,
        differ: &mut Differ,
    ) {
        let mut details = Vec::new();
        let mut note = |name: &str, before: Option<&str>, after: Option<&str>| {
            if before != after {
                let [before, after] = [before, after].map(|version| version.map(str::to_owned));
                details.push(Detail::Value { field: name.to_owned(), before, after });
            }
        };
        let found = |name: &str| state.installed.get(name).map(String::as_str);
        if same {
            let names = state.installed.keys().chain(marker.installed.keys());
            let names: BTreeSet<&str> = ordered(names.map(String::as_str));
            for name in names {
                note(name, found(name), marker.installed.get(name).map(String::as_str));
            }
        } else {
            let pinned = requirements.pinned();
            for (name, version) in &pinned {
                note(name, found(name), Some(version));
            }
            // With hashes the file is complete; without, what it does not name may still be needed by what it does.
            let gone = state
                .installed
                .iter()
                .filter(|(name, _)| requirements.hashed && !requirements.projects.contains_key(*name));
            gone.for_each(|(name, version)| note(name, Some(version), None));
        }
        let more = details.len().saturating_sub(SHOWN);
        details.into_iter().take(SHOWN).for_each(|detail| differ.push(detail));
        if more > 0 {
            differ.push(Detail::Note { text: format!("and {more} more projects") });
        }
    }

    /// A command of the environment, as its owner.
    fn command<'h>(&self, host: &'h Host, argv: &[&str]) -> CommandLine<'h> {
        let command = host.command(argv.iter().copied()).timeout(PATIENCE).cwd("/");
        match &self.user {
            Some(user) => command.user(user),
            None => command,
        }
    }

    fn pip(&self, host: &Host, arguments: &[&str], input: &str) -> Result<(), StepError> {
        let python = self.venv().python();
        let quiet = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color"];
        let argv: Vec<&str> = [python.as_str()].into_iter().chain(quiet).chain(arguments.iter().copied()).collect();
        self.command(host, &argv).stdin(input).run().map(drop)
    }

    /// Makes the environment from nothing.
    fn create(&self, interpreter: &str, host: &Host) -> Result<(), StepError> {
        let folder = self.folder();
        if !folder.is_dir() {
            fs::create_dir(folder).map_err(|error| StepError::io("create", folder, &error))?;
        }
        host.set_attributes(folder, self.attributes(host)?)?;
        let made = self.command(host, &[interpreter, "-m", "venv", "--clear", &self.path]).run();
        made.map(drop).map_err(|error| {
            let incomplete =
                error.output.iter().any(|line| line.contains("ensurepip") || line.contains("No module named venv"));
            if incomplete {
                error.hint("Debian has it in a package of its own: add a step `package: python3-venv` before")
            } else {
                error
            }
        })
    }

    fn owner(&self) -> &str {
        self.user.as_deref().unwrap_or("root")
    }

    fn attributes(&self, host: &Host) -> Result<Attributes, StepError> {
        let user = self.owner();
        let gid = host.accounts()?.user(user).map(|account| account.gid.to_string());
        host.attributes(Some(user), gid.as_deref(), Some(Mode::new(0o755)))
    }

    /// Installs what is required and removes what nothing needs.
    fn install(&self, requirements: &Requirements, host: &Host) -> Result<(), StepError> {
        let mut arguments = vec!["install", "--progress-bar", "off", "--no-warn-script-location"];
        if requirements.hashed {
            arguments.push("--require-hashes");
        }
        // From standard input, because the file may hold the password of an index.
        arguments.extend(["-r", "/dev/stdin"]);
        if !requirements.projects.is_empty() {
            self.pip(host, &arguments, &self.requirements)?;
        }
        let projects: Vec<&str> = requirements.projects.values().map(String::as_str).collect();
        let python = self.venv().python();
        let script = self.command(host, &[&python, "-c", include_str!("extraneous.py")]).stdin(projects.join("\n"));
        let output = script.run()?;
        let extraneous: Vec<&str> = output.stdout.split_whitespace().collect();
        if extraneous.is_empty() {
            return Ok(());
        }
        let arguments: Vec<&str> = ["uninstall", "--yes"].into_iter().chain(extraneous).collect();
        self.pip(host, &arguments, "")
    }
}

impl ResourceType for PythonVenv {
    type State = VenvState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        let requirements = self.check()?;
        let meta = host.stat(self.folder())?;
        let accounts = host.accounts()?;
        Ok(VenvState {
            exists: meta.is_some(),
            marker: self.venv().marker(host)?,
            installed: self.venv().installed(&requirements),
            interpreter: self.interpreter(),
            owner: meta.map(|meta| accounts.user_name(meta.uid)),
        })
    }

    fn diff(&self, state: &Self::State, host: &Host) -> Result<Change, StepError> {
        if self.state == Presence::Absent {
            return Ok(Change::of(if state.exists { ChangeKind::Delete } else { ChangeKind::None }));
        }
        let requirements = self.check()?;
        host.reveal(&self.requirements)?;
        self.venv().check_is_ours()?;
        let mut differ = Differ::default();
        let Some(marker) = &state.marker else {
            differ.field("python", None::<String>, Some(state.interpreter.as_ref().unwrap_or(&self.python)));
            differ.field("projects", None::<usize>, Some(requirements.projects.len()));
            let cut_off = self.venv().has_begun();
            let change = if cut_off { differ.update() } else { differ.create() };
            return Ok(match cut_off {
                true => change.note("it was not installed to the end, or not by us, and will be made again"),
                false if state.interpreter.is_none() => change.note(format!("{} is not installed yet", self.python)),
                false => change,
            });
        };
        differ.field("python", Some(&marker.interpreter), state.interpreter.as_ref());
        differ.field("user", state.owner.as_ref(), Some(self.owner()));
        let same = marker.requirements == self.digest(host);
        if !same {
            differ.push(match contains_token(&self.requirements) {
                true => Detail::Secret { field: "requirements".to_owned() },
                false => Detail::Note { text: "the requirements have changed".to_owned() },
            });
        }
        self.compare(state, marker, &requirements, same, &mut differ);
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let folder = self.folder();
        self.venv().check_is_ours()?;
        if self.state == Presence::Absent {
            return fs::remove_dir_all(folder).map_err(|error| StepError::io("remove", folder, &error));
        }
        let requirements = self.check()?;
        let Some(interpreter) = &state.interpreter else {
            let error = StepError::new(format!("`{}` is not on this host", self.python));
            return Err(error.hint("add a step for the package that has it, such as `package: python3-venv`"));
        };
        self.venv().unmark(host)?;
        let usable = state.marker.as_ref().filter(|marker| marker.interpreter == *interpreter);
        if usable.is_none() {
            self.create(interpreter, host)?;
        } else if state.owner.as_deref() != Some(self.owner()) {
            let owner = format!("{}:", self.owner());
            host.command(["chown", "--recursive", "--no-dereference", &owner, "--", &self.path]).run()?;
        }
        let done = self.install(&requirements, host);
        let installed = self.venv().installed(&requirements);
        if let (Err(_), Some(before)) = (&done, usable)
            && before.installed == installed
        {
            // pip gave up before it touched anything: what was whole still is, and need not be made again.
            self.venv().mark(host, before)?;
        }
        done?;
        let marker = Marker { requirements: self.digest(host), interpreter: interpreter.clone(), installed };
        self.venv().mark(host, &marker)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { requirements: String::new(), state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;

    fn projects(list: &[(&str, &str)]) -> Projects {
        list.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
    }

    /// An environment as it is on disk after an installation, without Python.
    fn installed(bench: &Bench, requirements: &str, found: &[(&str, &str)]) -> PythonVenv {
        let path = bench.path("venv");
        let folder = Path::new(&path);
        let _ = fs::remove_dir_all(folder);
        let site = folder.join("lib/python3.11/site-packages");
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join("bin/python"), "").unwrap();
        fs::write(folder.join("pyvenv.cfg"), "").unwrap();
        for (name, version) in found.iter().chain([&("pip", "23.0")]) {
            fs::create_dir_all(site.join(format!("{name}-{version}.dist-info"))).unwrap();
        }
        let user = bench.host.accounts().unwrap().user_name(rustix::process::geteuid().as_raw());
        let venv = PythonVenv {
            path: path.clone(),
            python: "/bin/sh".to_owned(),
            requirements: requirements.to_owned(),
            user: Some(user),
            state: Presence::Present,
        };
        let marker = Marker {
            requirements: venv.digest(&bench.host),
            interpreter: venv.interpreter().unwrap(),
            installed: projects(found),
        };
        venv.venv().mark(&bench.host, &marker).unwrap();
        venv
    }

    fn plan(venv: &PythonVenv, bench: &Bench) -> Change {
        venv.diff(&venv.observe(&bench.host).unwrap(), &bench.host).unwrap()
    }

    #[test]
    fn an_installed_environment_is_no_change_and_a_manual_one_is_seen() {
        let bench = Bench::new();
        let venv = installed(&bench, "six==1.16.0\n", &[("six", "1.16.0"), ("idna", "3.4")]);
        assert!(plan(&venv, &bench).is_none());
        let site = Path::new(&venv.path).join("lib/python3.11/site-packages");
        fs::rename(site.join("six-1.16.0.dist-info"), site.join("six-1.15.0.dist-info")).unwrap();
        fs::create_dir(site.join("extra-1.dist-info")).unwrap();
        let expected = Change::of(ChangeKind::Update).value("extra", Some("1".into()), None).value(
            "six",
            Some("1.15.0".into()),
            Some("1.16.0".into()),
        );
        assert_eq!(plan(&venv, &bench), expected);
    }

    #[test]
    fn changed_requirements_name_what_comes_and_goes() {
        let bench = Bench::new();
        let mut venv = installed(&bench, "six==1.15.0", &[("six", "1.15.0"), ("old", "1")]);
        venv.requirements = "six==1.16.0 --hash=sha256:aa\n".to_owned();
        let expected = Change::of(ChangeKind::Update)
            .note("the requirements have changed")
            .value("six", Some("1.15.0".into()), Some("1.16.0".into()))
            .value("old", Some("1".into()), None);
        assert_eq!(plan(&venv, &bench), expected);
    }

    #[test]
    fn an_installation_that_was_cut_off_is_made_again() {
        let bench = Bench::new();
        let venv = installed(&bench, "six==1.16.0", &[("six", "1.16.0")]);
        venv.venv().unmark(&bench.host).unwrap();
        let change = plan(&venv, &bench);
        assert_eq!(change.kind, ChangeKind::Update);
        assert!(
            matches!(change.details.last(), Some(Detail::Note { text }) if text.contains("not installed to the end"))
        );
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_not_cleared() {
        let bench = Bench::new();
        let venv = installed(&bench, "", &[]);
        fs::remove_dir_all(&venv.path).unwrap();
        assert_eq!(plan(&venv, &bench).kind, ChangeKind::Create);
        fs::create_dir(&venv.path).unwrap();
        fs::write(Path::new(&venv.path).join("precious"), "").unwrap();
        let state = venv.observe(&bench.host).unwrap();
        assert!(venv.diff(&state, &bench.host).unwrap_err().message.contains("precious"));
        assert!(venv.absent().unwrap().apply(&state, &bench.host).is_err());
    }

    #[test]
    fn a_password_in_the_requirements_is_not_shown() {
        let bench = Bench::new();
        let index = format!("--index-url https://x:{}@mirror.example.org\n", crate::secret::token("pw", &[]));
        let mut venv = installed(&bench, &index, &[]);
        assert!(plan(&venv, &bench).is_none());
        venv.requirements.push_str("six>=1\n");
        assert_eq!(plan(&venv, &bench).details, [Detail::Secret { field: "requirements".into() }]);
    }
}
