//! The person at the keyboard, asked for what no file and no argument may hold.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use cc_agent::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::{Zeroize, Zeroizing};

/// The terminal that controls this process, apart from stdin and stdout, which may be pipes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    interactive: bool,
}

impl Terminal {
    /// Asks on `/dev/tty`.
    pub fn new() -> Self {
        Self { interactive: true }
    }

    /// Never asks (`--no-input`); messages still go to stderr.
    pub fn silent() -> Self {
        Self { interactive: false }
    }

    /// Asks for a value without showing it. `io::ErrorKind::Interrupted` on Ctrl-C, `NotConnected` without a terminal.
    pub fn ask_secret(&self, prompt: &str) -> io::Result<Secret<String>> {
        let mut tty = self.open()?;
        // Before the prompt: whoever types at once must not be shown either.
        let quiet = Quiet::new(&tty)?;
        write!(tty, "{prompt}")?;
        tty.flush()?;
        let line = read_hidden(&mut tty);
        drop(quiet);
        writeln!(tty)?;
        line
    }

    /// Asks for a line of text.
    pub fn ask(&self, prompt: &str) -> io::Result<String> {
        let mut tty = self.open()?;
        write!(tty, "{prompt}")?;
        tty.flush()?;
        let mut line = String::new();
        if BufReader::new(tty).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim().to_owned())
    }

    fn open(self) -> io::Result<File> {
        if !self.interactive {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "questions are switched off"));
        }
        File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(|_| io::Error::new(io::ErrorKind::NotConnected, "there is no terminal to ask on"))
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

/// The terminal without echo, line editing and signals, put back as it was on drop. Without signals, because a Ctrl-C in
/// the middle would leave a shell without echo; without line editing, because that cuts lines at 4095 bytes.
struct Quiet {
    tty: File,
    before: Termios,
}

impl Quiet {
    fn new(tty: &File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(tty, OptionalActions::Flush, &quiet)?;
        Ok(Self { tty: tty.try_clone()?, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing is left to be done when the terminal has gone away.
        let _gone = tcsetattr(&self.tty, OptionalActions::Flush, &self.before);
    }
}

/// Reads a line key by key: Enter ends it, Backspace and Ctrl-U correct it, Ctrl-C and Ctrl-D give up.
fn read_hidden(keys: &mut impl Read) -> io::Result<Secret<String>> {
    // Room for what people type, so that growing leaves no copies behind in the common case.
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match key[0] {
            b'\r' | b'\n' => break,
            0x03 => return Err(io::ErrorKind::Interrupted.into()),
            0x04 => return Err(io::ErrorKind::UnexpectedEof.into()),
            0x15 => line.zeroize(),
            0x08 | 0x7f => {
                // A character, not a byte: continuation bytes first, then the one that leads them.
                while line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
            }
            byte => line.push(byte),
        }
    }
    match str::from_utf8(&line) {
        Ok(text) => Ok(Secret::new(text.to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "what was typed is not UTF-8 text")),
    }
}

/// What an age plugin tells and asks: "touch your YubiKey", a PIN.
impl age::Callbacks for Terminal {
    fn display_message(&self, message: &str) {
        // A message that cannot be shown must not stop a decryption that works.
        let _unseen = writeln!(io::stderr(), "{message}");
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("no");
        let answer = self.ask(&format!("{message}\n  y  {yes}\n  n  {no}\n[y/n] ")).ok()?;
        Some(matches!(answer.chars().next(), Some('y' | 'Y')))
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.ask(&format!("{description}: ")).ok()
    }

    fn request_passphrase(&self, description: &str) -> Option<age::secrecy::SecretString> {
        let value = self.ask_secret(&format!("{description}: ")).ok()?;
        Some(value.expose().clone().into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> io::Result<String> {
        read_hidden(&mut keys.as_bytes()).map(|secret| secret.expose().clone())
    }

    #[test]
    fn keys_make_a_line() {
        assert_eq!(typed("s3cret\nrest").unwrap(), "s3cret");
        assert_eq!(typed("abc\x7f\x7fx\r").unwrap(), "ax");
        assert_eq!(typed("aé\x7fb\n").unwrap(), "ab");
        assert_eq!(typed("\x7f\x7fa\n").unwrap(), "a");
        assert_eq!(typed("wrong\x15right\n").unwrap(), "right");
        assert_eq!(typed(&format!("{}\n", "x".repeat(10_000))).unwrap().len(), 10_000);
    }

    #[test]
    fn giving_up_gives_no_value() {
        assert_eq!(typed("half\x03\n").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(typed("half\x04").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(typed("half").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_silent_terminal_does_not_wait() {
        let error = Terminal::silent().ask_secret("?").err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    }
}
