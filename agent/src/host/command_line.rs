//! Running a command: in a clean environment, as a user, with a time limit, and with an error that says what happened.

use std::fmt;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use super::Host;
use super::hint::hint;
use super::running::{Ended, Running, Sink};
use crate::secret::{contains_token, quoted};
use crate::step_error::StepError;

/// The search path of every command, root's on Debian and Ubuntu.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Lines of output that an error shows.
const TAIL: usize = 20;
/// Characters of such a line.
const WIDTH: usize = 400;
/// Bytes of standard output that are kept; more is an error, because half of it would be misread.
const MOST: usize = 64 << 20;

/// A command that is about to run.
pub struct CommandLine<'h> {
    host: &'h Host,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Option<String>,
    cwd: Option<PathBuf>,
    user: Option<String>,
    timeout: Duration,
}

/// How a command that was followed came to its end.
pub(crate) enum Followed {
    /// With this status; 128 + signal when a signal ended it.
    Ended(i32),
    /// It was killed when its time was over.
    Late,
}

/// What a command left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit status; 128 + signal when a signal ended it.
    pub status: i32,
    /// Standard output; invalid UTF-8 replaced.
    pub stdout: String,
    /// The last lines of both streams as they came, without secrets.
    pub tail: Vec<String>,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

impl Host {
    /// A command by program and arguments, without a shell. Without more it runs as the agent's user in `/`, with no input, for
    /// at most ten minutes.
    pub fn command<S: Into<String>>(&self, argv: impl IntoIterator<Item = S>) -> CommandLine<'_> {
        CommandLine {
            host: self,
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            stdin: None,
            cwd: None,
            user: None,
            timeout: Duration::from_secs(600),
        }
    }

    /// A line for `sh -eu -c`.
    pub fn shell(&self, line: &str) -> CommandLine<'_> {
        self.command(["/bin/sh", "-eu", "-c", line])
    }
}

impl CommandLine<'_> {
    /// Adds an argument. Arguments cannot hold secrets, because everyone on the host can read them: use `env` or `stdin`.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.argv.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.argv.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable, which may hold secrets' tokens. The environment is otherwise clean: `PATH`, `HOME`, `USER`, `LOGNAME`,
    /// `SHELL` and `LC_ALL=C.UTF-8`.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Standard input, which may hold secrets' tokens.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Working directory.
    #[must_use]
    pub fn cwd(mut self, path: impl Into<PathBuf>) -> Self {
        self.cwd = Some(path.into());
        self
    }

    /// User to run as, with all of its groups.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// How long it may take before it and its children are killed.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Runs it; a status other than 0 is an error with its last lines of output and, for known ones, what to do.
    ///
    /// # Errors
    /// As [`CommandLine::output`], and a status other than 0.
    pub fn run(self) -> Result<Output, StepError> {
        let output = self.output()?;
        if output.success() { Ok(output) } else { Err(self.failed(&output)) }
    }

    /// Runs it, whatever its status.
    ///
    /// # Errors
    /// When it cannot be started (unknown program, user or directory), is over its time, or a secret is unknown or among its
    /// arguments.
    pub fn output(&self) -> Result<Output, StepError> {
        let mut stdout = Vec::new();
        let mut combined = Vec::new();
        let status = self.stream(&mut |stderr, piece| {
            if !stderr {
                stdout.extend_from_slice(piece);
            }
            combined.extend_from_slice(piece);
            if combined.len() > 2 * TAIL * WIDTH * 4 {
                combined.drain(..combined.len() - TAIL * WIDTH * 4);
            }
            stdout.len() <= MOST
        })?;
        if stdout.len() > MOST {
            return Err(self.error(format!("it wrote more than {} MiB", MOST >> 20)));
        }
        let stdout = match String::from_utf8(stdout) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(Output { status, stdout, tail: self.tail(&combined) })
    }

    /// Runs it and hands on its output as it comes.
    pub(crate) fn stream(&self, sink: Sink<'_>) -> Result<i32, StepError> {
        match self.follow(sink)? {
            Followed::Ended(status) => Ok(status),
            Followed::Late => {
                let error = self.error(format!("it was killed after {} s", self.timeout.as_secs()));
                Err(error.hint("raise its `timeout`, or find out what it waits for"))
            }
        }
    }

    /// The same for who wants to tell a command that is over its time from one that cannot be run.
    pub(crate) fn follow(&self, sink: Sink<'_>) -> Result<Followed, StepError> {
        let mut running = Running::new(self.spawn()?);
        let outcome =
            running.follow(self.timeout, sink).map_err(|error| self.error(format!("cannot follow it: {error}")));
        if !matches!(outcome, Ok(Ended::Itself)) {
            running.kill();
        }
        let status = running.wait().map_err(|error| self.error(format!("cannot wait for it: {error}")))?;
        Ok(match outcome? {
            Ended::Itself | Ended::Enough => Followed::Ended(status),
            Ended::Late => Followed::Late,
        })
    }

    /// Whether its program is there: in the search path, or by its path.
    pub(crate) fn is_installed(&self) -> bool {
        let program = self.argv.first().map_or("", String::as_str);
        match program.contains('/') {
            true => Path::new(program).is_file(),
            false => PATH.split(':').any(|folder| Path::new(folder).join(program).is_file()),
        }
    }

    fn spawn(&self) -> Result<Child, StepError> {
        if let Some(place) = self.argv.iter().position(|argument| contains_token(argument)) {
            let why = format!("its argument {place} holds a secret, which everyone on the host could read");
            return Err(self.error(why).hint("pass the secret in `env` or `stdin`"));
        }
        let mut command = self.prepare()?;
        for (name, value) in &self.env {
            command.env(name, self.host.reveal(value)?.as_str());
        }
        command.stdin(match &self.stdin {
            None => Stdio::null(),
            Some(text) => {
                let text = self.host.reveal(text)?;
                memory_file(text.as_bytes())
                    .map_err(|error| self.error(format!("cannot pass its input: {error}")))?
                    .into()
            }
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.spawn().map_err(|error| self.not_started(&error))
    }

    /// Program, user, directory and the clean environment.
    fn prepare(&self) -> Result<Command, StepError> {
        let accounts = self.host.accounts()?;
        let me = rustix::process::geteuid().as_raw();
        let mut argv = self.argv.clone();
        let account = match &self.user {
            None => accounts.users().iter().find(|user| user.uid == me),
            Some(name) => Some(accounts.user(name).ok_or_else(|| {
                self.error(format!("the user `{name}` does not exist"))
                    .hint(format!("add a step `user: {name}` before it"))
            })?),
        };
        if let Some(user) = account.filter(|user| user.uid != me) {
            let ids = [format!("--reuid={}", user.uid), format!("--regid={}", user.gid)];
            let wrapper =
                ["setpriv".to_owned()].into_iter().chain(ids).chain(["--init-groups".to_owned(), "--".to_owned()]);
            argv = wrapper.chain(argv).collect();
        }
        let mut words = argv.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        let home = account.map_or("/", |user| user.home.as_str());
        let name = account.map_or("root", |user| user.name.as_str());
        command.args(words).env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh");
        command.env("HOME", home).env("USER", name).env("LOGNAME", name);
        command.current_dir(self.cwd.as_deref().unwrap_or(Path::new("/")));
        Ok(command)
    }

    fn not_started(&self, error: &io::Error) -> StepError {
        let program = self.argv.first().map_or("", String::as_str);
        if let Some(cwd) = self.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
            return self.error(format!("its working directory {} does not exist", cwd.display()));
        }
        if error.kind() == io::ErrorKind::NotFound {
            let missing = self.error(format!("`{program}` is not on this host"));
            return missing.hint("add a step for the package that has it");
        }
        self.error(format!("cannot start `{program}`: {error}"))
    }

    /// The command for a person: quoted, without secrets.
    pub fn masked(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        let word = |word: &String| {
            if !word.is_empty() && word.chars().all(plain) { word.clone() } else { quoted(word) }
        };
        self.host.vault().scrub(&self.argv.iter().map(word).collect::<Vec<_>>().join(" "))
    }

    /// An error of this command.
    fn error(&self, message: impl fmt::Display) -> StepError {
        let program = self.argv.first().map_or("", |program| program.rsplit('/').next().unwrap_or(program));
        StepError { command: Some(self.masked()), ..StepError::new(format!("{program}: {message}")) }
    }

    /// The error for a status other than 0.
    pub fn failed(&self, output: &Output) -> StepError {
        let how = match output.status {
            signal @ 129..=192 => format!("it was ended by signal {}", signal - 128),
            status => format!("it exited with status {status}"),
        };
        let hint = hint(&output.tail);
        StepError { output: output.tail.clone(), hint, ..self.error(how) }
    }

    fn tail(&self, combined: &[u8]) -> Vec<String> {
        let text = self.host.vault().scrub(&String::from_utf8_lossy(combined));
        let lines: Vec<&str> = text.lines().map(last_state).filter(|line| !line.is_empty()).collect();
        let clip = |line: &&str| line.chars().take(WIDTH).collect();
        lines[lines.len().saturating_sub(TAIL)..].iter().map(clip).collect()
    }
}

/// What a line that redraws itself (a progress bar) shows in the end.
fn last_state(line: &str) -> &str {
    let line = line.trim_end();
    line.rsplit('\r').next().unwrap_or(line)
}

/// Input as a file in memory: a pipe could fill up, and a file on disk would hold the secret.
fn memory_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Instant;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;
    use crate::secret::token;

    fn host() -> Host {
        Host::knowing("hunter22")
    }

    #[test]
    fn the_environment_is_clean_and_input_arrives() {
        let host = host();
        let output =
            host.shell("cat; env | sort; pwd").stdin(token("pw", &[])).env("A", token("pw", &[])).run().unwrap();
        assert!(output.stdout.starts_with("hunter22A=hunter22\n"), "{}", output.stdout);
        assert!(output.stdout.contains("LC_ALL=C.UTF-8") && output.stdout.ends_with("/\n"));
        assert!(!output.stdout.contains("CARGO"));
        assert!(!output.tail.join("\n").contains("hunter22"));
    }

    #[test]
    fn a_failure_shows_the_end_of_the_output_without_secrets() {
        let line = "for i in $(seq 30); do echo line $i; done; echo \"$PW\" >&2; exit 3";
        let error = host().shell(line).env("PW", token("pw", &[])).run().unwrap_err();
        assert_eq!(error.message, "sh: it exited with status 3");
        assert_eq!(error.output.len(), TAIL);
        assert_eq!(error.output.last().unwrap(), "(secret)");
        assert!(error.command.unwrap().starts_with("/bin/sh -eu -c 'for i"));
    }

    #[test]
    fn a_secret_among_the_arguments_is_refused() {
        let error = host().command(["echo".to_owned(), token("pw", &[])]).run().unwrap_err();
        assert!(error.message.contains("argument 1 holds a secret"));
        assert_eq!(error.command.unwrap(), "echo '(secret)'");
    }

    #[test]
    fn a_command_over_its_time_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let line = "sleep 600 & echo $! > pid; wait";
        let limit = Duration::from_millis(300);
        let error = host().shell(line).cwd(folder.path()).timeout(limit).run().unwrap_err();
        assert!(error.message.contains("was killed after"), "{}", error.message);
        let child = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        // Whoever adopted it may not have waited for it yet; its end is an event all the same.
        let child = Pid::from_raw(child.trim().parse().unwrap()).unwrap();
        if let Ok(ended) = pidfd_open(child, PidfdFlags::empty()) {
            let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
            assert_eq!(poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience)), Ok(1));
        }
    }

    #[test]
    fn a_daemon_that_keeps_the_pipe_does_not_hold_the_step() {
        let begin = Instant::now();
        let host = host();
        let output = host.shell("sleep 5 & echo done").run().unwrap();
        assert_eq!(output.stdout, "done\n");
        assert!(begin.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn unknown_programs_users_and_directories_are_named() {
        let host = host();
        assert_eq!(host.command(["no-such"]).run().unwrap_err().message, "no-such: `no-such` is not on this host");
        assert!(
            host.command(["id"])
                .user("nobody-here")
                .run()
                .unwrap_err()
                .message
                .contains("`nobody-here` does not exist")
        );
        assert!(host.command(["id"]).cwd("/no/such").run().unwrap_err().message.contains("/no/such does not exist"));
    }

    #[test]
    fn runs_as_another_user() {
        if rustix::process::geteuid().is_root() {
            let output = host().shell("id -un; echo $HOME").user("nobody").run().unwrap();
            assert_eq!(output.stdout, "nobody\n/nonexistent\n");
        }
    }
}
