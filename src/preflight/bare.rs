//! An environment of nothing, for machines that belong to none.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cc_plan::repository::Repository;
use cc_plan::spec::environment::Size;
use cc_plan::spec::{self, Spec};
use tempfile::TempDir;

use crate::error::CliError;
use crate::shipped::EmbeddedRoles;
use crate::ssh::Endpoint;

/// A repository in a temporary folder with an environment of nothing but hosts.
pub struct Bare {
    folder: TempDir,
}

impl Bare {
    /// Its environment's name.
    pub const NAME: &'static str = "machines";
    /// The host's name when it is this machine.
    pub const HERE: &'static str = "this-machine";

    /// Machines that would have to carry a size; this machine when none is named.
    ///
    /// # Errors
    /// When there is no place for temporary files.
    pub fn new(size: Size, hosts: &[Endpoint]) -> Result<Self, CliError> {
        let size = serde_json::to_value(size).unwrap_or_default();
        let environment = format!(
            "environment: {}\ndescription: Machines without an environment\nsize: {}\nservices: {{}}\n",
            Self::NAME,
            size.as_str().unwrap_or_default()
        );
        let mut inventory = "provider: static\nhosts:\n".to_owned();
        for (number, host) in hosts.iter().enumerate() {
            let (user, port) = (host.user.as_ref(), host.port);
            let user = user.map(|user| format!(", user: {user:?}")).unwrap_or_default();
            let port = port.map(|port| format!(", port: {port}")).unwrap_or_default();
            let _ = writeln!(inventory, "  machine{}: {{address: {:?}{user}{port}}}", number + 1, host.address);
        }
        if hosts.is_empty() {
            let _ = writeln!(inventory, "  {}: {{address: 127.0.0.1}}", Self::HERE);
        }
        let write = || -> std::io::Result<TempDir> {
            let folder = tempfile::tempdir()?;
            fs::create_dir_all(folder.path().join("environments").join(Self::NAME))?;
            fs::create_dir_all(folder.path().join("inventories"))?;
            fs::write(folder.path().join("environments").join(Self::NAME).join("environment.yml"), environment)?;
            fs::write(folder.path().join("inventories").join(format!("{}.yml", Self::NAME)), inventory)?;
            Ok(folder)
        };
        let folder = write().map_err(|error| {
            CliError::failed(format!("cannot write temporary files: {error}")).hint("free some space, or set TMPDIR")
        })?;
        Ok(Self { folder })
    }

    /// What the machines would have to carry. Nobody has written these files, so that nobody is warned of them.
    ///
    /// # Errors
    /// When an address makes no sense.
    pub fn load(&self) -> Result<Spec, CliError> {
        let repository = Repository { root: self.root().to_owned(), shipped: &EmbeddedRoles };
        spec::load(&repository, Self::NAME).map(|loaded| loaded.spec).map_err(|broken| {
            let messages: Vec<&str> = broken.diagnostics.iter().map(|found| found.message.as_str()).collect();
            CliError::usage(format!("these machines cannot be checked: {}", messages.join("; ")))
                .hint("name a machine as `--host USER@ADDRESS:PORT`")
        })
    }

    /// The repository's folder; it goes when this is dropped.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}
