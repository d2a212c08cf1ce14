//! `secrets edit`: all values in the user's editor, sealed again when it closes.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal as KillSignal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::error::Error;
use super::name::Name;
use super::problem::Problem;
use super::scratch::Scratch;
use super::sheet::{self, Values};
use super::terminal::Terminal;
use super::unlocked::Unlocked;

/// Bytes of the largest file that is read back.
const LIMIT: u64 = 16 << 20;
/// How long an editor may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(2);
/// Keeps vim from writing what it shows to places of its own.
const VIM: &str = "-n -i NONE -c 'silent! setlocal noundofile nobackup nowritebackup'";

/// The program that people edit text with.
#[derive(Clone, Debug)]
pub struct Editor {
    command: String,
}

/// What was edited; nothing of it is written before [`Unlocked::save`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// Names that are new.
    pub added: Vec<String>,
    /// Names with another value.
    pub changed: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Edited {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Editor {
    /// A command line as the shell takes it; the file is added as its last argument.
    pub fn new(command: impl Into<String>) -> Self {
        Self { command: command.into() }
    }

    /// `VISUAL`, else `EDITOR`, else the first of `sensible-editor`, `nano`, `vim`, `vi` that is installed.
    pub fn from_env() -> Self {
        let set = |name: &str| env::var(name).ok().filter(|command| !command.trim().is_empty());
        let command = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| {
            let usual = ["sensible-editor", "nano", "vim", "vi"];
            usual.into_iter().find(|program| find(program).is_some()).unwrap_or("vi").to_owned()
        });
        Self { command }
    }

    /// Opens all values and takes over what was changed; the rest stays sealed as it is. When what was edited is not
    /// usable, asks on the terminal whether to open it again. The plaintext is wiped on every way out, Ctrl-C included.
    pub async fn edit(&self, unlocked: &mut Unlocked, terminal: Terminal) -> Result<Edited, Error> {
        let unreadable = unlocked.unreadable_values();
        if !unreadable.is_empty() {
            return Err(Error::Broken { path: unlocked.base.path.clone(), problems: unreadable });
        }
        // Before anything is written: from here on these signals end nothing by themselves.
        let place = Path::new("a place for the editor");
        let mut signals = Signals::new().map_err(|error| Error::io("watch for signals at", place, error))?;
        let scratch = Scratch::new().map_err(|error| Error::io("make", place, error))?;
        let mut warnings = Vec::new();
        if !scratch.in_memory() {
            warnings.push(format!(
                "there is no place in memory (`/dev/shm`): the values were in {} on the disk while the editor was open",
                scratch.path().display()
            ));
        }
        let result = self.session(unlocked, &scratch, terminal, &mut signals).await;
        let folder = scratch.path().to_owned();
        scratch.close().map_err(|error| Error::io("remove the plaintext from", &folder, error))?;
        let edited = result?;
        let mut edited = apply(unlocked, &edited)?;
        edited.warnings = warnings;
        Ok(edited)
    }

    /// Until what was edited is usable, or the user gives up.
    async fn session(
        &self,
        unlocked: &Unlocked,
        scratch: &Scratch,
        terminal: Terminal,
        signals: &mut Signals,
    ) -> Result<Values, Error> {
        let environment = unlocked.base.environment();
        let mut values = Values::new();
        for name in unlocked.document.values.keys() {
            values.insert(name.clone(), unlocked.get(name.as_str())?);
        }
        let text = sheet::write(environment, &values);
        drop(values);
        let name = format!("{environment}.yml");
        let file = scratch.write(&name, &text).map_err(|error| Error::io("write", scratch.path(), error))?;
        loop {
            self.run(&file, signals).await?;
            let problems = match read(&file).map(|text| sheet::read(&text)) {
                Ok(Ok(values)) => return Ok(values),
                Ok(Err(problems)) => problems,
                Err(problem) => vec![problem],
            };
            let list: String = problems.iter().map(|problem| format!("  {problem}\n")).collect();
            let question = format!("This cannot be sealed:\n{list}Edit again? [Y/n] ");
            let answer = signals.until_interrupted(move || terminal.ask(&question)).await?;
            match answer {
                Ok(answer) if !matches!(answer.chars().next(), Some('n' | 'N')) => {}
                _ => return Err(Error::Edited { problems }),
            }
        }
    }

    async fn run(&self, file: &Path, signals: &mut Signals) -> Result<(), Error> {
        let failed = |reason: String| Error::Editor { command: self.command.clone(), reason };
        let options = if self.is_vim() { VIM } else { "" };
        // In place of the shell where the command is a plain one, so that a signal reaches the editor itself.
        let exec = if self.command.contains(['=', ';', '&', '|', '<', '>', '(']) { "" } else { "exec " };
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!("{exec}{} {options} \"$@\"", self.command))
            .arg(&self.command)
            .arg(file)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("could not be started: {error}")))?;
        let status = signals.wait_for(&mut child).await?.map_err(|error| failed(format!("was lost: {error}")))?;
        if status.success() {
            return Ok(());
        }
        // The shell tells of a signal that ended the editor as 128 + its number.
        if status.signal() == Some(2) || status.code() == Some(130) {
            return Err(Error::Interrupted);
        }
        Err(failed(format!("ended with {}", describe(status))))
    }

    /// Whether the command runs vim or one of its kind, whatever name it goes by.
    fn is_vim(&self) -> bool {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        let path = find(program).and_then(|path| fs::canonicalize(path).ok());
        let name = path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("vim") || name.starts_with("nvim"))
    }
}

/// The signals that would otherwise end the process with plaintext left behind.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the editor. Ctrl-C is the editor's own business, which gets it too; being told to end is passed on.
    async fn wait_for(&mut self, child: &mut Child) -> Result<io::Result<ExitStatus>, Error> {
        loop {
            tokio::select! {
                status = child.wait() => return Ok(status),
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => break,
                _ = self.hangup.recv() => break,
            }
        }
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // It may have ended by itself in this moment.
            let _gone = kill_process(pid, KillSignal::TERM);
        }
        if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
            let _gone = child.kill().await;
        }
        Err(Error::Interrupted)
    }

    /// Runs a question that waits for the keyboard on a thread of its own, which a signal leaves behind.
    async fn until_interrupted<T: Send + 'static>(
        &mut self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (send, answer) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || send.send(question()));
        tokio::select! {
            answer = answer => answer.map_err(|_| Error::Interrupted),
            _ = self.interrupt.recv() => Err(Error::Interrupted),
            _ = self.terminate.recv() => Err(Error::Interrupted),
            _ = self.hangup.recv() => Err(Error::Interrupted),
        }
    }
}

/// Takes over what is different.
fn apply(unlocked: &mut Unlocked, values: &Values) -> Result<Edited, Error> {
    let mut edited = Edited::default();
    let before: BTreeSet<Name> = unlocked.document.values.keys().cloned().collect();
    for (name, value) in values {
        if unlocked.set(name, value)? {
            let list = if before.contains(name) { &mut edited.changed } else { &mut edited.added };
            list.push(name.to_string());
        }
    }
    for name in before.iter().filter(|name| !values.contains_key(*name)) {
        unlocked.remove(name.as_str())?;
        edited.removed.push(name.to_string());
    }
    Ok(edited)
}

/// What the editor left.
fn read(file: &Path) -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = fs::File::open(file).and_then(|file| {
        bytes.reserve(usize::try_from(file.metadata()?.len().min(LIMIT)).unwrap_or(0) + 1);
        file.take(LIMIT + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return Err(Problem::error(None, format!("the file cannot be read: {error}")));
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Problem::error(None, "the file is larger than 16 MiB"));
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Problem::error(None, "the file is not text in UTF-8").hint("encode binary data in base64")),
    }
}

/// Where a program is.
fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(127), _) => "code 127 (not found)".to_owned(),
        (Some(code), _) => format!("code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}
