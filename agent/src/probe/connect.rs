//! TCP connections.

use std::net::{IpAddr, TcpStream};
use std::time::Instant;

use super::{Outcome, failed};
use crate::health::{self, PATIENCE};
use crate::host::Host;

/// How long each connection took. Nothing more is tried after two attempts without any answer: a filtered port would take a minute.
pub(super) fn times(host: &Host, address: &str, port: u16, times: u16) -> Outcome {
    let address = match resolve(host, address) {
        Ok(address) => address,
        Err(why) => return failed(why),
    };
    let (mut micros, mut why) = (Vec::new(), None);
    for _ in 0..times {
        let begin = Instant::now();
        match TcpStream::connect_timeout(&(address, port).into(), PATIENCE) {
            Ok(_) => micros.push(Some(micros_since(begin))),
            Err(error) => {
                why = Some(health::plain(&error));
                micros.push(None);
                if micros.len() == 2 && micros.iter().all(Option::is_none) {
                    break;
                }
            }
        }
    }
    Outcome::Times { micros, why }
}

/// The first address of a name, as the host itself resolves it.
pub(super) fn resolve(host: &Host, name: &str) -> Result<IpAddr, String> {
    health::addresses(host, name)?.first().copied().ok_or_else(|| format!("{name} has no address"))
}

pub(super) fn micros_since(begin: Instant) -> u32 {
    u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX)
}
