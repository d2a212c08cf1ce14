//! An apt package.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{CommandLine, Host, Installed, satisfies};
use crate::step_error::StepError;

/// An apt package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Package name.
    pub name: String,
    /// Exact version, or a prefix that ends in `*`; any installed version when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Keep it out of upgrades (`apt-mark hold`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
    /// Whether recommended packages come with it.
    #[serde(default)]
    pub install_recommends: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What dpkg knows of a [`Package`].
pub struct PackageState {
    installed: Option<Installed>,
    /// Another installed package stands in for it.
    provided: bool,
}

impl ResourceType for Package {
    type State = PackageState;

    fn observe(&self, host: &Host) -> Result<PackageState, StepError> {
        let dpkg = host.packages()?;
        Ok(PackageState { installed: dpkg.installed(&self.name).cloned(), provided: dpkg.provided(&self.name) })
    }

    fn diff(&self, state: &PackageState, host: &Host) -> Result<Change, StepError> {
        self.validate()?;
        let mut differ = Differ::default();
        let installed = match (&state.installed, self.state) {
            (None, Presence::Absent) => return Ok(Change::none()),
            (Some(installed), Presence::Absent) => {
                return Ok(Change::of(ChangeKind::Delete).value("version", Some(installed.version.clone()), None));
            }
            (None, Presence::Present) if state.provided && self.version.is_none() && self.hold != Some(true) => {
                return Ok(Change::none());
            }
            (None, Presence::Present) => return self.installation(host),
            (Some(installed), Presence::Present) => installed,
        };
        if let Some(wish) = self.version.as_deref().filter(|wish| !satisfies(&installed.version, wish)) {
            let available = host.available(&self.name)?;
            differ.field("version", Some(&installed.version), Some(available.best(Some(wish)).unwrap_or(wish)));
        }
        differ.field("hold", Some(installed.hold), self.hold);
        if !installed.configured {
            differ.push(Detail::Note { text: "a run of dpkg was cut off before it was configured".to_owned() });
        }
        Ok(differ.update())
    }

    fn apply(&self, _: &PackageState, host: &Host) -> Result<(), StepError> {
        Self::apply_all(&[self], host)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { version: None, hold: None, state: Presence::Absent, ..self.clone() })
    }
}

impl Package {
    /// Names that apt would take for an option, a pattern or a path are refused.
    fn validate(&self) -> Result<(), StepError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.:".contains(c);
        let begins = self.name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && !self.name.ends_with('-') && self.name.chars().all(plain) {
            return Ok(());
        }
        Err(StepError::new(format!("`{}` is not the name of a package", self.name)))
    }

    fn installation(&self, host: &Host) -> Result<Change, StepError> {
        let available = host.available(&self.name)?;
        let version = available.best(self.version.as_deref());
        let mut differ = Differ::default();
        differ.field("version", None::<&str>, version.or(self.version.as_deref()));
        differ.field("hold", None::<bool>, self.hold.filter(|hold| *hold));
        if version.is_none() {
            let text =
                "the package lists that this host has now do not know it; they are fetched before it is installed";
            differ.push(Detail::Note { text: text.to_owned() });
        }
        Ok(differ.create())
    }

    /// Brings several packages to their desired state with one call of apt-get. They want the same of recommended packages.
    pub(crate) fn apply_all(packages: &[&Self], host: &Host) -> Result<(), StepError> {
        finish_interrupted(host)?;
        let dpkg = host.packages()?;
        let differs = |package: &&&Self| -> bool {
            let installed = dpkg.installed(&package.name);
            match package.state {
                Presence::Absent => installed.is_some(),
                Presence::Present => !package.is_installed(installed, dpkg.provided(&package.name)),
            }
        };
        let wanted: Vec<&Self> = packages.iter().filter(differs).copied().collect();
        if !wanted.is_empty() {
            fetch_lists(&wanted, host)?;
            install(&wanted, host)?;
        }
        hold(packages, host)?;
        verify(packages, host)
    }

    /// Whether the right version is there and configured, whatever its hold.
    fn is_installed(&self, installed: Option<&Installed>, provided: bool) -> bool {
        match (installed, &self.version) {
            (None, version) => provided && version.is_none(),
            (Some(installed), None) => installed.configured,
            (Some(installed), Some(wish)) => installed.configured && satisfies(&installed.version, wish),
        }
    }
}

/// Configures what a run of dpkg left half-way when it was cut off; apt-get refuses to work before that.
fn finish_interrupted(host: &Host) -> Result<(), StepError> {
    let journal = fs::read_dir("/var/lib/dpkg/updates").is_ok_and(|mut entries| entries.next().is_some());
    if !journal && !host.packages()?.interrupted() {
        return Ok(());
    }
    let command = host.command(["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"]);
    command.env("DEBIAN_FRONTEND", "noninteractive").timeout(std::time::Duration::from_secs(1800)).run().map(drop)
}

/// Fetches the package lists when they are missing or old, or do not have what is wanted.
fn fetch_lists(wanted: &[&Package], host: &Host) -> Result<(), StepError> {
    if wanted.iter().all(|package| package.state == Presence::Absent) {
        return Ok(());
    }
    let mut old = host.apt_lists_are_old();
    for package in wanted.iter().filter(|package| package.state == Presence::Present) {
        old = old || host.available(&package.name)?.best(package.version.as_deref()).is_none();
    }
    if old { host.apt_update() } else { Ok(()) }
}

fn install(wanted: &[&Package], host: &Host) -> Result<(), StepError> {
    if wanted.iter().any(|package| package.state == Presence::Absent) {
        refuse_side_effects(wanted, &transaction(wanted, host, &["--simulate"])?.run()?.stdout)?;
    }
    transaction(wanted, host, &[])?.run().map(drop)
}

/// Removing a package takes those along that need it: refused, because nobody spoke of them.
fn refuse_side_effects(wanted: &[&Package], simulated: &str) -> Result<(), StepError> {
    let removed = simulated.lines().filter_map(|line| line.strip_prefix("Remv ")?.split(' ').next());
    let named = |name: &&str| {
        let plain = name.split(':').next().unwrap_or(name);
        wanted.iter().any(|package| package.state == Presence::Absent && package.name == plain)
    };
    let unnamed: Vec<&str> = removed.filter(|name| !named(name)).collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let text = format!("removing it would also remove {}", unnamed.join(", "));
    Err(StepError::new(text).hint("declare these packages `state: absent` too, or leave this one installed"))
}

/// The apt-get call for all of them together.
fn transaction<'h>(wanted: &[&Package], host: &'h Host, flags: &[&str]) -> Result<CommandLine<'h>, StepError> {
    let dpkg = host.packages()?;
    let mut command = host.apt_get("install").args(flags.iter().copied());
    if !wanted.iter().any(|package| package.install_recommends) {
        command = command.arg("--no-install-recommends");
    }
    // What nobody spoke of must not go as a side effect.
    if !wanted.iter().any(|package| package.state == Presence::Absent) {
        command = command.arg("--no-remove");
    }
    if wanted.iter().any(|package| package.version.is_some()) {
        command = command.arg("--allow-downgrades");
    }
    if wanted.iter().any(|package| dpkg.installed(&package.name).is_some_and(|installed| installed.hold)) {
        command = command.arg("--allow-change-held-packages");
    }
    let word = |package: &&Package| match (package.state, &package.version) {
        (Presence::Absent, _) => format!("{}-", package.name),
        (Presence::Present, None) => package.name.clone(),
        (Presence::Present, Some(version)) => format!("{}={version}", package.name),
    };
    Ok(command.arg("--").args(wanted.iter().map(word)))
}

/// Sets and releases holds.
fn hold(packages: &[&Package], host: &Host) -> Result<(), StepError> {
    let dpkg = host.packages()?;
    for (wish, verb) in [(true, "hold"), (false, "unhold")] {
        let names = packages.iter().filter(|package| package.state == Presence::Present && package.hold == Some(wish));
        let differs = |name: &&str| dpkg.installed(name).is_some_and(|installed| installed.hold != wish);
        let names: Vec<&str> = names.map(|package| package.name.as_str()).filter(differs).collect();
        if !names.is_empty() {
            host.command(["apt-mark", verb, "--"]).args(names).run()?;
        }
    }
    Ok(())
}

/// apt-get can be content with less than what was asked for.
fn verify(packages: &[&Package], host: &Host) -> Result<(), StepError> {
    let dpkg = host.packages()?;
    for package in packages {
        let installed = dpkg.installed(&package.name);
        let right = match package.state {
            Presence::Absent => installed.is_none(),
            Presence::Present => package.is_installed(installed, dpkg.provided(&package.name)),
        };
        if !right {
            let found = installed.map_or("not installed", |installed| installed.version.as_str());
            let text = format!("apt-get was content, but {} is {found}", package.name);
            return Err(StepError::new(text).hint(format!("see `apt-cache policy {}` on the host", package.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn host(status: &str) -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
        fs::write(root.path().join("var/lib/dpkg/status"), status).unwrap();
        let host = Host::under(root.path(), "/nonexistent");
        (root, host)
    }

    fn diff(package: serde_json::Value, status: &str) -> Change {
        let (_root, host) = host(status);
        let package: Package = serde_json::from_value(package).unwrap();
        let state = package.observe(&host).unwrap();
        package.diff(&state, &host).unwrap()
    }

    const NGINX: &str =
        "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\nProvides: httpd\n";

    #[test]
    fn what_is_as_desired_needs_nothing() {
        for package in [
            serde_json::json!({"name": "nginx"}),
            serde_json::json!({"name": "nginx", "version": "1.22*", "hold": false}),
            serde_json::json!({"name": "httpd"}),
            serde_json::json!({"name": "apache2", "state": "absent"}),
        ] {
            assert_eq!(diff(package, NGINX), Change::none());
        }
    }

    #[test]
    fn differences_are_named() {
        let held = diff(serde_json::json!({"name": "nginx", "hold": true}), NGINX);
        assert_eq!(
            held,
            Change::of(ChangeKind::Update).value("hold", Some("false".to_owned()), Some("true".to_owned()))
        );
        let gone = diff(serde_json::json!({"name": "nginx", "state": "absent"}), NGINX);
        assert_eq!(gone, Change::of(ChangeKind::Delete).value("version", Some("1.22.1-9".to_owned()), None));
        let half = diff(serde_json::json!({"name": "nginx"}), &NGINX.replace("ok installed", "ok half-configured"));
        assert!(matches!(half.details[..], [Detail::Note { .. }]));
    }

    #[test]
    fn names_that_mean_something_else_to_apt_are_refused() {
        for name in ["nginx-", "-o", "nginx=1", "ng.*", "./x.deb", ""] {
            let package: Package = serde_json::from_value(serde_json::json!({"name": name})).unwrap();
            assert!(package.validate().is_err(), "{name}");
        }
        let package: Package = serde_json::from_value(serde_json::json!({"name": "libstdc++6:i386"})).unwrap();
        package.validate().unwrap();
    }
}
