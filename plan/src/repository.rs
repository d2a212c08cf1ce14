//! Where the files of environments and roles are read from.

use std::path::{Path, PathBuf};

/// Shipped roles by path inside `roles/`, as the binary embeds them: `redis/role.yml`, `redis/templates/redis.conf.j2`.
pub trait ShippedRoles: Sync {
    /// A file's bytes.
    fn read(&self, path: &str) -> Option<&[u8]>;
    /// The names of all shipped roles, sorted.
    fn names(&self) -> Vec<&str>;
}

/// A folder with `environments/`, `inventories/`, `roles/` and `secrets/`, and the roles in the binary behind it.
pub struct Repository<'a> {
    /// The folder.
    pub root: PathBuf,
    /// Roles in the binary; one of the same name in `roles/` wins.
    pub shipped: &'a dyn ShippedRoles,
}

impl Repository<'_> {
    /// `environments/<env>/environment.yml`.
    pub fn environment_file(&self, environment: &str) -> PathBuf {
        self.root.join("environments").join(environment).join("environment.yml")
    }

    /// `inventories/<env>.yml`.
    pub fn inventory_file(&self, environment: &str) -> PathBuf {
        self.root.join("inventories").join(format!("{environment}.yml"))
    }

    /// `secrets/<env>.yml`.
    pub fn secrets_file(&self, environment: &str) -> PathBuf {
        self.root.join("secrets").join(format!("{environment}.yml"))
    }

    /// A path as messages show it: relative to the repository.
    pub fn display<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}
