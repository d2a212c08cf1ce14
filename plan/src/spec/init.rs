//! The first files of a new environment: commented, and valid as they are.

use std::path::PathBuf;

use super::environment::RESERVED_NAMES;
use crate::node::{Kind, Node};
use crate::schema::Format;
use crate::source::{Sources, Span};

const ENVIRONMENT: &str = include_str!("init/environment.yml");
const INVENTORY: &str = include_str!("init/inventory.yml");

/// Paths in the repository and texts of the files of a new environment. Lines that begin with `#` and no space are examples: they
/// can be made valid by removing the `#`.
///
/// # Errors
/// A sentence when the name cannot be that of an environment.
pub fn init(name: &str) -> Result<Vec<(PathBuf, String)>, String> {
    if RESERVED_NAMES.contains(&name) {
        return Err(format!("an environment cannot be called `{name}`: that is a command"));
    }
    let span = Span { file: Sources::default().add("", ""), start: 0, end: 0 };
    let node = Node { kind: Kind::String(name.to_owned()), span };
    if let Some(format) = Format::named("name").filter(|format| !format.accepts(&node)) {
        return Err(format!("`{name}` cannot be the name of an environment: {}", format.hint));
    }
    let environment = PathBuf::from("environments").join(name).join("environment.yml");
    let inventory = PathBuf::from("inventories").join(format!("{name}.yml"));
    Ok(vec![(environment, ENVIRONMENT.replace("NAME", name)), (inventory, INVENTORY.replace("NAME", name))])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(init("deploy").unwrap_err().contains("command"));
        assert!(init("../up").unwrap_err().contains("letters"));
        assert!(init("").is_err());
        let paths: Vec<PathBuf> = init("prod").unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [PathBuf::from("environments/prod/environment.yml"), PathBuf::from("inventories/prod.yml")]);
    }
}
