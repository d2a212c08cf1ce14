//! HTTP requests, over a host's session or from this machine.

use std::collections::BTreeMap;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use super::{dial, tls};
use crate::preflight::relay::{Relay, Stream};

/// Bytes of a body that are kept.
const MOST: usize = 64 << 10;
/// Bytes of a proxy's answer before it is no answer any more.
const PROXY_MOST: usize = 8 << 10;

/// A response.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    /// `200`.
    pub status: u16,
    /// By lower-case name; values of one name joined with commas.
    pub headers: BTreeMap<String, String>,
    /// Its beginning; invalid UTF-8 replaced.
    pub body: String,
}

/// Gets a page; redirects are not followed. A server of `https` must be trusted by this machine.
pub(super) async fn get(
    relay: &dyn Relay,
    from: Option<&str>,
    url: &str,
    proxy: Option<&str>,
) -> Result<Response, String> {
    let url = Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
    let proxy = proxy.map(|proxy| Url::parse(proxy).map_err(|error| format!("`{proxy}` is no URL: {error}")));
    let proxy = proxy.transpose()?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        other => return Err(format!("`{other}` is neither http nor https")),
    };
    let (host, port) = place(&url)?;
    let stream = match &proxy {
        None => dial(relay, from, &host, port).await?,
        Some(proxy) => {
            let (address, proxy_port) = place(proxy)?;
            let stream = dial(relay, from, &address, proxy_port).await.map_err(|why| format!("proxy: {why}"))?;
            if secure { tunnel(stream, &host, port).await? } else { stream }
        }
    };
    // A proxy is told the whole address of what it should get; a server, or what is behind a tunnel, only the path.
    let target = match &proxy {
        Some(_) if !secure => url[..url::Position::AfterQuery].to_owned(),
        _ => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    };
    let authority = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
    if !secure {
        return exchange(stream, &target, &authority).await;
    }
    let (stream, shown) = tls::shake_hands(stream, &host).await?;
    if !shown.trusted {
        return Err(format!("its certificate is not trusted: {}", shown.why.unwrap_or_default()));
    }
    exchange(Box::new(stream), &target, &authority).await
}

/// Host and port of a URL.
fn place(url: &Url) -> Result<(String, u16), String> {
    let host = url.host_str().ok_or_else(|| format!("`{url}` names no host"))?;
    let port = url.port_or_known_default().ok_or_else(|| format!("`{url}` names no port"))?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// Asks a proxy for a way through.
async fn tunnel(mut stream: Box<dyn Stream>, host: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    let failed = |error: std::io::Error| format!("proxy: {error}");
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == PROXY_MOST {
            return Err("proxy: its answer has no end".to_owned());
        }
        // Byte by byte: what follows the head belongs to whoever is behind the proxy.
        head.push(stream.read_u8().await.map_err(failed)?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.len() == 3 && status.starts_with('2') => Ok(stream),
        _ => Err(format!("the proxy refuses {host}:{port}: {line}")),
    }
}

async fn exchange(stream: Box<dyn Stream>, target: &str, authority: &str) -> Result<Response, String> {
    let failed = |error: hyper::Error| format!("HTTP: {error}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let uri: Uri = target.parse().map_err(|error| format!("`{target}`: {error}"))?;
    let request = Request::get(uri)
        .header(HOST, authority)
        .header(USER_AGENT, "cc-cloud-preflight")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
        }
        let (mut body, mut bytes) = (response.into_body(), Vec::new());
        while bytes.len() < MOST
            && let Some(frame) = body.frame().await
        {
            if let Ok(data) = frame.map_err(failed)?.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        bytes.truncate(MOST);
        Ok(Response { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() })
    };
    tokio::pin!(connection);
    tokio::pin!(talk);
    // The connection must be driven for the talk to go on; that it ends first is its end as seen by the talk.
    let mut driving = true;
    loop {
        tokio::select! {
            answer = &mut talk => return answer,
            _ = &mut connection, if driving => driving = false,
        }
    }
}
