//! From an environment to its history.

use super::context::Context;
use crate::history::{Archive, Author, Began, Commit, Gate, Intent};
use crate::keeper::{FolderKeeper, Keeper};
use crate::report::PlanView;
use crate::state_folder::state_folder;

impl Context {
    /// The history of an environment, in this user's own state folder.
    pub fn archive(&self, environment: &str) -> Archive {
        let folder = state_folder("history", &self.root).map(|folder| folder.join(environment));
        let here = folder.map(|folder| -> Box<dyn Keeper> { Box::new(FolderKeeper::new(folder)) });
        Archive::new(Vec::new(), Vec::new(), here)
    }

    /// What the history is to say of a run that begins now.
    pub fn began(&self, environment: &str, command: &str, message: Option<&str>, plan: &PlanView, gate: Gate) -> Began {
        Began {
            environment: environment.to_owned(),
            command: command.to_owned(),
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            author: Author::of(&self.root),
            message: message.map(str::to_owned),
            commit: Commit::of(&self.root),
            cc_cloud: env!("CARGO_PKG_VERSION").to_owned(),
            plan: Intent::of(plan),
            preflight: gate,
        }
    }
}
