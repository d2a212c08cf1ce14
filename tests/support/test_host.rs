use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::{InspectContainerOptions, RestartContainerOptionsBuilder};
use cc_cloud::rehearsal::{Containers, HostImage, HostSpec, RehearsalKey};
use futures_util::StreamExt;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::io::AsyncWriteExt;

use super::{LABEL, Snapshot, wait};

/// A real host of a test: its address, the key that it lets in as root, and ways to look at it past SSH.
pub struct TestHost {
    pub name: String,
    pub address: Ipv4Addr,
    /// Its public host keys, as lines of `ssh_host_*_key.pub`.
    pub host_keys: Vec<String>,
    pub key: RehearsalKey,
    pub(super) container: String,
    /// Docker's end of a host that was started alone; a host of a fleet is removed by the fleet.
    alone: Option<ContainerAsync<GenericImage>>,
    pub(super) docker: Docker,
    pub(super) containers: Containers,
    pub(super) folder: tempfile::TempDir,
}

/// What a command on a host did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub code: i64,
    pub stdout: String,
    pub stderr: String,
}

impl TestHost {
    /// A fresh host.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A fresh host with file systems of its own, as (folder, options of tmpfs): `("/small", "size=1m")`,
    /// `("/tmp", "noexec")`, `("/fixed", "ro")`.
    pub fn start_with(tmpfs: &[(&str, &str)]) -> Self {
        wait(async {
            let containers = Containers::connect().await.unwrap();
            let mut config = containers.host_config(&HostSpec::new("host"));
            let mounts = tmpfs.iter().map(|(folder, options)| ((*folder).to_owned(), (*options).to_owned()));
            config.tmpfs.get_or_insert_default().extend(mounts);
            let (image, tag) = HostImage::NAME.split_once(':').unwrap();
            let started = GenericImage::new(image, tag)
                .with_label(LABEL, std::process::id().to_string())
                .with_hostname("host")
                .with_cmd(containers.cgroup().command())
                .with_host_config_modifier(move |target| *target = config.clone())
                .start()
                .await
                .expect("a container; `make setup` makes the image");
            let docker = Docker::connect_with_defaults().unwrap();
            let container = started.id().to_owned();
            let described = docker.inspect_container(&container, None::<InspectContainerOptions>).await.unwrap();
            let networks = described.network_settings.unwrap().networks.unwrap();
            let address = networks["bridge"].ip_address.as_deref().unwrap().parse().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let key = RehearsalKey::ensure_in(folder.path()).unwrap();
            let host_keys = containers.admit("host", &container, address, &key.authorized).await.unwrap();
            let host = Self {
                name: "host".to_owned(),
                address,
                host_keys,
                key,
                container,
                alone: Some(started),
                docker,
                containers,
                folder,
            };
            host.write_known_hosts();
            host
        })
    }

    /// A host that somebody else removes.
    pub(super) fn of_fleet(
        host: cc_cloud::rehearsal::RunningHost,
        container: String,
        key: RehearsalKey,
        containers: Containers,
    ) -> Self {
        let host = Self {
            name: host.name,
            address: host.address,
            host_keys: host.host_keys,
            key,
            container,
            alone: None,
            docker: Docker::connect_with_defaults().unwrap(),
            containers,
            folder: tempfile::tempdir().unwrap(),
        };
        host.write_known_hosts();
        host
    }

    /// Runs a command as root, past SSH, and returns its standard output without the last line end. Panics if it fails.
    pub fn exec(&self, command: &[&str]) -> String {
        let output = self.try_exec(command);
        assert_eq!(output.code, 0, "{command:?} on {}: {output:?}", self.name);
        output.stdout.trim_end_matches('\n').to_owned()
    }

    /// The same for a line of shell.
    pub fn sh(&self, line: &str) -> String {
        self.exec(&["sh", "-c", line])
    }

    /// Runs a command as root, past SSH, whatever its exit code.
    pub fn try_exec(&self, command: &[&str]) -> Output {
        wait(self.run(command, None))
    }

    /// Writes a file with the given mode (`0644`), as root.
    pub fn put(&self, path: &str, mode: &str, content: &[u8]) {
        let output = wait(self.run(&["install", "-D", "-m", mode, "/dev/stdin", path], Some(content)));
        assert_eq!(output.code, 0, "write {path}: {output:?}");
    }

    /// The state of files and folders (recursively), to be compared with a later one.
    pub fn snapshot(&self, paths: &[&str]) -> Snapshot {
        let mut command = vec!["sh", "-ec", Snapshot::SCRIPT, "sh"];
        command.extend_from_slice(paths);
        Snapshot::parse(&self.exec(&command))
    }

    /// What stands for a reboot: the container ends and boots again. Files stay, processes and tmpfs do not.
    pub fn reboot(&self) {
        wait(async {
            let options = RestartContainerOptionsBuilder::new().t(10).build();
            self.docker.restart_container(&self.container, Some(options)).await.unwrap();
            self.containers.admit(&self.name, &self.container, self.address, &self.key.authorized).await.unwrap();
        });
    }

    /// A file of known hosts that has this host's keys under its address.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// OpenSSH's client, set up to log in as `user` with the host's pinned keys and nothing of this machine's
    /// configuration; the caller adds the command.
    pub fn ssh(&self, user: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
        ])
        .arg(format!("UserKnownHostsFile={}", self.known_hosts().display()))
        .arg("-i")
        .arg(&self.key.path)
        .arg(format!("{user}@{}", self.address));
        ssh
    }

    fn write_known_hosts(&self) {
        let lines = self.host_keys.iter().map(|key| format!("{} {key}\n", self.address));
        fs::write(self.known_hosts(), lines.collect::<String>()).unwrap();
    }

    async fn run(&self, command: &[&str], input: Option<&[u8]>) -> Output {
        let config = ExecConfig {
            attach_stdin: Some(input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            ..Default::default()
        };
        let id = self.docker.create_exec(&self.container, config).await.unwrap().id;
        let StartExecResults::Attached { mut output, input: mut stdin } =
            self.docker.start_exec(&id, None).await.unwrap()
        else {
            unreachable!("an attached command was asked for")
        };
        if let Some(input) = input {
            stdin.write_all(input).await.unwrap();
            stdin.shutdown().await.unwrap();
        }
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(chunk) = output.next().await {
            match chunk.unwrap() {
                LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
                other => stdout.extend_from_slice(&other.into_bytes()),
            }
        }
        Output {
            code: self.docker.inspect_exec(&id).await.unwrap().exit_code.unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if let Some(container) = self.alone.take() {
            let removed = wait(container.rm());
            if !std::thread::panicking() {
                removed.unwrap();
            }
        }
    }
}
