//! How much goes through.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::connect::resolve;
use super::{Outcome, Run, failed};
use crate::host::Host;

/// How long connecting, and the other side's last word, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends for that long, then waits until the other side has taken everything and closes; as often, one time after the other.
pub(super) fn send(host: &Host, address: &str, port: u16, duration: Duration, times: u16) -> Outcome {
    let run = |_| -> io::Result<Run> {
        let address = resolve(host, address).map_err(io::Error::other)?;
        let mut stream = TcpStream::connect_timeout(&(address, port).into(), PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (block, begin, mut bytes) = (vec![0; 128 << 10], Instant::now(), 0);
        while begin.elapsed() < duration {
            bytes += stream.write(&block)? as u64;
        }
        stream.shutdown(Shutdown::Write)?;
        // Its end, when the other side has taken everything.
        let _end = stream.read(&mut [0])?;
        Ok(Run { bytes, micros: u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX) })
    };
    match (0..times).map(run).collect() {
        Ok(runs) => Outcome::Sent { runs },
        Err(error) => failed(error),
    }
}
