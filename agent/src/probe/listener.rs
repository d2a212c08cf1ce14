//! Temporary listeners, so that another host can find out what comes through.

use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::{Outcome, failed};

/// A listener closes by itself after this long, whatever the controller does.
const LONGEST: Duration = Duration::from_secs(120);
/// Connections that one listener serves at the same time; more wait.
const CONNECTIONS: usize = 16;

/// The open listeners of a session. They close when it is dropped.
#[derive(Default)]
pub struct Listeners {
    open: Vec<Listener>,
}

struct Listener {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Listeners {
    /// Listens on a port, on all addresses.
    pub(super) fn open(&mut self, port: u16) -> Outcome {
        match Listener::open(port) {
            Ok((listener, port)) => {
                self.open.push(listener);
                Outcome::Listening { port }
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Outcome::Busy,
            Err(error) => failed(error),
        }
    }

    /// Closes all.
    pub fn close(&mut self) {
        self.open.clear();
    }
}

impl Listener {
    fn open(port: u16) -> io::Result<(Self, u16)> {
        // One that takes both families, where the host has both.
        let bind = |any: IpAddr| TcpListener::bind(SocketAddr::new(any, port));
        let tcp = bind(Ipv6Addr::UNSPECIFIED.into()).or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Err(error),
            _ => bind(Ipv4Addr::UNSPECIFIED.into()),
        })?;
        let address = tcp.local_addr()?;
        // Only TCP is asked for by services: without UDP the round-trip times come from connections.
        let udp = UdpSocket::bind(address).ok();
        tcp.set_nonblocking(true)?;
        if let Some(udp) = &udp {
            udp.set_nonblocking(true)?;
        }
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let wake = stop.try_clone()?;
        let serve: Box<dyn FnOnce() + Send> = Box::new(move || serve(&tcp, udp.as_ref(), &wake));
        let thread = thread::Builder::new().spawn(serve)?;
        Ok((Self { stop, thread: Some(thread) }, address.port()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A counter cannot overflow by one; then the thread ends at once and the port is free.
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Throws away what comes over TCP, sends back what comes over UDP, until it is told to stop or its time is over.
fn serve(tcp: &TcpListener, udp: Option<&UdpSocket>, stop: &OwnedFd) {
    let deadline = Instant::now() + LONGEST;
    let (mut streams, mut buffer): (Vec<TcpStream>, _) = (Vec::new(), vec![0; 128 << 10]);
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        let mut fds = vec![PollFd::new(stop, PollFlags::IN)];
        // With all places taken, new connections wait in the kernel.
        fds.push(PollFd::new(tcp, if streams.len() < CONNECTIONS { PollFlags::IN } else { PollFlags::empty() }));
        fds.extend(udp.map(|udp| PollFd::new(udp, PollFlags::IN)));
        fds.extend(streams.iter().map(|stream| PollFd::new(stream, PollFlags::IN)));
        let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        if !fds[0].revents().is_empty() {
            return;
        }
        drop(fds);
        streams.retain_mut(|stream| is_open(stream, &mut buffer));
        while streams.len() < CONNECTIONS
            && let Ok((stream, _)) = tcp.accept()
        {
            if stream.set_nonblocking(true).is_ok() {
                streams.push(stream);
            }
        }
        while let Some(udp) = udp
            && let Ok((length, from)) = udp.recv_from(&mut buffer)
        {
            let _ = udp.send_to(&buffer[..length], from);
        }
    }
}

/// Takes what has come; false when the other side is done, which closes it here too.
fn is_open(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        match stream.read(buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
