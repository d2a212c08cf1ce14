//! Answers to what preflight asks of the operator's machine.

mod command;
mod connect;
mod dns;
mod http;
mod smtp;
mod tls;

use std::time::{Duration, Instant};

use cc_agent::probe::{Outcome, Reading};
use cc_preflight::Outside;
use serde::Serialize;
use tokio::time::timeout;

use super::relay::{Relay, Stream};
use dns::Resolvers;

/// How long one connection may take to open, and one word of the other side to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a whole dialogue may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Answers one question. Never fails: what went wrong is the answer.
pub async fn answer(probe: &Outside, relay: &dyn Relay) -> Reading {
    let begin = Instant::now();
    let outcome = match probe {
        Outside::Command { argv, seconds } => command::run(argv, *seconds).await,
        Outside::Connect { address, port, times } => connect::times(address, *port, *times).await,
        _ => match timeout(LIMIT, dialogue(probe, relay)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Late { seconds: u32::try_from(LIMIT.as_secs()).unwrap_or(u32::MAX) },
        },
    };
    Reading { outcome, millis: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

async fn dialogue(probe: &Outside, relay: &dyn Relay) -> Outcome {
    match probe {
        Outside::Resolve { name, kind, server: None } => {
            told(async { Resolvers::own()?.resolve(name, kind).await }.await)
        }
        Outside::Resolve { name, kind, server: Some(server) } => {
            told(async { Resolvers::at(server)?.resolve(name, kind).await }.await)
        }
        Outside::Authoritative { name, kind } => {
            told(async { Resolvers::own()?.authoritative(name, kind).await }.await)
        }
        Outside::Tls { from, address, port, name } => {
            let shake = async { tls::certificates(dial(relay, from.as_deref(), address, *port).await?, name).await };
            told(shake.await)
        }
        Outside::Http { from, url, proxy } => told(http::get(relay, from.as_deref(), url, proxy.as_deref()).await),
        Outside::Smtp { from, address, port, starttls } => {
            let talk = async {
                let stream = dial(relay, from.as_deref(), address, *port).await?;
                smtp::greet(stream, address, *port == smtp::IMPLICIT_TLS, *starttls).await
            };
            told(talk.await)
        }
        Outside::Command { .. } | Outside::Connect { .. } => failed("it is no dialogue"),
    }
}

/// A connection from a host, or from this machine.
async fn dial(relay: &dyn Relay, from: Option<&str>, address: &str, port: u16) -> Result<Box<dyn Stream>, String> {
    match from {
        Some(host) => relay.open(host, address, port).await,
        None => Ok(Box::new(connect::open(address, port).await?)),
    }
}

fn told(answer: Result<impl Serialize, String>) -> Outcome {
    match answer.and_then(|answer| serde_json::to_string(&answer).map_err(|error| error.to_string())) {
        Ok(text) => Outcome::Text { text, cut: false },
        Err(why) => Outcome::Failed { why },
    }
}

fn failed(why: impl ToString) -> Outcome {
    Outcome::Failed { why: why.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
