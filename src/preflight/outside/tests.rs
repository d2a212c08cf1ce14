//! Against servers that the tests make on loopback.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::preflight::relay::Opening;

/// A relay whose host `web1` reaches this machine, and whose `deaf1` lets nobody through.
struct Loopback;

impl Relay for Loopback {
    fn open<'a>(&'a self, from: &'a str, address: &'a str, port: u16) -> Opening<'a> {
        Box::pin(async move {
            match from {
                "web1" => Ok(Box::new(connect::open(address, port).await?) as Box<dyn Stream>),
                other => Err(format!("{other}: its SSH server forwards no connections")),
            }
        })
    }
}

async fn ask(probe: Outside) -> Outcome {
    answer(&probe, &Loopback).await.outcome
}

async fn ask_json(probe: Outside) -> Value {
    match ask(probe).await {
        Outcome::Text { text, cut: false } => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A self-signed certificate for `localhost`, with its key, and its DER.
fn certificate(expired: bool) -> (TlsAcceptor, Vec<u8>) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    if expired {
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), der.to_vec())
}

/// A server that does this with each connection.
async fn serve<F: Future<Output = std::io::Result<()>> + Send>(
    talk: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What breaks here is seen by the client, whose answer is what is tested.
            let _ = talk(stream).await;
        }
    });
    port
}

#[tokio::test]
async fn certificates_are_told_whatever_they_are_worth() {
    for (expired, from) in [(false, None), (true, Some("web1".to_owned()))] {
        let (acceptor, der) = certificate(expired);
        let port = serve(move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await?.shutdown().await }
        })
        .await;
        let probe = Outside::Tls { from, address: "127.0.0.1".to_owned(), port, name: "localhost".to_owned() };
        let shown = ask_json(probe).await;
        assert_eq!(shown["trusted"], Value::Bool(false), "{shown}");
        assert!(!shown["why"].as_str().unwrap().is_empty());
        assert_eq!(shown["chain"][0], Value::String(BASE64_STANDARD.encode(&der)));
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_a_failure() {
    let port = serve(async |mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await).await;
    let probe = Outside::Tls { from: None, address: "127.0.0.1".to_owned(), port, name: "localhost".to_owned() };
    let Outcome::Failed { why } = ask(probe).await else { panic!("it should fail") };
    assert!(why.contains("TLS handshake"), "{why}");
}

#[tokio::test]
async fn a_host_that_forwards_nothing_says_so() {
    let probe = Outside::Http { from: Some("deaf1".to_owned()), url: "http://127.0.0.1/".to_owned(), proxy: None };
    let Outcome::Failed { why } = ask(probe).await else { panic!("it should fail") };
    assert_eq!(why, "deaf1: its SSH server forwards no connections");
}

/// Answers each request with its first line, and a redirect.
async fn echo(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut line) = (String::new(), String::new());
    stream.read_line(&mut first).await?;
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let length = first.len();
    let head = format!("HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{first}").as_bytes()).await
}

#[tokio::test]
async fn a_page_is_got_directly_and_through_a_proxy() {
    let port = serve(echo).await;
    let page = |url: String, proxy: Option<String>| Outside::Http { from: Some("web1".to_owned()), url, proxy };
    let direct = ask_json(page(format!("http://127.0.0.1:{port}/a?b=c"), None)).await;
    assert_eq!((&direct["status"], &direct["headers"]["location"]), (&Value::from(302), &Value::from("/else")));
    assert_eq!(direct["body"], "GET /a?b=c HTTP/1.1\r\n");
    let proxied = page("http://example.test/a".to_owned(), Some(format!("http://127.0.0.1:{port}")));
    assert_eq!(ask_json(proxied).await["body"], "GET http://example.test/a HTTP/1.1\r\n");
    // This proxy gives no way through.
    let refused = page("https://example.test/a".to_owned(), Some(format!("http://127.0.0.1:{port}")));
    let Outcome::Failed { why } = ask(refused).await else { panic!("it should fail") };
    assert!(why.contains("the proxy refuses example.test:443"), "{why}");
}

#[tokio::test]
async fn a_page_without_a_trusted_certificate_is_not_got() {
    let (acceptor, _) = certificate(false);
    let port = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await?.read_u8().await.map(drop) }
    })
    .await;
    let probe = Outside::Http { from: None, url: format!("https://localhost:{port}/"), proxy: None };
    let Outcome::Failed { why } = ask(probe).await else { panic!("it should fail") };
    assert!(why.contains("not trusted"), "{why}");
}

/// A mail server that says these lines, each after a line of the client but the first.
async fn mail(stream: TcpStream, lines: &[&str]) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.read_line(&mut String::new()).await?;
    }
    Ok(())
}

fn smtp(port: u16, starttls: bool) -> Outside {
    Outside::Smtp { from: Some("web1".to_owned()), address: "127.0.0.1".to_owned(), port, starttls }
}

#[tokio::test]
async fn a_mail_server_tells_what_it_offers() {
    let lines = ["220-mail.example.test\r\n220 ready", "250-hello\r\n250-SIZE 1000\r\n250 AUTH PLAIN", "221 bye"];
    let port = serve(move |stream| async move { mail(stream, &lines).await }).await;
    let greeting = ask_json(smtp(port, false)).await;
    assert_eq!(greeting["greeting"], "220 mail.example.test ready");
    assert_eq!(greeting["extensions"], serde_json::json!(["SIZE 1000", "AUTH PLAIN"]));
    let Outcome::Failed { why } = ask(smtp(port, true)).await else { panic!("it should fail") };
    assert!(why.contains("offers no STARTTLS"), "{why}");
}

#[tokio::test]
async fn a_mail_server_is_greeted_again_over_tls() {
    let (acceptor, der) = certificate(false);
    let port = serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            mail_until_tls(&mut stream).await?;
            let mut stream = BufReader::new(acceptor.accept(stream).await?);
            stream.read_line(&mut String::new()).await?;
            stream.write_all(b"250-hello\r\n250 AUTH LOGIN\r\n").await?;
            stream.flush().await
        }
    })
    .await;
    let greeting = ask_json(smtp(port, true)).await;
    assert_eq!(greeting["extensions"], serde_json::json!(["AUTH LOGIN"]));
    assert_eq!(greeting["tls"]["chain"][0], Value::String(BASE64_STANDARD.encode(&der)));
}

async fn mail_until_tls(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for line in ["220 ready", "250-hello\r\n250 STARTTLS"] {
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.read_line(&mut String::new()).await?;
    }
    stream.write_all(b"220 go ahead\r\n").await
}

#[tokio::test]
async fn a_mail_server_that_refuses_is_quoted() {
    for (line, told) in [("554 5.7.1 no service for you", "554 5.7.1 no service"), ("hello", "does not speak SMTP")] {
        let port = serve(move |stream| async move { mail(stream, &[line]).await }).await;
        let Outcome::Failed { why } = ask(smtp(port, false)).await else { panic!("it should fail") };
        assert!(why.contains(told), "{why}");
    }
}

#[tokio::test]
async fn connections_are_timed_and_programs_told() {
    let port = serve(async |_| Ok(())).await;
    let connect = |port| Outside::Connect { address: "127.0.0.1".to_owned(), port, times: 3 };
    let Outcome::Times { micros, why: None } = ask(connect(port)).await else { panic!("it should connect") };
    assert!(micros.len() == 3 && micros.iter().all(Option::is_some));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = Outcome::Times { micros: vec![None; 2], why: Some("connection refused".to_owned()) };
    assert_eq!(ask(connect(free)).await, refused);
    let command =
        |argv: &[&str], seconds| Outside::Command { argv: argv.iter().map(ToString::to_string).collect(), seconds };
    let ended = Outcome::Ended { status: 3, stdout: "a\n".to_owned(), stderr: "b\n".to_owned(), cut: false };
    assert_eq!(ask(command(&["sh", "-c", "echo a; echo b >&2; exit 3"], 10)).await, ended);
    assert_eq!(ask(command(&["no-such-program-here"], 10)).await, Outcome::Absent);
    assert_eq!(ask(command(&["sleep", "1000"], 0)).await, Outcome::Late { seconds: 0 });
}
