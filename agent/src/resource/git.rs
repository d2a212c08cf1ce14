//! A git checkout at a revision.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Directory, ResourceType};
use crate::change::{Change, Detail, Differ};
use crate::host::{CommandLine, Host};
use crate::secret::mask;
use crate::step_error::StepError;

/// A git checkout at a revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Absolute path of the work tree.
    pub path: String,
    /// Address to clone from.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// User who owns it and runs git; root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// What is in the work tree of a [`Git`].
pub struct GitState {
    /// Something is at the path.
    exists: bool,
    /// The commit that is checked out; absent when there is none.
    head: Option<String>,
    /// Files under version control that were changed on the host.
    dirty: usize,
    /// The commit that should be checked out; a revision that looks like a short commit stays as it is.
    wanted: String,
}

/// How long git may take over the network.
const LIMIT: Duration = Duration::from_secs(1800);
/// How long the other side may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(60);

impl ResourceType for Git {
    type State = GitState;

    fn observe(&self, host: &Host) -> Result<GitState, StepError> {
        let path = Path::new(&self.path);
        let exists = host.stat(path)?.is_some();
        let checkout = host.stat(&path.join(".git"))?.is_some();
        let empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if exists && !checkout && !empty() {
            let text = format!("{} has files that are no git checkout", self.path);
            return Err(StepError::new(text).hint("move them away, or choose another path"));
        }
        let (mut head, mut dirty) = (None, 0);
        if checkout {
            let output = self.git(host, &["status", "--porcelain=v2", "--branch", "--untracked-files=no"]).run()?;
            head = output.stdout.lines().find_map(|line| line.strip_prefix("# branch.oid ")).map(str::to_owned);
            head = head.filter(|commit| commit != "(initial)");
            dirty = output.stdout.lines().filter(|line| !line.starts_with('#')).count();
        }
        Ok(GitState { exists, wanted: self.resolve(head.as_deref(), host)?, head, dirty })
    }

    fn diff(&self, state: &GitState, _: &Host) -> Result<Change, StepError> {
        let short = |commit: &str| commit.chars().take(12).collect::<String>();
        let mut differ = Differ::default();
        if state.head.as_deref() != Some(state.wanted.as_str()) {
            let after = match short(&state.wanted) {
                commit if is_commit(&self.revision) => commit,
                commit => format!("{commit} ({})", self.revision),
            };
            differ.field("revision", state.head.as_deref().map(short), Some(after));
        }
        if state.dirty > 0 {
            differ.push(Detail::Note { text: format!("changes to {} files on the host are thrown away", state.dirty) });
        }
        Ok(if state.exists { differ.update() } else { differ.create() })
    }

    fn apply(&self, state: &GitState, host: &Host) -> Result<(), StepError> {
        let path = Path::new(&self.path);
        if !state.exists {
            let owner = self.user.clone();
            let group = owner.as_ref().map(|user| primary_group(user, host)).transpose()?;
            let folder = Directory { path: self.path.clone(), owner, group, ..Directory::default() };
            let state = folder.observe(host)?;
            folder.apply(&state, host)?;
        }
        if host.stat(&path.join(".git"))?.is_none() {
            self.git(host, &["init", "--quiet"]).run()?;
        }
        if state.head.as_deref() != Some(state.wanted.as_str()) && !self.has(&state.wanted, host)? {
            self.git(host, &["fetch", "--quiet", "--force", "--tags", "origin"]).timeout(LIMIT).run()?;
            if !self.has(&state.wanted, host)? {
                // A commit that no branch and no tag has; some servers give it when asked by name.
                self.git(host, &["fetch", "--quiet", "origin", &state.wanted]).timeout(LIMIT).run()?;
            }
        }
        self.git(host, &["checkout", "--quiet", "--force", "--detach", &state.wanted]).run()?;
        if host.stat(&path.join(".gitmodules"))?.is_some() {
            self.git(host, &["submodule", "--quiet", "update", "--init", "--recursive"]).timeout(LIMIT).run()?;
        }
        Ok(())
    }
}

impl Git {
    /// git in the work tree, as its owner. The address goes by the environment: it may hold a secret, which then is neither
    /// among the arguments nor in the checkout's configuration.
    fn git<'h>(&self, host: &'h Host, arguments: &[&str]) -> CommandLine<'h> {
        let config = [
            ("remote.origin.url", self.repository.as_str()),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            ("safe.directory", self.path.as_str()),
            ("advice.detachedHead", "false"),
            ("init.defaultBranch", "main"),
        ];
        let mut command =
            host.command(["git"]).args(arguments.iter().copied()).env("GIT_CONFIG_COUNT", config.len().to_string());
        for (at, (name, value)) in config.into_iter().enumerate() {
            command = command.env(&format!("GIT_CONFIG_KEY_{at}"), name).env(&format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        // Nobody is there to be asked.
        command = command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        if let Some(user) = &self.user {
            command = command.user(user);
        }
        if Path::new(&self.path).is_dir() { command.cwd(&self.path) } else { command }
    }

    /// The commit of the revision. A branch or tag is asked for where it comes from, because only that knows.
    fn resolve(&self, head: Option<&str>, host: &Host) -> Result<String, StepError> {
        if is_commit(&self.revision) {
            return Ok(self.revision.clone());
        }
        let names = [
            format!("refs/tags/{}^{{}}", self.revision),
            format!("refs/tags/{}", self.revision),
            format!("refs/heads/{}", self.revision),
        ];
        let mut arguments = vec!["ls-remote", "origin"];
        arguments.extend(names.iter().map(String::as_str));
        let output = self.git(host, &arguments).timeout(PATIENCE).run()?;
        let commits: Vec<(&str, &str)> = output.stdout.lines().filter_map(|line| line.split_once('\t')).collect();
        let found = names.iter().find_map(|name| commits.iter().find(|(_, known)| known == name));
        let short = self.revision.len() >= 7 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (found, head) {
            (Some((commit, _)), _) => Ok((*commit).to_owned()),
            (None, Some(head)) if short && head.starts_with(&self.revision) => Ok(head.to_owned()),
            (None, _) if short => Ok(self.revision.clone()),
            (None, _) => {
                let from = mask(&self.repository);
                Err(StepError::new(format!("{from} has no branch and no tag `{}`", self.revision)))
            }
        }
    }

    fn has(&self, commit: &str, host: &Host) -> Result<bool, StepError> {
        Ok(self.git(host, &["cat-file", "-e", &format!("{commit}^{{commit}}")]).output()?.success())
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn primary_group(user: &str, host: &Host) -> Result<String, StepError> {
    let accounts = host.accounts()?;
    let unknown = || {
        StepError::new(format!("the user `{user}` does not exist")).hint(format!("add a step `user: {user}` before it"))
    };
    accounts.user(user).map(|user| user.gid.to_string()).ok_or_else(unknown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::ChangeKind;
    use crate::resource::tests::Bench;

    fn origin(bench: &Bench) {
        let script = "git init -q -b main . && git config user.email a@b && git config user.name a \
            && echo one > f && git add f && git commit -qm one && git tag -a v1 -m v1 && echo two > f && git commit -qam two";
        fs::create_dir(bench.path("origin")).unwrap();
        bench.host.shell(script).cwd(bench.path("origin")).run().unwrap();
    }

    fn checkout(bench: &Bench, revision: &str) -> Git {
        let (path, repository) = (bench.path("work/tree"), bench.path("origin"));
        Git { path, repository, revision: revision.to_owned(), user: None }
    }

    #[test]
    fn checks_out_branches_tags_and_commits_and_throws_local_changes_away() {
        let bench = Bench::new();
        origin(&bench);
        let text = || fs::read_to_string(bench.path("work/tree/f")).unwrap();
        assert_eq!(bench.converge(&checkout(&bench, "main")).kind, ChangeKind::Create);
        assert_eq!(text(), "two\n");
        assert_eq!(bench.converge(&checkout(&bench, "v1")).kind, ChangeKind::Update);
        assert_eq!(text(), "one\n");
        fs::write(bench.path("work/tree/f"), "local").unwrap();
        let change = bench.converge(&checkout(&bench, "v1"));
        assert!(matches!(&change.details[..], [Detail::Note { text }] if text.contains("1 files")));
        bench.host.shell("echo three > f; git commit -qam three").cwd(bench.path("origin")).run().unwrap();
        bench.converge(&checkout(&bench, "main"));
        assert_eq!(text(), "three\n");
        let commit = bench.host.shell("git rev-parse main~1").cwd(bench.path("origin")).run().unwrap().stdout;
        bench.converge(&checkout(&bench, commit.trim()));
        assert_eq!(text(), "two\n");
    }

    #[test]
    fn a_checkout_that_was_cut_off_is_finished() {
        let bench = Bench::new();
        origin(&bench);
        fs::create_dir_all(bench.path("work/tree")).unwrap();
        bench.host.shell("git init -q").cwd(bench.path("work/tree")).run().unwrap();
        assert_eq!(bench.converge(&checkout(&bench, "main")).kind, ChangeKind::Update);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let bench = Bench::new();
        origin(&bench);
        let error = checkout(&bench, "no-such").observe(&bench.host).err().unwrap();
        assert!(error.message.ends_with("origin has no branch and no tag `no-such`"), "{error}");
        fs::create_dir_all(bench.path("work/tree/other")).unwrap();
        let error = checkout(&bench, "main").observe(&bench.host).err().unwrap();
        assert!(error.message.contains("no git checkout"), "{error}");
    }
}
