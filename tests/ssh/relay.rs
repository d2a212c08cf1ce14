//! A network between here and a host, which can freeze.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Relay {
    pub port: u16,
    frozen: Arc<AtomicBool>,
}

impl Relay {
    /// Carries bytes to and from this port of the loopback.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { port: listener.local_addr().unwrap().port(), frozen: Arc::default() };
        let frozen = Arc::clone(&relay.frozen);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let far = TcpStream::connect(("127.0.0.1", to)).unwrap();
                for (from, to) in [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())] {
                    let (from, to, frozen) = (from.unwrap(), to.unwrap(), Arc::clone(&frozen));
                    std::thread::spawn(move || carry(from, to, &frozen));
                }
            }
        });
        relay
    }

    /// From now on nothing arrives, and no connection is closed.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, frozen: &AtomicBool) {
    let mut bytes = [0; 4096];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        if frozen.load(Ordering::SeqCst) {
            loop {
                std::thread::park();
            }
        }
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}
