//! `up`, `down` and `addresses` against this machine's Docker.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Command;

use cc_cloud::rehearsal::{Containers, HostSpec, Origin, Pins, RehearsalKey, RunningHost};

/// An environment of this test process, removed at the end even if the test fails.
struct Rehearsal {
    containers: Containers,
    environment: String,
    key: RehearsalKey,
    folder: tempfile::TempDir,
}

impl Rehearsal {
    async fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            containers: Containers::connect().await.unwrap().labelled("cc-cloud.test", &std::process::id().to_string()),
            environment: format!("test-{name}-{}", std::process::id()),
            key: RehearsalKey::ensure_in(folder.path()).unwrap(),
            folder,
        }
    }

    async fn up(&self, hosts: &[HostSpec]) -> Vec<RunningHost> {
        self.containers.up(&self.environment, hosts, &self.key.authorized).await.unwrap()
    }

    /// Runs a command over OpenSSH with nothing known but what `up` returned.
    fn ssh(&self, host: &RunningHost, command: &str) -> String {
        let pins = Pins::in_folder(self.folder.path(), &self.environment);
        pins.add(std::slice::from_ref(host)).unwrap();
        let output = Command::new("ssh")
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", pins.path().display()))
            .arg("-i")
            .arg(&self.key.path)
            .arg(format!("root@{}", host.address))
            .arg(command)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let (containers, environment) = (self.containers.clone(), self.environment.clone());
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(containers.down(&environment)).map(drop)
        });
        let removed = removal.join().unwrap();
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}

#[tokio::test]
async fn hosts_come_up_once_and_keep_their_addresses() {
    let rehearsal = Rehearsal::new("up").await;
    let limited = HostSpec { memory: Some(512 << 20), cpus: Some(0.5), ..HostSpec::new("db1") };

    let first = rehearsal.up(&[HostSpec::new("web1"), limited.clone()]).await;
    assert_eq!(first.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["web1", "db1"]);
    assert!(first.iter().all(|host| host.origin == Origin::Created && !host.outdated), "{first:?}");
    assert!(first[0].host_keys.iter().any(|key| key.starts_with("ssh-ed25519 ")), "{first:?}");
    assert_ne!(first[0].host_keys, first[1].host_keys, "each host has keys of its own");

    assert_eq!(rehearsal.ssh(&first[0], "hostname; systemctl is-system-running"), "web1\nrunning");
    let db1 = rehearsal.ssh(&first[0], "getent hosts db1");
    assert!(db1.starts_with(&first[1].address.to_string()), "hosts know each other by name: {db1}");
    rehearsal.ssh(&first[0], "echo 10.9.8.7 elsewhere >/etc/hosts.new && mv /etc/hosts.new /etc/hosts");

    let second = rehearsal.up(&[HostSpec::new("db0"), HostSpec::new("web1"), limited]).await;
    let origins: Vec<_> = second.iter().map(|host| host.origin).collect();
    assert_eq!(origins, [Origin::Created, Origin::Found, Origin::Found]);
    assert_eq!(second[1].address, first[0].address);
    assert_eq!(second[1].host_keys, first[0].host_keys);

    let stopped =
        Command::new("docker").args(["stop", &format!("cc-cloud-{}-web1", rehearsal.environment)]).output().unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    let addresses = rehearsal.containers.addresses(&rehearsal.environment).await.unwrap();
    assert_eq!(addresses.keys().collect::<Vec<_>>(), ["db0", "db1"]);

    let third = rehearsal.up(&[HostSpec::new("web1")]).await;
    assert_eq!((third[0].origin, third[0].address), (Origin::Started, first[0].address));
    assert_eq!(third[0].host_keys, first[0].host_keys, "a restart keeps the host keys");
    assert_eq!(rehearsal.ssh(&third[0], "cat /etc/hosts"), "10.9.8.7 elsewhere", "and the files under /etc");
    let keys = rehearsal.ssh(&third[0], "cat /root/.ssh/authorized_keys");
    assert_eq!(keys, rehearsal.key.authorized, "the key stands there once");

    let gone = rehearsal.containers.down(&rehearsal.environment).await.unwrap();
    assert_eq!(gone, ["db0", "db1", "web1"]);
    assert!(rehearsal.containers.addresses(&rehearsal.environment).await.unwrap().is_empty());
    assert!(rehearsal.containers.down(&rehearsal.environment).await.unwrap().is_empty(), "down twice is no error");
}

#[tokio::test]
async fn a_limit_of_memory_reaches_the_host() {
    let rehearsal = Rehearsal::new("memory").await;
    let hosts = rehearsal.up(&[HostSpec { memory: Some(256 << 20), ..HostSpec::new("small") }]).await;
    let limit = rehearsal.ssh(
        &hosts[0],
        "cat /sys/fs/cgroup/memory$(grep ^[0-9]*:memory: /proc/1/cgroup | cut -d: -f3 | sed s,/init.scope,,)/memory.limit_in_bytes \
         2>/dev/null || cat /sys/fs/cgroup/memory.max",
    );
    assert_eq!(limit, (256 << 20).to_string());
}
