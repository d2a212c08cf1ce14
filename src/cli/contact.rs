//! From an environment to its connected hosts: addresses from the provider, host keys asked about once, secrets unlocked.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_agent::secret::{Secret, Vault};
use cc_plan::compile::Known;
use cc_plan::counted;
use cc_plan::plan::Plan;
use cc_plan::spec::Spec;
use cc_plan::spec::inventory::Provider;

use super::context::Context;
use crate::error::CliError;
use crate::rehearsal::{Containers, HostSpec, Pins, RehearsalKey, RunningHost};
use crate::report::Event;
use crate::run::{Contact, Fleet, Interrupt, Selection, Vaults, keeper_hosts};
use crate::secrets::{self, Identities, KeyPlace, Store, Terminal, Unlocked};
use crate::ssh::{AgentBinary, AskPassphrase, Connector, ConnectorOptions, Target, UnknownKey};

impl Context {
    /// The hosts' addresses: written in the inventory, or given by its provider.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn addresses(&self, spec: &Spec) -> Result<BTreeMap<String, String>, CliError> {
        let written =
            spec.inventory.hosts.iter().filter_map(|host| {
                host.address.as_ref().map(|address| (host.name.value.clone(), address.value.clone()))
            });
        let mut addresses: BTreeMap<String, String> = written.collect();
        if spec.inventory.provider == Provider::Containers {
            let given = Containers::connect().await?.addresses(&spec.environment.name).await?;
            addresses.extend(given.into_iter().map(|(host, address)| (host, address.to_string())));
        }
        Ok(addresses)
    }

    /// How the hosts are reached.
    ///
    /// # Errors
    /// When the provider cannot be asked, or there is no agent to push.
    pub async fn contact(&self, spec: &Spec) -> Result<Contact, CliError> {
        let rehearsal = spec.inventory.provider == Provider::Containers;
        let identity_files = if rehearsal { vec![RehearsalKey::ensure()?.path] } else { Vec::new() };
        let sudo_password = self.sudo_password()?;
        let timeout = Duration::from_secs(u64::from(self.args.timeout));
        let options = ConnectorOptions {
            known_hosts: Some(self.known_hosts(spec)?),
            connect_timeout: timeout,
            keepalive: timeout,
            ask_passphrase: (!self.args.no_input).then(|| -> AskPassphrase { Arc::new(ask_passphrase) }),
            ..ConnectorOptions::default()
        };
        Ok(Contact {
            addresses: self.addresses(spec).await?,
            known_hosts: self.known_hosts(spec)?,
            identity_files,
            agent: Arc::new(AgentBinary::find(self.args.agent().as_deref())?),
            connector: Connector::new(options),
            sudo_password,
            parallel: usize::from(self.args.parallel),
            patience: timeout.max(Duration::from_secs(30)),
        })
    }

    fn sudo_password(&self) -> Result<Option<Arc<Secret<String>>>, CliError> {
        if !self.args.ask_sudo_password {
            return Ok(None);
        }
        let answer = Terminal::new().ask_secret("sudo password on the hosts: ");
        answer.map(|password| Some(Arc::new(password))).map_err(|error| {
            CliError::usage(format!("cannot ask for the sudo password: {error}"))
                .hint("run it at a terminal, or let the user use sudo without a password")
        })
    }

    /// Where the environment's host keys are pinned: beside the environment, where colleagues share them through git; those of
    /// a rehearsal change with every `up` and stay on this machine.
    fn known_hosts(&self, spec: &Spec) -> Result<PathBuf, CliError> {
        let name = &spec.environment.name.value;
        if spec.inventory.provider != Provider::Containers {
            return Ok(self.repository().environment_file(name).with_file_name("known_hosts"));
        }
        Ok(Pins::of(name)?.path().to_owned())
    }

    /// Connects to the selected hosts.
    ///
    /// # Errors
    /// Host keys that nobody confirms, hosts that cannot be worked on. One that cannot be reached is no error: the fleet
    /// says so.
    pub async fn connect(
        &self,
        spec: &Spec,
        selection: &Selection,
        interrupt: &Interrupt,
    ) -> Result<(Fleet, Known), CliError> {
        let (fleet, known) = self.reach(spec, selection, interrupt).await?;
        fleet.check()?;
        Ok((fleet, known))
    }

    /// Connects to the selected hosts, and beside them to those that keep the environment's lock.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with_keepers(
        &self,
        spec: &Spec,
        selection: &Selection,
        interrupt: &Interrupt,
    ) -> Result<(Fleet, Known), CliError> {
        let (fleet, known) = self.reach_with(spec, selection, &keeper_hosts(spec), interrupt).await?;
        fleet.check()?;
        Ok((fleet, known))
    }

    /// The same for who judges what the hosts are like: one without root or systemd is no error here.
    ///
    /// # Errors
    /// Host keys that nobody confirms.
    pub async fn reach(
        &self,
        spec: &Spec,
        selection: &Selection,
        interrupt: &Interrupt,
    ) -> Result<(Fleet, Known), CliError> {
        self.reach_with(spec, selection, &[], interrupt).await
    }

    async fn reach_with(
        &self,
        spec: &Spec,
        selection: &Selection,
        beside: &[String],
        interrupt: &Interrupt,
    ) -> Result<(Fleet, Known), CliError> {
        let selected = selection.select_hosts(spec)?;
        let hosts: Vec<String> = selected.iter().chain(beside).cloned().collect();
        let contact = Arc::new(self.contact(spec).await?);
        let (targets, mut lost) = contact.targets(spec, &hosts);
        self.accept_keys(spec, &contact, &targets).await?;
        let name = &spec.environment.name.value;
        let (members, unreachable) = contact.connect(name, &targets, interrupt, &self.report).await;
        if interrupt.is_set() {
            return Err(Interrupt::error());
        }
        lost.extend(unreachable);
        let mut fleet = Fleet { members, lost, beside: BTreeMap::new() };
        fleet.put_aside(|host| selected.iter().any(|selected| selected == host));
        let known = Known { facts: fleet.facts(), addresses: contact.addresses.clone(), files: None };
        Ok((fleet, known))
    }

    /// Asks once about all host keys that are met for the first time, and pins them. A host behind a jump host shows its key
    /// only when the jump host's is pinned: each round gets one jump further.
    async fn accept_keys(&self, spec: &Spec, contact: &Contact, targets: &[Target]) -> Result<(), CliError> {
        loop {
            let unknown = contact.unknown_keys(targets).await;
            if unknown.is_empty() {
                return Ok(());
            }
            self.accept(spec, contact, &unknown)?;
        }
    }

    fn accept(&self, spec: &Spec, contact: &Contact, unknown: &[UnknownKey]) -> Result<(), CliError> {
        if !self.args.accept_new_host_keys {
            self.ask_about(unknown)?;
        }
        contact.connector.pin(unknown).map_err(|error| CliError::failed(format!("cannot pin host keys: {error}")))?;
        let keys = counted(unknown.len(), "host key");
        let message = match self.passes {
            true => format!("{keys} trusted for this command; one in ~/.ssh/known_hosts is not asked about"),
            false => format!("pinned {keys} in {}", self.known_hosts(spec)?.display()),
        };
        self.report.emit(&Event::Note { message: &message });
        Ok(())
    }

    fn ask_about(&self, unknown: &[UnknownKey]) -> Result<(), CliError> {
        let rows: Vec<Vec<String>> =
            unknown.iter().map(|key| vec![key.host.clone(), key.name.to_string(), key.fingerprint()]).collect();
        let columns = ["HOST", "ADDRESS", "HOST KEY"];
        self.report.emit(&Event::Table { name: "unknown_host_key", columns: &columns, rows: &rows });
        if self.args.no_input || !std::io::stdin().is_terminal() {
            return Err(CliError::failed("these hosts are met for the first time, and nobody can be asked about their keys")
                .hint("compare the fingerprints with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on each host's console")
                .hint("then run again with `--accept-new-host-keys`"));
        }
        self.report.pause();
        let _ =
            std::io::stderr().write_all(b"These hosts are met for the first time. Trust and pin their keys? [y/N] ");
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(CliError::failed("the host keys were not accepted; nothing was done")),
        }
    }

    /// The secrets that the plan's hosts need; asks for no key when they need none, or the file has been `unlocked` already.
    ///
    /// # Errors
    /// No secrets file, no key that opens it, a value that is missing or damaged.
    pub fn vaults(&self, spec: &Spec, plan: &Plan, unlocked: Option<&Unlocked>) -> Result<Vaults, CliError> {
        let needed = plan.hosts.iter().any(|host| plan.secrets.get(&host.host).is_some_and(|names| !names.is_empty()));
        if !needed {
            return Ok(Vaults::default());
        }
        if let Some(unlocked) = unlocked {
            return Vaults::new(plan, unlocked);
        }
        let name = &spec.environment.name.value;
        let unlocked = self.unlock(name).map_err(|error| CliError::from(error).in_environment(name))?;
        Vaults::new(plan, &unlocked)
    }

    /// All secrets of the environment, to hide them in what hosts say. Whoever has no key is told that nothing is hidden.
    pub fn mask(&self, spec: &Spec) -> Vault {
        let name = &spec.environment.name.value;
        if !self.repository().secrets_file(name).exists() {
            return Vault::default();
        }
        let all = |unlocked: Unlocked| unlocked.vault(unlocked.names().iter().map(String::as_str));
        self.unlock(name).and_then(all).unwrap_or_else(|error| {
            let error = CliError::from(error).in_environment(name);
            let message = format!("secrets in the output are not hidden: {error}");
            let hint = error.hints.first().map(String::as_str);
            self.report.emit(&Event::Warning { message: &message, hint });
            Vault::default()
        })
    }

    /// The secrets file, opened.
    ///
    /// # Errors
    /// No secrets file, no key that opens it.
    pub fn unlock(&self, environment: &str) -> Result<Unlocked, secrets::Error> {
        let terminal = if self.args.no_input { Terminal::silent() } else { Terminal::new() };
        let identities = Identities::load(&KeyPlace::from_env()?, terminal)?;
        Store::open(&self.repository().secrets_file(environment), environment)?.unlock(&identities)
    }

    /// Makes or starts the rehearsal hosts and pins their keys, which Docker vouches for.
    ///
    /// # Errors
    /// When the inventory has another provider, or Docker is of no help.
    pub async fn rehearse(&self, spec: &Spec) -> Result<Vec<RunningHost>, CliError> {
        let containers = self.containers(spec).await?;
        let key = RehearsalKey::ensure()?;
        let hosts: Vec<HostSpec> = spec.inventory.hosts.iter().map(|host| HostSpec::new(&host.name.value)).collect();
        if containers.image().await? != crate::rehearsal::ImageState::Current {
            self.report.emit(&Event::Note { message: "making the host image; this takes a minute or two, once" });
        }
        let running = containers.up(&spec.environment.name, &hosts, &key.authorized).await?;
        Pins::of(&spec.environment.name)?.add(&running)?;
        Ok(running)
    }

    /// Removes the rehearsal hosts; gives their names.
    ///
    /// # Errors
    /// When the inventory has another provider, or Docker is of no help.
    pub async fn end_rehearsal(&self, spec: &Spec) -> Result<Vec<String>, CliError> {
        let gone = self.containers(spec).await?.down(&spec.environment.name).await?;
        Pins::of(&spec.environment.name)?.remove()?;
        Ok(gone)
    }

    async fn containers(&self, spec: &Spec) -> Result<Containers, CliError> {
        let provider = spec.inventory.provider;
        if provider != Provider::Containers {
            let name = &spec.environment.name.value;
            return Err(CliError::usage(format!("the hosts of `{name}` are not made by cc-cloud"))
                .hint(format!("`up` and `down` need `provider: containers` in inventories/{name}.yml")));
        }
        Ok(Containers::connect().await?)
    }
}

/// Asks for the passphrase of a key file; `None` when nobody can be asked.
fn ask_passphrase(file: &Path) -> Option<Secret<String>> {
    Terminal::new().ask_secret(&format!("passphrase of {}: ", file.display())).ok()
}
