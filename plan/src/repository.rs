//! Where the files of environments and roles are read from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Shipped roles by path inside `roles/`, as the binary embeds them: `redis/role.yml`, `redis/templates/redis.conf.j2`.
pub trait ShippedRoles: Sync {
    /// A file's bytes.
    fn read(&self, path: &str) -> Option<&[u8]>;
    /// The names of all shipped roles, sorted.
    fn names(&self) -> Vec<&str>;
    /// The paths of a role's files inside `roles/`, sorted; empty when there is no such role.
    fn files(&self, role: &str) -> Vec<&str>;
}

/// Roles in memory, by path inside `roles/`.
impl ShippedRoles for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Option<&[u8]> {
        self.get(path).map(Vec::as_slice)
    }

    fn names(&self) -> Vec<&str> {
        self.keys().filter_map(|path| path.strip_suffix("/role.yml")).collect()
    }

    fn files(&self, role: &str) -> Vec<&str> {
        let inside = |path: &&String| path.strip_prefix(role).is_some_and(|rest| rest.starts_with('/'));
        self.keys().filter(inside).map(String::as_str).collect()
    }
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

    /// `environments/<env>/waivers.yml`.
    pub fn waivers_file(&self, environment: &str) -> PathBuf {
        self.environment_file(environment).with_file_name("waivers.yml")
    }

    /// `environments/<env>/attestations.yml`.
    pub fn attestations_file(&self, environment: &str) -> PathBuf {
        self.environment_file(environment).with_file_name("attestations.yml")
    }

    /// `inventories/<env>.yml`.
    pub fn inventory_file(&self, environment: &str) -> PathBuf {
        self.root.join("inventories").join(format!("{environment}.yml"))
    }

    /// `secrets/<env>.yml`.
    pub fn secrets_file(&self, environment: &str) -> PathBuf {
        self.root.join("secrets").join(format!("{environment}.yml"))
    }

    /// `roles/<role>`, where a role of one's own would be.
    pub fn role_folder(&self, role: &str) -> PathBuf {
        self.root.join("roles").join(role)
    }

    /// The names of all environments, sorted: folders with an `environment.yml`.
    pub fn environments(&self) -> Vec<String> {
        folders_with(&self.root.join("environments"), "environment.yml")
    }

    /// The names of all roles, own and shipped, sorted.
    pub fn roles(&self) -> Vec<String> {
        let mut names = folders_with(&self.root.join("roles"), "role.yml");
        names.extend(self.shipped.names().into_iter().map(str::to_owned));
        names.sort();
        names.dedup();
        names
    }

    /// A path as messages show it: relative to the repository.
    pub fn display<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// Folders in `parent` that hold `file`. A parent that cannot be read has none.
fn folders_with(parent: &Path, file: &str) -> Vec<String> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join(file).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
