use std::net::Ipv4Addr;
use std::ops::Index;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use cc_cloud::rehearsal::{Containers, HostSpec, RehearsalKey};

use super::{LABEL, TestHost, wait};

/// Several hosts on a network of their own, with fixed addresses and one key for all: `fleet["web1"]`.
pub struct Fleet {
    pub environment: String,
    pub key: RehearsalKey,
    hosts: Vec<TestHost>,
    containers: Containers,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// Fresh hosts of these names.
    pub fn start(names: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let environment = format!("test-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().unwrap();
        let key = RehearsalKey::ensure_in(folder.path()).unwrap();
        let specs: Vec<_> = names.iter().map(|name| HostSpec::new(*name)).collect();
        let containers = wait(Containers::connect()).unwrap().labelled(LABEL, &process::id().to_string());
        let mut fleet = Self { environment, key, hosts: Vec::new(), containers, _folder: folder };
        let running = wait(fleet.containers.up(&fleet.environment, &specs, &fleet.key.authorized)).unwrap();
        fleet.hosts = running
            .into_iter()
            .map(|host| {
                let container = format!("cc-cloud-{}-{}", fleet.environment, host.name);
                TestHost::of_fleet(host, container, fleet.key.clone(), fleet.containers.clone())
            })
            .collect();
        fleet
    }

    pub fn hosts(&self) -> impl Iterator<Item = &TestHost> {
        self.hosts.iter()
    }

    /// Makes a host that only other hosts of the fleet reach, so that a connection to it proves the jump.
    pub fn hide(&self, name: &str) {
        let host = &self[name];
        let [a, b, c, _] = host.address.octets();
        host.exec(&["ip", "route", "add", "blackhole", &Ipv4Addr::new(a, b, c, 1).to_string()]);
    }
}

impl Index<&str> for Fleet {
    type Output = TestHost;

    fn index(&self, name: &str) -> &TestHost {
        self.hosts.iter().find(|host| host.name == name).expect("a host of the fleet")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let removed = wait(self.containers.down(&self.environment));
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}
