use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cc_cloud::rehearsal::{Containers, RehearsalKey, RunningHost};

use super::container::Container;
use super::virtual_machine::VirtualMachine;
use super::{Output, Snapshot, wait};

/// A real host of a test: its address, the key that it lets in as root, and ways to look at it past the command.
pub struct TestHost {
    pub name: String,
    pub address: Ipv4Addr,
    /// Of its sshd.
    pub port: u16,
    /// Its public host keys, as lines of `ssh_host_*_key.pub`.
    pub host_keys: Vec<String>,
    pub key: RehearsalKey,
    machine: Machine,
    folder: tempfile::TempDir,
}

/// What a host runs on.
enum Machine {
    Container(Box<Container>),
    Virtual(VirtualMachine),
}

impl TestHost {
    /// A fresh host.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A fresh host with file systems of its own, as (folder, options of tmpfs): `("/small", "size=1m")`,
    /// `("/tmp", "noexec")`, `("/fixed", "ro")`.
    pub fn start_with(tmpfs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = RehearsalKey::ensure_in(folder.path()).unwrap();
        let (container, address, host_keys) = wait(async {
            let (container, address) = Container::start("host", tmpfs).await;
            let host_keys = container.admit("host", address, &key.authorized).await;
            (container, address, host_keys)
        });
        let name = "host".to_owned();
        Self { name, address, port: 22, host_keys, key, machine: Machine::Container(Box::new(container)), folder }
            .pinned()
    }

    /// A host that somebody else removes.
    pub(super) fn of_fleet(host: RunningHost, container: String, key: RehearsalKey, containers: Containers) -> Self {
        let machine = Machine::Container(Box::new(Container::of_fleet(container, containers)));
        let folder = tempfile::tempdir().unwrap();
        let RunningHost { name, address, host_keys, .. } = host;
        Self { name, address, port: 22, host_keys, key, machine, folder }.pinned()
    }

    /// A fresh virtual machine with blank disks, `/dev/disk/by-id/virtio-NAME`: a host with a kernel of its own, which may
    /// swap, mount devices, set every kernel parameter and reboot. Only tests of `make test-vm` may have one.
    pub fn virtual_machine(disks: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = VirtualMachine::image();
        let key = RehearsalKey::ensure_in(&image).unwrap();
        let host_keys = fs::read_to_string(image.join("host_keys")).unwrap().lines().map(str::to_owned).collect();
        let machine = VirtualMachine::start(disks, folder.path());
        machine.booted();
        let (name, address, port) = ("vm".to_owned(), Ipv4Addr::LOCALHOST, machine.port);
        let host = Self { name, address, port, host_keys, key, machine: Machine::Virtual(machine), folder }.pinned();
        host.open_session();
        host
    }

    /// Runs a command as root, past the command, and returns its standard output without the last line end. Panics if it fails.
    pub fn exec(&self, command: &[&str]) -> String {
        let output = self.try_exec(command);
        assert_eq!(output.code, 0, "{command:?} on {}: {output:?}", self.name);
        output.stdout.trim_end_matches('\n').to_owned()
    }

    /// The same for a line of shell.
    pub fn sh(&self, line: &str) -> String {
        self.exec(&["sh", "-c", line])
    }

    /// Runs a command as root, past the command, whatever its exit code.
    pub fn try_exec(&self, command: &[&str]) -> Output {
        self.run(command, None)
    }

    /// Writes a file with the given mode (`0644`), as root.
    pub fn put(&self, path: &str, mode: &str, content: &[u8]) {
        let output = self.run(&["install", "-D", "-m", mode, "/dev/stdin", path], Some(content));
        assert_eq!(output.code, 0, "write {path}: {output:?}");
    }

    /// The state of files and folders (recursively), to be compared with a later one.
    pub fn snapshot(&self, paths: &[&str]) -> Snapshot {
        let mut command = vec!["sh", "-ec", Snapshot::SCRIPT, "sh"];
        command.extend_from_slice(paths);
        Snapshot::parse(&self.exec(&command))
    }

    /// Reboots the host and waits for it. What stands for a reboot of a container: it ends and boots again; files stay,
    /// processes and tmpfs do not.
    pub fn reboot(&self) {
        match &self.machine {
            Machine::Container(container) => {
                let (name, address, key) = (&self.name, self.address, &self.key.authorized);
                wait(async {
                    container.restart().await;
                    container.admit(name, address, key).await;
                });
            }
            Machine::Virtual(machine) => {
                let boot = || self.exec(&["cat", "/proc/sys/kernel/random/boot_id"]);
                let before = boot();
                // The session may end before the command does.
                self.try_exec(&["systemctl", "reboot"]);
                machine.booted();
                // It would wait for a host that no longer knows it.
                let _ = self.ssh("root").args(["-O", "exit", "-S"]).arg(self.session()).output();
                self.open_session();
                assert_ne!(boot(), before, "the virtual machine has not rebooted");
            }
        }
    }

    /// Ends the host at once, as a power cut does. It does not come back.
    pub fn kill(&self) {
        match &self.machine {
            Machine::Container(container) => wait(container.kill()),
            Machine::Virtual(machine) => machine.kill(),
        }
    }

    /// Drops every packet from and to the host, without a word to either side. What is past the network goes on.
    pub fn partition(&self) {
        self.filter("add table inet partition");
        for hook in ["input", "output"] {
            self.filter(&format!(
                "add chain inet partition {hook} {{ type filter hook {hook} priority 0; policy drop; }}"
            ));
        }
    }

    /// Ends a partition.
    pub fn reunite(&self) {
        self.filter("delete table inet partition");
    }

    /// This machine's nft in the network of the host, which need not have one.
    fn filter(&self, rule: &str) {
        let Machine::Container(container) = &self.machine else { panic!("only a container is cut off this way") };
        let process = wait(container.process()).to_string();
        let status = Command::new("nsenter").args(["--net", "--target", &process, "nft", rule]).status().unwrap();
        assert!(status.success(), "nft {rule}");
    }

    /// A file of known hosts that has this host's keys under its address.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// OpenSSH's client, set up to log in as `user` with the host's pinned keys and nothing of this machine's
    /// configuration; the caller adds the command.
    pub fn ssh(&self, user: &str) -> Command {
        let mut ssh = Command::new("ssh");
        for option in ["BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"] {
            ssh.args(["-o", option]);
        }
        ssh.args(["-F", "none", "-p", &self.port.to_string()])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", self.known_hosts().display()))
            .arg("-i")
            .arg(&self.key.path)
            .arg(format!("{user}@{}", self.address));
        ssh
    }

    fn pinned(self) -> Self {
        let place = match self.port {
            22 => self.address.to_string(),
            port => format!("[{}]:{port}", self.address),
        };
        let lines = self.host_keys.iter().map(|key| format!("{place} {key}\n"));
        fs::write(self.known_hosts(), lines.collect::<String>()).unwrap();
        self
    }

    fn run(&self, command: &[&str], input: Option<&[u8]>) -> Output {
        match &self.machine {
            Machine::Container(container) => wait(container.run(command, input)),
            Machine::Virtual(_) => self.run_in_session(command, input),
        }
    }

    /// Logs in once for all that is looked at until the next reboot: a login takes an emulated processor seconds.
    fn open_session(&self) {
        let mut ssh = self.ssh("root");
        ssh.args(["-f", "-N", "-o", "ControlMaster=yes", "-S"]).arg(self.session());
        // It stays behind, and must not hold what the test's own output goes to.
        ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(ssh.status().unwrap().success(), "root cannot log in to {}: {ssh:?}", self.name);
    }

    fn session(&self) -> PathBuf {
        self.folder.path().join("session")
    }

    fn run_in_session(&self, command: &[&str], input: Option<&[u8]>) -> Output {
        let quoted: Vec<_> = command.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let mut ssh = self.ssh("root");
        ssh.arg("-S").arg(self.session()).arg("--").arg(quoted.join(" "));
        let mut child = ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Dropped, so that the command sees the end of its input.
        child.stdin.take().unwrap().write_all(input.unwrap_or_default()).unwrap();
        let output = child.wait_with_output().unwrap();
        Output::new(output.status.code().unwrap_or(-1).into(), &output.stdout, &output.stderr)
    }
}
