use std::path::PathBuf;
use std::time::Duration;

/// Why rehearsal hosts cannot be made, found or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// Nothing answers at Docker's address.
    #[error(
        "Docker does not answer at {at}: {reason}\n\
         hint: start it (`systemctl start docker`, or `dockerd` where there is no systemd); set DOCKER_HOST if it listens elsewhere"
    )]
    NoDocker {
        /// Where it was looked for.
        at: String,
        /// The system's words.
        reason: String,
    },
    /// The user may not use Docker's socket.
    #[error(
        "this user may not use Docker at {at}\n\
         hint: add the user to the group `docker` and log in again (`sudo usermod -aG docker $USER`), or run as root"
    )]
    NotPermitted {
        /// Docker's address.
        at: String,
    },
    /// The engine is older than what rehearsal hosts need.
    #[error(
        "Docker {version} at {at} speaks API {api}; rehearsal hosts need {needed} or later (Docker 20.10)\n\
         hint: upgrade Docker"
    )]
    TooOld {
        /// Docker's address.
        at: String,
        /// Its version.
        version: String,
        /// The latest API it speaks.
        api: String,
        /// The API that is needed.
        needed: &'static str,
    },
    /// Docker refused something.
    #[error("Docker could not {what}: {source}")]
    Docker {
        /// What was asked of it, as `do something to NAME`.
        what: String,
        /// Docker's answer.
        source: bollard::errors::Error,
    },
    /// The host image could not be made.
    #[error("the host image {image} could not be made\n{output}")]
    Image {
        /// Name of the image.
        image: &'static str,
        /// The last lines of the script that makes it; they end with what to do.
        output: String,
    },
    /// A container ended instead of booting.
    #[error(
        "host {host} stopped while it booted (exit code {code})\n{log}\n\
         hint: `docker logs {container}` has everything that it printed"
    )]
    Stopped {
        /// The host.
        host: String,
        /// Its container.
        container: String,
        /// Exit code of its init.
        code: i64,
        /// The last lines of its console.
        log: String,
    },
    /// sshd did not answer in time.
    #[error(
        "sshd of host {host} did not answer at {address}:22 within {} s\n\
         hint: `docker exec {container} systemctl status ssh` tells why; with Docker Desktop or a remote engine, \
         addresses of containers cannot be reached from this machine", waited.as_secs()
    )]
    NoAnswer {
        /// The host.
        host: String,
        /// Its container.
        container: String,
        /// Its address.
        address: std::net::Ipv4Addr,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A command inside of a host failed.
    #[error("`{command}` on host {host} failed (exit code {code}): {output}")]
    Command {
        /// The host.
        host: String,
        /// The command.
        command: String,
        /// Its exit code.
        code: i64,
        /// What it printed, both streams.
        output: String,
    },
    /// The machine allows too few inotify instances for so many hosts.
    #[error(
        "{hosts} rehearsal hosts need {needed} inotify instances, this machine allows {limit}\n\
         hint: `sudo sysctl fs.inotify.max_user_instances={needed}`"
    )]
    Inotify {
        /// Hosts that would run.
        hosts: usize,
        /// Instances that they need.
        needed: usize,
        /// Instances that the machine allows.
        limit: usize,
    },
    /// Every candidate subnet is in use.
    #[error(
        "no free subnet for environment {environment}: every /24 of 10.213.0.0/16 overlaps a network of Docker or of this machine\n\
         hint: `docker network prune` removes networks that nothing uses"
    )]
    NoSubnet {
        /// The environment.
        environment: String,
    },
    /// The environment's network has no address left.
    #[error("the network of environment {environment} has no free address for host {host}")]
    NoAddress {
        /// The environment.
        environment: String,
        /// The host that found no address.
        host: String,
    },
    /// There is no folder for the rehearsal key and the pinned host keys.
    #[error(
        "there is no folder for rehearsal keys: neither XDG_DATA_HOME nor HOME is set\n\
         hint: set one of them"
    )]
    NoDataFolder,
    /// The pinned host keys could not be read or written.
    #[error("pinned host keys {}: {reason}", path.display())]
    Pins {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The rehearsal key could not be read or made.
    #[error("rehearsal key {}: {reason}", path.display())]
    Key {
        /// The private key's file.
        path: PathBuf,
        /// What went wrong and what to do.
        reason: String,
    },
}

impl RehearsalError {
    /// For `map_err`: says what Docker was asked for.
    pub(super) fn docker(what: impl Into<String>) -> impl FnOnce(bollard::errors::Error) -> Self {
        let what = what.into();
        move |source| Self::Docker { what, source }
    }
}
