//! `secrets check`: who can read what, what is missing, what nobody uses, what does not open.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cc_plan::suggest::closest;

use super::error::Error;
use super::identities::Identities;
use super::problem::{Problem, Severity};
use super::recipient::Recipient;
use super::store::Store;
use super::unlocked::Unlocked;

/// Characters below which a value is easily guessed.
const SHORT: usize = 8;

/// Everything that is known about a secrets file. Holds no values.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The file.
    pub path: PathBuf,
    /// Who can read every value in it.
    pub recipients: Vec<Recipient>,
    /// Its secrets, sorted by name.
    pub secrets: Vec<AuditedSecret>,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
}

/// One secret of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedSecret {
    /// Its name.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// Whether the environment refers to it; `None` when that is not known.
    pub used: Option<bool>,
    /// Its keyed digest; `None` without a key, or when it does not open.
    pub digest: Option<String>,
}

impl Audit {
    /// Checks the secrets file of an environment against the names that the environment refers to (`None`: not known).
    /// Without a key, or with one that does not fit, everything that needs none is still checked.
    pub fn of(
        path: &Path,
        environment: &str,
        referenced: Option<&BTreeSet<String>>,
        identities: Option<&Identities>,
    ) -> Result<Self, Error> {
        let mut audit = Self {
            path: path.to_owned(),
            recipients: Vec::new(),
            secrets: Vec::new(),
            problems: Vec::new(),
            unchecked: Vec::new(),
        };
        match Store::open(path, environment) {
            Ok(store) => audit.check_names(&store, referenced),
            Err(Error::Missing { .. }) => audit.check_references(referenced, &BTreeSet::new()),
            Err(Error::Broken { problems, .. }) => {
                audit.problems = problems;
                audit
                    .unchecked
                    .push("which secrets are missing or unused, and whether values open: mend the file first".into());
            }
            Err(error) => return Err(error),
        }
        Ok(audit.with_key(path, environment, identities))
    }

    /// Whether a deploy would not work.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    fn check_names(&mut self, store: &Store, referenced: Option<&BTreeSet<String>>) {
        let names = store.names();
        self.recipients = store.recipients().to_vec();
        self.secrets = names
            .iter()
            .map(|name| AuditedSecret {
                name: name.clone(),
                line: store.line(name).unwrap_or(0),
                used: referenced.map(|referenced| referenced.contains(name)),
                digest: None,
            })
            .collect();
        if let [only] = store.recipients() {
            let message = format!("only `{}` can read this file: if that key is lost, so are the values", only.name());
            self.problems
                .push(Problem::warning(None, message).hint("add a second recipient with `secrets rekey --add`"));
        }
        for secret in self.secrets.iter().filter(|secret| secret.used == Some(false)) {
            let message = format!("nothing in the environment refers to `{}`", secret.name);
            self.problems.push(Problem::warning(secret.line, message).hint("delete it with `secrets edit`"));
        }
        self.check_references(referenced, &names);
    }

    fn check_references(&mut self, referenced: Option<&BTreeSet<String>>, names: &BTreeSet<String>) {
        let Some(referenced) = referenced else {
            self.unchecked
                .push("which secrets are missing or unused: the environment has errors, see `validate`".into());
            return;
        };
        for name in referenced.difference(names) {
            let unused = names.difference(referenced).map(String::as_str);
            let hint = match closest(name, unused) {
                Some(near) => format!("did you mean `{near}`, which nothing refers to? Else: `secrets set {name}`"),
                None => {
                    format!("enter it with `secrets set {name}`, or make one up with `secrets set {name} --random 32`")
                }
            };
            let message = format!("the environment refers to `{name}`, which is not in the file");
            self.problems.push(Problem::error(None, message).hint(hint));
        }
    }

    /// What only a key can tell.
    fn with_key(mut self, path: &Path, environment: &str, identities: Option<&Identities>) -> Self {
        // Without a file that can be read, there is nothing to open; that has been said already.
        let Ok(store) = Store::open(path, environment) else { return self };
        let without = "whether the values open, and whether somebody changed the recipients by hand";
        match identities.map(|identities| store.unlock(identities)) {
            None => self.unchecked.push(format!("{without}: no key was given")),
            Some(Ok(unlocked)) => self.check_values(&unlocked),
            Some(Err(Error::Broken { problems, .. })) => self.problems.extend(problems),
            Some(Err(error)) => self.unchecked.push(format!("{without}: {error}")),
        }
        self.problems.sort_by_key(|problem| (problem.severity, problem.line.is_none(), problem.line));
        self
    }

    fn check_values(&mut self, unlocked: &Unlocked) {
        self.problems.extend(unlocked.unreadable_values());
        for secret in &mut self.secrets {
            secret.digest = unlocked.digest(&secret.name).ok();
            if unlocked.get(&secret.name).is_ok_and(|value| value.expose().chars().count() < SHORT) {
                let message =
                    format!("the value of `{}` has less than {SHORT} characters: it is easily guessed", secret.name);
                let hint = format!("`secrets set {} --random --replace`, unless somebody has to type it", secret.name);
                self.problems.push(Problem::warning(secret.line, message).hint(hint));
            }
        }
    }
}
