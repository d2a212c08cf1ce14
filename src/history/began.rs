//! What is known of a run before its first change.

use serde::{Deserialize, Serialize};

use super::author::Author;
use super::commit::Commit;
use super::gate::Gate;
use super::intent::Intent;

/// What is known of a run before its first change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// The environment.
    pub environment: String,
    /// The command: `deploy`.
    pub command: String,
    /// The command line, word by word; secrets in it are masked.
    pub command_line: Vec<String>,
    /// Who runs it, and from where.
    #[serde(flatten)]
    pub author: Author,
    /// Why, in the author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The commit of the environment's files; none where they are not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// The version of cc-cloud.
    pub cc_cloud: String,
    /// What it is going to change.
    pub plan: Intent,
    /// What preflight said.
    pub preflight: Gate,
}
