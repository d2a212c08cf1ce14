//! One HTTP/1.1 request without TLS.

use std::io::{Read as _, Write as _};

use super::{Observed, connect, plain};
use crate::host::Host;

/// Bytes of a response that are looked at.
const MOST: u64 = 1 << 20;

/// Asks for a URL and compares the status, and the body when a text is wanted.
pub(super) fn get(machine: &Host, url: &str, wanted: &[u16], contains: Option<&str>, host: Option<&str>) -> Observed {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` does not begin with http://"))?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (address, port) = match authority.rsplit_once(':') {
        Some((address, port)) if !port.ends_with(']') => {
            (address, port.parse().map_err(|_| format!("`{port}` is not a port"))?)
        }
        _ => (authority, 80),
    };
    let mut stream = connect(machine, address.trim_matches(['[', ']']), port)?;
    let host = host.unwrap_or(authority);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: cc-agent\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(|error| plain(&error))?;
    let mut response = Vec::new();
    let read = stream.take(MOST).read_to_end(&mut response);
    let text = String::from_utf8_lossy(&response);
    let status = status(&text).ok_or_else(|| match &read {
        Err(error) => plain(error),
        Ok(_) if response.is_empty() => "the connection was closed".to_owned(),
        Ok(_) => "the answer is not HTTP".to_owned(),
    })?;
    if !wanted.contains(&status) {
        let wanted: Vec<String> = wanted.iter().map(u16::to_string).collect();
        return Err(format!("status {status} instead of {}", wanted.join(" or ")));
    }
    match contains {
        Some(wanted) if !body(&text).contains(wanted) => {
            Err(format!("status {status}, but the body does not contain `{wanted}`"))
        }
        _ => Ok(format!("status {status}")),
    }
}

fn status(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim().parse().ok()
}

/// The body, put together again when it came in chunks.
fn body(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let chunked = |line: &str| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked")
        })
    };
    if !head.lines().any(chunked) {
        return body.to_owned();
    }
    let (mut whole, mut rest) = (Vec::new(), body.as_bytes());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let chunk = &rest[end + 2..];
        if size == 0 || size > chunk.len() {
            break;
        }
        whole.extend_from_slice(&chunk[..size]);
        rest = chunk[size..].strip_prefix(b"\r\n").unwrap_or(&chunk[size..]);
    }
    String::from_utf8_lossy(&whole).into_owned()
}
