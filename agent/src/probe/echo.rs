//! UDP datagrams there and back: round-trip time, loss, and whether a full frame goes through in one piece.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};

use super::connect::{micros_since, resolve};
use super::{Outcome, failed};
use crate::host::Host;

/// Between two datagrams.
const PACE: Duration = Duration::from_millis(1);
/// How long the last ones may take to come back.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that tell the datagrams apart.
const NUMBER: usize = 2;

/// How long each datagram took to come back.
pub(super) fn times(host: &Host, address: &str, port: u16, times: u16, bytes: u16) -> Outcome {
    let run = || -> io::Result<Outcome> {
        let address = resolve(host, address).map_err(io::Error::other)?;
        // Addresses, never text: text would bring glibc's resolver into the agent, which weighs as much as all probes.
        let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(SocketAddr::new(address, port))?;
        if address.is_ipv4() {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DO)?;
        }
        exchange(&socket, usize::from(times), usize::from(bytes).max(NUMBER))
    };
    run().unwrap_or_else(failed)
}

/// Sends all, and takes what comes back meanwhile and after.
fn exchange(socket: &UdpSocket, times: usize, bytes: usize) -> io::Result<Outcome> {
    let (mut sent, mut micros, mut why) = (Vec::with_capacity(times), vec![None; times], None);
    let mut datagram = vec![0; bytes];
    let take = |sent: &[Instant], micros: &mut Vec<Option<u32>>, wait: Duration| -> io::Result<bool> {
        socket.set_read_timeout(Some(wait.max(Duration::from_micros(100))))?;
        let mut buffer = [0; 65536];
        match socket.recv(&mut buffer) {
            Ok(length) if length >= NUMBER => {
                let number = usize::from(u16::from_be_bytes([buffer[0], buffer[1]]));
                if let Some(begin) = sent.get(number) {
                    micros[number].get_or_insert(micros_since(*begin));
                }
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    };
    for number in 0..times {
        datagram[..NUMBER].copy_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
        let begin = Instant::now();
        sent.push(begin);
        if let Err(error) = socket.send(&datagram) {
            why = Some(error.to_string());
        }
        while let Some(left) = PACE.checked_sub(begin.elapsed()) {
            if let Err(error) = take(&sent, &mut micros, left) {
                // Nobody listens there: told by an ICMP message, and again for each datagram.
                why = Some(error.to_string());
            }
        }
    }
    let last = Instant::now();
    while micros.iter().any(Option::is_none) {
        let Some(left) = PATIENCE.checked_sub(last.elapsed()) else { break };
        if let Err(error) = take(&sent, &mut micros, left) {
            why = Some(error.to_string());
        }
    }
    Ok(Outcome::Times { micros, why })
}
