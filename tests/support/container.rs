use std::net::Ipv4Addr;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::{InspectContainerOptions, KillContainerOptions, RestartContainerOptionsBuilder};
use cc_cloud::rehearsal::{Containers, HostImage, HostSpec};
use futures_util::StreamExt;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::io::AsyncWriteExt;

use super::{LABEL, Output, wait};

/// A host's container, as Docker sees it.
pub(super) struct Container {
    id: String,
    docker: Docker,
    containers: Containers,
    /// Docker's end of a host that was started alone; a host of a fleet is removed by the fleet.
    alone: Option<ContainerAsync<GenericImage>>,
}

impl Container {
    /// A fresh container with file systems of its own, as (folder, options of tmpfs), and its address.
    pub(super) async fn start(name: &str, tmpfs: &[(&str, &str)]) -> (Self, Ipv4Addr) {
        let containers = Containers::connect().await.unwrap();
        let mut config = containers.host_config(&HostSpec::new(name));
        let mounts = tmpfs.iter().map(|(folder, options)| ((*folder).to_owned(), (*options).to_owned()));
        config.tmpfs.get_or_insert_default().extend(mounts);
        let (image, tag) = HostImage::NAME.split_once(':').unwrap();
        let started = GenericImage::new(image, tag)
            .with_label(LABEL, std::process::id().to_string())
            .with_hostname(name)
            .with_cmd(containers.cgroup().command())
            .with_host_config_modifier(move |target| *target = config.clone())
            .start()
            .await
            .expect("a container; `make setup` makes the image");
        let docker = Docker::connect_with_defaults().unwrap();
        let id = started.id().to_owned();
        let described = docker.inspect_container(&id, None::<InspectContainerOptions>).await.unwrap();
        let networks = described.network_settings.unwrap().networks.unwrap();
        let address = networks["bridge"].ip_address.as_deref().unwrap().parse().unwrap();
        (Self { id, docker, containers, alone: Some(started) }, address)
    }

    /// A container that somebody else removes.
    pub(super) fn of_fleet(id: String, containers: Containers) -> Self {
        Self { id, docker: Docker::connect_with_defaults().unwrap(), containers, alone: None }
    }

    /// Waits for the end of the boot and lets the key in as root; returns the public host keys.
    pub(super) async fn admit(&self, name: &str, address: Ipv4Addr, key: &str) -> Vec<String> {
        self.containers.admit(name, &self.id, address, key).await.unwrap()
    }

    /// Ends the container; it boots again.
    pub(super) async fn restart(&self) {
        let options = RestartContainerOptionsBuilder::new().t(10).build();
        self.docker.restart_container(&self.id, Some(options)).await.unwrap();
    }

    /// Kills every process of it at once.
    pub(super) async fn kill(&self) {
        self.docker.kill_container(&self.id, None::<KillContainerOptions>).await.unwrap();
    }

    /// The number of its first process on this machine.
    pub(super) async fn process(&self) -> i64 {
        let described = self.docker.inspect_container(&self.id, None::<InspectContainerOptions>).await.unwrap();
        described.state.unwrap().pid.unwrap()
    }

    /// Runs a command as root to its end.
    pub(super) async fn run(&self, command: &[&str], input: Option<&[u8]>) -> Output {
        let config = ExecConfig {
            attach_stdin: Some(input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            ..Default::default()
        };
        let id = self.docker.create_exec(&self.id, config).await.unwrap().id;
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
        let code = self.docker.inspect_exec(&id).await.unwrap().exit_code.unwrap_or(-1);
        Output::new(code, &stdout, &stderr)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(container) = self.alone.take() {
            let removed = wait(container.rm());
            if !std::thread::panicking() {
                removed.unwrap();
            }
        }
    }
}
