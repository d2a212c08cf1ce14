//! Why something with a secrets file did not work.

use std::io;
use std::path::{Path, PathBuf};

use super::name::InvalidName;
use super::problem::Problem;
use super::recipient::InvalidRecipient;

/// Why something with a secrets file did not work. No message holds a secret value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment has no secrets file.
    #[error("{}: there is no such secrets file", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// A new file is in the way of an old one.
    #[error("{}: the file is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system said no.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was tried: "read the secrets file".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file cannot be used as it is.
    #[error("{}", list(path, problems))]
    Broken {
        /// The file.
        path: PathBuf,
        /// Everything that was found, at least one.
        problems: Vec<Problem>,
    },
    /// No key here opens the file.
    #[error(
        "{}: none of your keys opens it. It is sealed for: {}. Looked for keys in: {}{}",
        path.display(), recipients.join(", "), looked.join(", "),
        notes.iter().map(|note| format!("\n  {note}")).collect::<String>()
    )]
    NoKey {
        /// The secrets file.
        path: PathBuf,
        /// `name (age1…)` of everybody who can read it.
        recipients: Vec<String>,
        /// Where keys were looked for, and what was there.
        looked: Vec<String>,
        /// What went wrong with single keys: a plugin that is missing or failed.
        notes: Vec<String>,
    },
    /// A new secrets file has nobody to be readable for.
    #[error("{}: there is no such secrets file, and you have no key in a file that a new one could be readable with. Looked in: {}", path.display(), looked.join(", "))]
    NoOwnKey {
        /// The secrets file.
        path: PathBuf,
        /// Where keys were looked for, and what was there.
        looked: Vec<String>,
    },
    /// A file of private keys is unusable.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong; never the key.
        reason: String,
    },
    /// The file of private keys that was asked for cannot be read.
    #[error("{}: cannot read the file of keys that CC_AGE_KEY_FILE names: {source}", path.display())]
    NamedKeyFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is no folder to keep keys in.
    #[error("there is no place for age keys: neither CC_AGE_KEY_FILE nor XDG_CONFIG_HOME nor HOME is set")]
    NoKeyPlace,
    /// The data key could not be wrapped for the recipients.
    #[error("the data key could not be encrypted for {recipients}: {reason}")]
    Wrap {
        /// Whose keys.
        recipients: String,
        /// Why.
        reason: String,
        /// The program that is missing on this machine.
        missing_plugin: Option<String>,
    },
    /// The file has no secret of this name.
    #[error("{}: there is no secret `{name}`", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// A name that is there.
        near: Option<String>,
    },
    /// A text is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A text is no recipient.
    #[error(transparent)]
    Recipient(#[from] InvalidRecipient),
    /// A value that cannot be a secret.
    #[error("the value of `{name}` {reason}")]
    Value {
        /// Whose value.
        name: String,
        /// "is empty".
        reason: &'static str,
    },
    /// A change of recipients that makes no sense.
    #[error("{}: {reason}", path.display())]
    Rekey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// Somebody else wrote the file in the meantime, and both changed the same.
    #[error("{}: somebody else changed {what} in the meantime; nothing was written", path.display())]
    Collision {
        /// The file.
        path: PathBuf,
        /// "`redis_password`" or "the recipients".
        what: String,
    },
    /// The editor could not be run or failed.
    #[error("the editor `{command}` {reason}; the secrets stay as they were")]
    Editor {
        /// The command.
        command: String,
        /// What happened.
        reason: String,
    },
    /// What was edited is not a list of secrets, and was given up. Holds places, never text of the file.
    #[error("what was edited is not usable, the secrets stay as they were:{}", problems.iter().map(|p| format!("\n  {p}")).collect::<String>())]
    Edited {
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// Nobody could be asked.
    #[error("cannot ask for {what}: {source}")]
    Ask {
        /// For what.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// Ctrl-C or a request to end.
    #[error("interrupted; the secrets stay as they were")]
    Interrupted,
}

impl Error {
    /// An operating system error.
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { .. } => vec![
                "`secrets edit` or `secrets set NAME` makes it, readable with your own key".into(),
                "`secrets rekey --add NAME=age1…` makes it for other recipients".into(),
            ],
            Self::Broken { problems, .. } | Self::Edited { problems } => {
                problems.iter().filter_map(|problem| problem.hint.clone()).collect()
            }
            Self::NoKey { .. } => vec![
                "if one of these recipients is yours, put its private key in one of these places".into(),
                "if not, make a key with `secrets keygen` and ask one of them to run `secrets rekey --add YOU=age1…`"
                    .into(),
            ],
            Self::NamedKeyFile { source, .. } if source.kind() == io::ErrorKind::NotFound => vec![
                "if you have a key, set CC_AGE_KEY_FILE to its path, or unset it for ~/.config/cc-cloud/age-keys.txt"
                    .into(),
                "`secrets keygen` makes a key there".into(),
            ],
            Self::NamedKeyFile { .. } => vec!["set CC_AGE_KEY_FILE to a file that you may read".into()],
            Self::NoOwnKey { .. } => vec![
                "`secrets keygen` makes a key for you".into(),
                "for a hardware key: `secrets rekey --add NAME=age1…` makes the file for its recipient".into(),
            ],
            Self::Wrap { missing_plugin: Some(plugin), .. } => {
                vec![format!(
                    "install `{plugin}` and put it on the PATH: whoever seals for such a key needs its plugin too"
                )]
            }
            Self::Unknown { near: Some(near), .. } => vec![format!("did you mean `{near}`?")],
            Self::Unknown { .. } => vec!["`secrets list` shows the names".into()],
            Self::Name(error) => error.hint().into_iter().collect(),
            Self::Rekey { hint, .. } => vec![hint.clone()],
            Self::Collision { .. } => vec!["look at what they changed, then repeat your change".into()],
            Self::Editor { .. } => {
                vec!["set VISUAL or EDITOR to an editor that waits: `nano`, `vim`, `code --wait`".into()]
            }
            Self::Ask { .. } => vec!["give it on stdin: `secrets set NAME < FILE`".into()],
            _ => Vec::new(),
        }
    }
}

fn list(path: &Path, problems: &[Problem]) -> String {
    let mut lines = problems.iter().map(|problem| match problem.line {
        Some(line) => format!("{}:{line}: {}", path.display(), problem.message),
        None => format!("{}: {}", path.display(), problem.message),
    });
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |text, line| text + "\n" + &line)
}
