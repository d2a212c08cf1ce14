//! TCP connections of this machine.

use std::time::Instant;

use cc_agent::probe::Outcome;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// How long each connection took. Nothing more is tried after two attempts without any answer, as with hosts' probes.
pub(super) async fn times(address: &str, port: u16, times: u16) -> Outcome {
    let (mut micros, mut why) = (Vec::new(), None);
    for _ in 0..times {
        let begin = Instant::now();
        match open(address, port).await {
            Ok(_) => micros.push(Some(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX))),
            Err(error) => {
                why = Some(error);
                micros.push(None);
                if micros.len() == 2 && micros.iter().all(Option::is_none) {
                    break;
                }
            }
        }
    }
    Outcome::Times { micros, why }
}

/// A connection to a name or address; to the first of its addresses that answers.
pub(super) async fn open(address: &str, port: u16) -> Result<TcpStream, String> {
    match timeout(PATIENCE, TcpStream::connect((address, port))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Err("connection refused".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
