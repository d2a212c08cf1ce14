//! The beginning of a dialogue with a mail server; no mail is sent.

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::tls::Certificates;
use super::{PATIENCE, tls};
use crate::preflight::relay::Stream;

/// The port on which TLS begins at once (RFC 8314).
pub(super) const IMPLICIT_TLS: u16 = 465;
/// Bytes of a line; RFC 5321 allows 512.
const LINE: u64 = 4096;
/// Lines of one reply.
const LINES: usize = 100;

/// What a mail server says of itself.
#[derive(Debug, Serialize)]
pub(super) struct Greeting {
    /// Its first reply, with the code.
    pub greeting: String,
    /// What it offers, after TLS where there is TLS: `AUTH PLAIN LOGIN`.
    pub extensions: Vec<String>,
    /// Its certificates, where there is TLS.
    pub tls: Option<Certificates>,
}

/// Greets a mail server, and once more over TLS.
pub(super) async fn greet(
    stream: Box<dyn Stream>,
    name: &str,
    implicit: bool,
    starttls: bool,
) -> Result<Greeting, String> {
    let (stream, mut tls) = if implicit { secured(stream, name).await? } else { (stream, None) };
    let mut server = Server(BufReader::new(stream));
    let (code, lines) = server.reply().await?;
    let greeting = format!("{code} {}", lines.join(" "));
    if code != 220 {
        return Err(format!("it refuses: {greeting}"));
    }
    let mut extensions = server.hello().await?;
    if starttls && !implicit {
        if !extensions.iter().any(|extension| extension.eq_ignore_ascii_case("STARTTLS")) {
            return Err(format!("it offers no STARTTLS, only {}", extensions.join(", ")));
        }
        let (code, lines) = server.say("STARTTLS").await?;
        if code != 220 {
            return Err(format!("STARTTLS is refused: {code} {}", lines.join(" ")));
        }
        let (stream, shown) = secured(server.0.into_inner(), name).await?;
        (server, tls) = (Server(BufReader::new(stream)), shown);
        extensions = server.hello().await?;
    }
    // It has said all; whether it says goodbye as well does not matter.
    let _ = server.say("QUIT").await;
    Ok(Greeting { greeting, extensions, tls })
}

async fn secured(stream: Box<dyn Stream>, name: &str) -> Result<(Box<dyn Stream>, Option<Certificates>), String> {
    let (stream, shown) = tls::shake_hands(stream, name).await?;
    Ok((Box::new(stream), Some(shown)))
}

struct Server(BufReader<Box<dyn Stream>>);

impl Server {
    /// Says EHLO; what the server offers.
    async fn hello(&mut self) -> Result<Vec<String>, String> {
        // An address literal is right where the machine has no name that others know (RFC 5321, 4.1.4).
        let (code, lines) = self.say("EHLO [127.0.0.1]").await?;
        match code {
            250 => Ok(lines.into_iter().skip(1).collect()),
            _ => Err(format!("EHLO is refused: {code} {}", lines.join(" "))),
        }
    }

    async fn say(&mut self, command: &str) -> Result<(u16, Vec<String>), String> {
        self.0.write_all(format!("{command}\r\n").as_bytes()).await.map_err(|error| error.to_string())?;
        self.0.flush().await.map_err(|error| error.to_string())?;
        self.reply().await
    }

    /// The code and the lines of a reply.
    async fn reply(&mut self) -> Result<(u16, Vec<String>), String> {
        let mut lines = Vec::new();
        loop {
            let line = match timeout(PATIENCE, self.line()).await {
                Ok(line) => line?,
                Err(_) => return Err(format!("it says nothing within {} s", PATIENCE.as_secs())),
            };
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let (Some(code), true) = (code, lines.len() < LINES) else {
                return Err(format!("it does not speak SMTP: `{line}`"));
            };
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok((code, lines));
            }
        }
    }

    async fn line(&mut self) -> Result<String, String> {
        use tokio::io::AsyncReadExt as _;
        let mut line = Vec::new();
        (&mut self.0).take(LINE).read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
        if line.is_empty() {
            return Err("it hung up".to_owned());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}
