//! PING to a Redis server.

use std::io::{BufRead as _, BufReader, Write as _};

use zeroize::Zeroizing;

use super::{Observed, connect, plain};
use crate::host::Host;

/// Logs in when there is a password, and pings.
pub(super) fn ping(host: &Host, port: u16, password: Option<&str>) -> Observed {
    let mut stream = connect(host, "127.0.0.1", port)?;
    let mut request = Zeroizing::new(String::with_capacity(password.map_or(0, str::len) + 64));
    if let Some(password) = password {
        for part in ["*2\r\n$4\r\nAUTH\r\n$", &password.len().to_string(), "\r\n", password, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("*1\r\n$4\r\nPING\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| plain(&error))?;
    let mut answers = BufReader::new(stream).lines();
    let mut answer = || match answers.next() {
        Some(Ok(line)) => match line.strip_prefix('-') {
            Some(error) => Err(error.to_owned()),
            None => Ok(line),
        },
        Some(Err(error)) => Err(plain(&error)),
        None => Err("the connection was closed".to_owned()),
    };
    if password.is_some() {
        answer()?;
    }
    match answer()? {
        line if line == "+PONG" => Ok("PONG".to_owned()),
        line => Err(format!("`{line}` instead of PONG")),
    }
}
