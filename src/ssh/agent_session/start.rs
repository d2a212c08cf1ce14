//! The dialogue with the script that starts the agent.

use std::fmt::Write as _;
use std::sync::Arc;

use cc_agent::protocol::{Request, encode_control};
use cc_agent::secret::Secret;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::time::timeout;

use super::super::agent_link::{Heard, write};
use super::super::traffic::Traffic;
use super::super::{AgentBinary, AgentLink, Become, Reason, Session, SshError};
use super::trouble::{sudo_trouble, trouble};

const SCRIPT: &str = include_str!("bootstrap.sh");

/// Login shells may print that much before the first line that is for us.
const MOST_JUNK: usize = 1 << 20;

/// A channel on which the script runs.
pub(super) struct Start<'a> {
    session: &'a Session,
    agent: &'a AgentBinary,
    mark: String,
    /// For the script: itself and the greeting.
    input: Vec<u8>,
    hello: Vec<u8>,
    password: Option<&'a Secret<String>>,
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    traffic: Arc<Traffic>,
    heard: Heard,
    /// All of standard error so far, for the password prompt and sudo's words; the agent's goes elsewhere.
    stderr: String,
    status: Option<u32>,
}

/// An agent that runs.
pub(super) struct Started {
    pub link: AgentLink,
    pub place: String,
    pub uploaded: bool,
}

/// What the host says next.
enum Said {
    /// sudo asks for the password.
    Prompt,
    /// The script is about to be read, by the user that the agent will run as.
    Begun,
    /// The agent is not there.
    Need,
    /// The agent is started, from this path.
    Ready(String),
    /// It cannot be.
    Fail(String),
}

impl<'a> Start<'a> {
    /// Sends the command, and, where nothing can ask in between, everything that the script and the agent will read.
    pub async fn new(session: &'a Session, agent: &'a AgentBinary, hello: &Request) -> Result<Self, SshError> {
        let mark = format!("cc-cloud-{:032x}", rand::random::<u128>());
        let failed = |error: std::io::Error| session.error(Reason::Protocol { detail: error.to_string() });
        let hello = encode_control(hello).map_err(failed)?;
        let script = script(&mark, agent, hello.len());
        let password = match session.become_root() {
            Become::SudoWithPassword(password) => Some(&**password),
            Become::Sudo | Become::None => None,
        };
        let channel = session.open_channel(&command(&mark, session.become_root(), script.len())).await?;
        let (read, write) = channel.split();
        let mut start = Self {
            session,
            agent,
            mark,
            input: [script.as_bytes(), &hello].concat(),
            hello,
            password,
            read,
            write,
            traffic: Arc::default(),
            heard: Heard::default(),
            stderr: String::new(),
            status: None,
        };
        start.traffic.sent(0);
        if password.is_none() {
            start.send_script().await?;
        }
        Ok(start)
    }

    pub async fn run(mut self) -> Result<Started, SshError> {
        let (mut asked, mut begun, mut uploaded) = (false, false, false);
        loop {
            let awaited = match (begun, uploaded) {
                (false, _) => "the first answer of the login shell",
                (true, false) => "the search for the agent",
                (true, true) => "the start of the agent",
            };
            match self.next(awaited, begun, asked).await? {
                Said::Prompt if asked => {
                    let user = self.session.user().to_owned();
                    return Err(self.session.error(Reason::SudoWrongPassword { user }));
                }
                Said::Prompt => {
                    asked = true;
                    self.send_password().await?;
                }
                Said::Begun => {
                    begun = true;
                    if self.password.is_some() {
                        self.send_script().await?;
                    }
                }
                Said::Need => {
                    uploaded = true;
                    self.upload().await?;
                }
                Said::Ready(place) => {
                    if uploaded {
                        let hello = std::mem::take(&mut self.hello);
                        self.send(&hello).await?;
                    }
                    return Ok(self.into_started(place, uploaded));
                }
                Said::Fail(why) => return Err(self.session.error(trouble(&why, self.agent, self.session.user()))),
            }
        }
    }

    fn into_started(self, place: String, uploaded: bool) -> Started {
        let link = AgentLink::new(self.session, self.traffic, (self.read, self.write), self.heard);
        Started { link, place, uploaded }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), SshError> {
        let written = write(&self.write, &self.traffic, self.session.patience(), bytes).await;
        written.map_err(|reason| self.session.error(reason))
    }

    async fn send_script(&mut self) -> Result<(), SshError> {
        let input = std::mem::take(&mut self.input);
        self.send(&input).await
    }

    async fn send_password(&mut self) -> Result<(), SshError> {
        let Some(password) = self.password else { return Ok(()) };
        // The next prompt is looked for after this one.
        self.stderr.clear();
        let line = Secret::new([password.expose().as_bytes(), b"\n"].concat());
        let sent = write(&self.write, &self.traffic, self.session.patience(), line.expose()).await;
        sent.map_err(|reason| self.session.error(reason))
    }

    /// Sends the agent, and listens meanwhile: a host that gives up says why, and takes no more.
    async fn upload(&mut self) -> Result<(), SshError> {
        let packed = self.agent.packed().await.map_err(|error| {
            self.session.error(Reason::AgentFile { message: error.to_string(), hint: error.hint() })
        })?;
        let mut early = Vec::new();
        let sent = {
            let Self { write: writer, traffic, read, mark, session, .. } = self;
            let patience = session.patience();
            let sending = async {
                write(writer, traffic, patience, format!("{}\n", packed.len()).as_bytes()).await?;
                write(writer, traffic, patience, &packed).await
            };
            tokio::pin!(sending);
            loop {
                let message = tokio::select! {
                    sent = &mut sending => break sent,
                    message = read.wait() => message,
                };
                // A line of the script before it has everything is bad news.
                let news = |data: &[u8]| data.windows(mark.len()).any(|window| window == mark.as_bytes());
                let over = message.as_ref().is_none_or(|message| match message {
                    ChannelMsg::Data { data } => news(data),
                    message => matches!(message, ChannelMsg::Close),
                });
                early.extend(message);
                if over {
                    break Ok(());
                }
            }
        };
        sent.map_err(|reason| self.session.error(reason))?;
        for message in early {
            self.take(message)?;
        }
        Ok(())
    }

    /// Waits for the next thing that is meant for us.
    async fn next(&mut self, awaited: &str, begun: bool, asked: bool) -> Result<Said, SshError> {
        let patience = self.session.patience();
        let waiting = async {
            loop {
                if let Some(said) = self.said()? {
                    return Ok(said);
                }
                match self.read.wait().await {
                    Some(message) => self.take(message)?,
                    None => return Err(self.session.error(self.end(awaited, begun, asked))),
                }
            }
        };
        match timeout(patience, waiting).await {
            Ok(result) => result,
            Err(_) => Err(self.session.error(Reason::TimedOut { awaited: awaited.to_owned(), after: patience })),
        }
    }

    fn take(&mut self, message: ChannelMsg) -> Result<(), SshError> {
        match message {
            ChannelMsg::Data { data } => {
                self.traffic.received(data.len());
                self.heard.stdout.extend_from_slice(&data);
                if self.heard.stdout.len() > MOST_JUNK {
                    let detail = format!("its login shell prints more than {MOST_JUNK} bytes");
                    return Err(self.session.exec_refused(detail));
                }
            }
            ChannelMsg::ExtendedData { data, .. } => {
                self.traffic.received(data.len());
                self.heard.stderr.push(&data);
                if self.stderr.len() < MOST_JUNK {
                    self.stderr.push_str(&String::from_utf8_lossy(&data));
                }
            }
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            ChannelMsg::Failure => return Err(self.session.exec_refused("the request was denied".to_owned())),
            _ => {}
        }
        Ok(())
    }

    /// The next whole line with our mark, or the prompt; what is before it is dropped.
    fn said(&mut self) -> Result<Option<Said>, SshError> {
        if self.password.is_some() && self.stderr.contains(&prompt(&self.mark)) {
            self.stderr.clear();
            return Ok(Some(Said::Prompt));
        }
        let mark = format!("{}:", self.mark);
        let out = &self.heard.stdout;
        let Some(from) = out.windows(mark.len()).position(|window| window == mark.as_bytes()) else { return Ok(None) };
        let Some(length) = out.iter().skip(from).position(|byte| *byte == b'\n') else { return Ok(None) };
        let line = String::from_utf8_lossy(out.get(from + mark.len()..from + length).unwrap_or_default()).into_owned();
        self.heard.stdout.drain(..=from + length);
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        Ok(Some(match word {
            "begun" => Said::Begun,
            "need" => Said::Need,
            "ready" => Said::Ready(rest.to_owned()),
            "fail" => Said::Fail(rest.to_owned()),
            _ => {
                return Err(self
                    .session
                    .error(Reason::Protocol { detail: format!("`{line}` while the agent starts") }));
            }
        }))
    }

    /// Why the channel has ended.
    fn end(&mut self, awaited: &str, begun: bool, asked: bool) -> Reason {
        let Some(status) = self.status else {
            return Reason::Lost { during: format!("waiting for {awaited}"), detail: "it was closed".to_owned() };
        };
        let mut words = self.heard.stderr.lines();
        if begun {
            return Reason::AgentDied {
                status: format!("exit status {status}"),
                awaited: awaited.to_owned(),
                stderr: words,
            };
        }
        let user = self.session.user();
        if let Some(reason) = sudo_trouble(&words, user, asked) {
            return reason;
        }
        // A shell such as nologin says it on standard output.
        words.extend(String::from_utf8_lossy(&self.heard.stdout).lines().map(str::to_owned));
        let mut detail = format!("exit status {status}");
        if !words.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(detail, ": {}", words.join(" | "));
        }
        Reason::ExecRefused { user: user.to_owned(), detail }
    }
}

/// The prompt that sudo is told to use.
fn prompt(mark: &str) -> String {
    format!("[{mark}] password: ")
}

/// The command for the user's login shell: one line without anything that shells other than sh read differently. It becomes
/// root if it has to, and reads the script, so that no script stands in process lists and in sudo's log.
fn command(mark: &str, become_root: &Become, script: usize) -> String {
    let inner = format!(r#"echo {mark}:begun; eval "$(dd bs=1 count={script} 2>/dev/null)""#);
    let sudo = match become_root {
        Become::None => return format!("exec sh -c '{inner}'"),
        Become::Sudo => "-n".to_owned(),
        Become::SudoWithPassword(_) => format!(r#"-S -p "{}""#, prompt(mark)),
    };
    format!(
        r#"exec sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -c "$1"; fi; if command -v sudo >/dev/null 2>&1; then LC_ALL=C; export LC_ALL; exec sudo {sudo} sh -c "$1"; fi; echo "{mark}:fail sudo"' sh '{inner}'"#
    )
}

/// The script with what it has to know.
fn script(mark: &str, agent: &AgentBinary, hello: usize) -> String {
    let values = [
        ("mark", mark.to_owned()),
        ("system", agent.system().to_owned()),
        ("name", agent.file_name()),
        ("digest", agent.digest().to_owned()),
        ("kib", agent.kib().to_string()),
        ("hello", hello.to_string()),
        ("argument", agent.argument().to_owned()),
    ];
    let mut script: String = values.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
    script.push_str(SCRIPT);
    script
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_one_line_that_any_shell_reads_alike() {
        let password = Become::SudoWithPassword(Arc::new(Secret::new("hunter2".to_owned())));
        for become_root in [Become::None, Become::Sudo, password] {
            let command = command("mark", &become_root, 1234);
            assert!(!command.contains(['\n', '!', '\\']), "{command}");
            assert!(!command.contains("hunter2"));
            assert!(command.contains("count=1234"));
            assert_eq!(command.matches('\'').count() % 2, 0);
        }
    }

    #[test]
    fn the_script_is_ascii_and_names_no_secret_place() {
        assert!(SCRIPT.is_ascii(), "its length is counted in bytes by dd");
    }
}
