use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::{
    ContainerCreateBody, ContainerSummaryStateEnum, EndpointIpamConfig, EndpointSettings, HostConfig, Ipam, IpamConfig,
    NetworkCreateRequest, NetworkingConfig,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptions, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, WaitContainerOptions,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::engine::Engine;
use super::{Cgroup, HostImage, HostSpec, ImageState, Origin, RehearsalError, RunningHost, Subnet};
use super::{exec::exec, inotify, sshd};

/// A host boots in two seconds on a quiet machine; a busy one with sixteen at once takes longer.
const BOOT: Duration = Duration::from_secs(90);

/// Hosts that boot at the same time: more only wait for each other's processor.
const SIDE_BY_SIDE: usize = 8;

/// Downloads that all hosts of all environments share, as (volume, folder in the host).
const CACHES: [(&str, &str); 2] =
    [("cc-cloud-packages", "/var/cache/cc-cloud/apt"), ("cc-cloud-pip", "/var/cache/cc-cloud/pip")];

/// The rehearsal hosts on this machine's Docker.
///
/// What belongs to an environment is found by its labels, never by a file of ours: `down` removes everything even after an
/// `up` that was killed.
#[derive(Debug, Clone)]
pub struct Containers {
    docker: Docker,
    cgroup: Cgroup,
    labels: HashMap<String, String>,
}

impl Containers {
    /// Label that names the environment, on networks and containers.
    pub const ENVIRONMENT: &str = "cc-cloud.environment";
    /// Label that names the host, on containers.
    pub const HOST: &str = "cc-cloud.host";
    /// Label that keeps a host's address while its container is stopped.
    const ADDRESS: &str = "cc-cloud.address";

    /// Connects to Docker at DOCKER_HOST or at its socket.
    ///
    /// # Errors
    /// Docker is not there, does not let this user in, or is too old.
    pub async fn connect() -> Result<Self, RehearsalError> {
        let Engine { docker, info } = Engine::connect().await?;
        Ok(Self { docker, cgroup: Cgroup::of(&info), labels: HashMap::new() })
    }

    /// Adds a label to every network and container that will be made, for whoever has to find them.
    #[must_use]
    pub fn labelled(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The version of control groups on Docker's machine.
    #[must_use]
    pub fn cgroup(&self) -> Cgroup {
        self.cgroup
    }

    /// Whether the host image is there. [`up`](Self::up) makes it if it is not, which takes a minute that a user should
    /// know about.
    ///
    /// # Errors
    /// Docker refuses to say.
    pub async fn image(&self) -> Result<ImageState, RehearsalError> {
        HostImage::state(&self.docker).await
    }

    /// Makes and starts what is missing of an environment's hosts and waits until each one's sshd answers; `authorized_key`
    /// (a line of `authorized_keys`) may then log in as root. Hosts that run already are only asked for their host keys.
    /// The result has the order of `hosts`.
    ///
    /// # Errors
    /// The image cannot be made, Docker refuses, no subnet or address is free, or a host does not boot. What was made until
    /// then stays, for a look at it and for the next `up`.
    pub async fn up(
        &self,
        environment: &str,
        hosts: &[HostSpec],
        authorized_key: &str,
    ) -> Result<Vec<RunningHost>, RehearsalError> {
        if self.image().await? != ImageState::Current {
            HostImage::build().await?;
        }
        let image = self.docker.inspect_image(HostImage::NAME).await;
        let image = image.map_err(RehearsalError::docker("inspect the host image"))?.id.unwrap_or_default();
        let subnet = self.network(environment).await?;
        let existing = self.existing(environment).await?;
        inotify::make_room(self.running_beside(environment).await? + existing.len().max(hosts.len()))?;

        let mut taken: Vec<_> = existing.values().map(|host| host.address).collect();
        let mut jobs = Vec::new();
        for spec in hosts {
            let found = existing.get(&spec.name);
            let address = match found {
                Some(found) => found.address,
                None => subnet.free_address(&taken).ok_or_else(|| RehearsalError::NoAddress {
                    environment: environment.to_owned(),
                    host: spec.name.clone(),
                })?,
            };
            taken.push(address);
            jobs.push(self.host(environment, spec, found, address, authorized_key, &image));
        }
        stream::iter(jobs).buffered(SIDE_BY_SIDE).try_collect().await
    }

    /// Removes the environment's containers and its network, and returns the names of the hosts that are gone. The shared
    /// download caches stay.
    ///
    /// # Errors
    /// Docker refuses.
    pub async fn down(&self, environment: &str) -> Result<Vec<String>, RehearsalError> {
        let existing = self.existing(environment).await?;
        for (name, host) in &existing {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            match self.docker.remove_container(&host.container, Some(options)).await {
                // Another `down` was faster.
                Ok(()) | Err(DockerError::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
                Err(error) => return Err(RehearsalError::docker(format!("remove host {name}"))(error)),
            }
        }
        if self.subnet(environment).await?.is_some() {
            let network = network_name(environment);
            let failed = RehearsalError::docker(format!("remove network {network}"));
            self.docker.remove_network(&network).await.map_err(failed)?;
        }
        Ok(existing.into_keys().collect())
    }

    /// The addresses of the environment's hosts that run, by name: what `provider: containers` stands for.
    ///
    /// # Errors
    /// Docker refuses.
    pub async fn addresses(&self, environment: &str) -> Result<BTreeMap<String, Ipv4Addr>, RehearsalError> {
        let existing = self.existing(environment).await?;
        let running = existing.into_iter().filter(|(_, host)| host.running);
        Ok(running.map(|(name, host)| (name, host.address)).collect())
    }

    /// Waits until the sshd of a container that was started answers, lets `authorized_key` in as root, and returns the host's
    /// public keys.
    ///
    /// # Errors
    /// The container ends or does not answer in time, or Docker refuses.
    pub async fn admit(
        &self,
        host: &str,
        container: &str,
        address: Ipv4Addr,
        authorized_key: &str,
    ) -> Result<Vec<String>, RehearsalError> {
        self.wait(host, container, address).await?;
        let script = ["sh", "-c", include_str!("admit.sh")];
        let printed = exec(&self.docker, host, container, &script, &[format!("KEY={authorized_key}")]).await?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    async fn host(
        &self,
        environment: &str,
        spec: &HostSpec,
        found: Option<&Existing>,
        address: Ipv4Addr,
        authorized_key: &str,
        image: &str,
    ) -> Result<RunningHost, RehearsalError> {
        let name = &spec.name;
        let container = format!("cc-cloud-{environment}-{name}");
        let origin = match found {
            None => Origin::Created,
            Some(found) if !found.running => Origin::Started,
            Some(_) => Origin::Found,
        };
        if origin == Origin::Created {
            self.create(environment, spec, address, &container).await?;
        }
        if origin != Origin::Found {
            let started = self.docker.start_container(&container, None::<StartContainerOptions>).await;
            started.map_err(RehearsalError::docker(format!("start host {name}")))?;
        }
        let host_keys = self.admit(name, &container, address, authorized_key).await?;
        Ok(RunningHost {
            name: name.clone(),
            address,
            host_keys,
            origin,
            outdated: found.is_some_and(|found| found.image != image),
        })
    }

    async fn create(
        &self,
        environment: &str,
        spec: &HostSpec,
        address: Ipv4Addr,
        container: &str,
    ) -> Result<(), RehearsalError> {
        let mut labels = self.labels(environment);
        labels.insert(Self::HOST.to_owned(), spec.name.clone());
        labels.insert(Self::ADDRESS.to_owned(), address.to_string());
        let endpoint = EndpointSettings {
            ipam_config: Some(EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..Default::default() }),
            aliases: Some(vec![spec.name.clone()]),
            ..Default::default()
        };
        let network = network_name(environment);
        let body = ContainerCreateBody {
            image: Some(HostImage::NAME.to_owned()),
            hostname: Some(spec.name.clone()),
            cmd: Some(self.cgroup.command()),
            // How systemd is asked to power off.
            stop_signal: Some("SIGRTMIN+3".to_owned()),
            labels: Some(labels),
            host_config: Some(HostConfig { network_mode: Some(network.clone()), ..self.host_config(spec) }),
            networking_config: Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(network, endpoint)])) }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(container).build();
        let created = self.docker.create_container(Some(options), body).await;
        created.map(drop).map_err(RehearsalError::docker(format!("create host {}", spec.name)))
    }

    /// The rights, mounts, download caches and limits of a host's container.
    #[must_use]
    pub fn host_config(&self, spec: &HostSpec) -> HostConfig {
        let mut config = self.cgroup.host_config();
        let caches = CACHES.iter().map(|(volume, folder)| format!("{volume}:{folder}"));
        config.binds.get_or_insert_default().extend(caches);
        if let Some(memory) = spec.memory {
            let memory = i64::try_from(memory).unwrap_or(i64::MAX);
            config.memory = Some(memory);
            // Swap is for the machine: a host that needs more memory than it has should fail as a small machine would.
            config.memory_swap = Some(memory);
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole nanoseconds of processor time a second are meant")]
        let nano_cpus = spec.cpus.map(|cpus| (cpus * 1e9) as i64);
        config.nano_cpus = nano_cpus;
        config
    }

    async fn wait(&self, host: &str, container: &str, address: Ipv4Addr) -> Result<(), RehearsalError> {
        let mut ended = self.docker.wait_container(container, None::<WaitContainerOptions>);
        tokio::select! {
            () = sshd::greets(address) => Ok(()),
            end = ended.next() => {
                let code = match end {
                    Some(Ok(end)) => end.status_code,
                    Some(Err(DockerError::DockerContainerWaitError { code, .. })) => code,
                    Some(Err(error)) => return Err(RehearsalError::docker(format!("watch host {host}"))(error)),
                    None => -1,
                };
                let log = self.console(container).await;
                Err(RehearsalError::Stopped { host: host.to_owned(), container: container.to_owned(), code, log })
            }
            () = tokio::time::sleep(BOOT) => Err(RehearsalError::NoAnswer {
                host: host.to_owned(),
                container: container.to_owned(),
                address,
                waited: BOOT,
            }),
        }
    }

    /// The last lines of a container's console. It goes into another error, so its own failure is told in its place.
    async fn console(&self, container: &str) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail("20").build();
        let lines: Result<Vec<_>, _> = self.docker.logs(container, Some(options)).try_collect().await;
        match lines {
            Ok(lines) if lines.is_empty() => "it printed nothing".to_owned(),
            Ok(lines) => lines.iter().map(ToString::to_string).collect::<String>().trim_end().to_owned(),
            Err(error) => format!("its console cannot be read: {error}"),
        }
    }

    /// The environment's network, made if there is none.
    async fn network(&self, environment: &str) -> Result<Subnet, RehearsalError> {
        if let Some(subnet) = self.subnet(environment).await? {
            return Ok(subnet);
        }
        let mut taken = Subnet::from_routes(&fs::read_to_string("/proc/net/route").unwrap_or_default());
        taken.extend(self.subnets().await?.into_values());
        let subnet = Subnet::choose(environment, &taken)
            .ok_or_else(|| RehearsalError::NoSubnet { environment: environment.to_owned() })?;
        let name = network_name(environment);
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam {
                config: Some(vec![IpamConfig { subnet: Some(subnet.to_string()), ..Default::default() }]),
                ..Default::default()
            }),
            labels: Some(self.labels(environment)),
            ..Default::default()
        };
        let created = self.docker.create_network(request).await;
        created.map_err(RehearsalError::docker(format!("create network {name} ({subnet})")))?;
        Ok(subnet)
    }

    async fn subnet(&self, environment: &str) -> Result<Option<Subnet>, RehearsalError> {
        Ok(self.subnets().await?.remove(&network_name(environment)))
    }

    /// The IPv4 subnets of all of Docker's networks, by network.
    async fn subnets(&self) -> Result<HashMap<String, Subnet>, RehearsalError> {
        let networks = self.docker.list_networks(None::<ListNetworksOptions>).await;
        let networks = networks.map_err(RehearsalError::docker("list its networks"))?;
        let subnets = networks.into_iter().filter_map(|network| {
            let configs = network.ipam?.config?;
            let subnet = configs.iter().find_map(|config| Subnet::parse(config.subnet.as_deref()?))?;
            Some((network.name?, subnet))
        });
        Ok(subnets.collect())
    }

    /// The environment's hosts, by name, running or not.
    async fn existing(&self, environment: &str) -> Result<BTreeMap<String, Existing>, RehearsalError> {
        let label = format!("{}={environment}", Self::ENVIRONMENT);
        let containers = self.list(&label, true).await?;
        Ok(containers.into_iter().filter_map(Existing::read).collect())
    }

    /// How many hosts of other environments run.
    async fn running_beside(&self, environment: &str) -> Result<usize, RehearsalError> {
        let running = self.list(Self::HOST, false).await?;
        let beside = running.iter().filter(|container| {
            let labels = container.labels.as_ref();
            labels.and_then(|labels| labels.get(Self::ENVIRONMENT)).is_some_and(|other| other != environment)
        });
        Ok(beside.count())
    }

    async fn list(&self, label: &str, all: bool) -> Result<Vec<bollard::models::ContainerSummary>, RehearsalError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new().all(all).filters(&filters).build();
        self.docker.list_containers(Some(options)).await.map_err(RehearsalError::docker("list its containers"))
    }

    fn labels(&self, environment: &str) -> HashMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert(Self::ENVIRONMENT.to_owned(), environment.to_owned());
        labels
    }
}

/// A host that Docker knows.
#[derive(Debug)]
struct Existing {
    container: String,
    image: String,
    address: Ipv4Addr,
    running: bool,
}

impl Existing {
    /// Nothing for a container with an environment's label that `up` has not made.
    fn read(container: bollard::models::ContainerSummary) -> Option<(String, Self)> {
        let mut labels = container.labels?;
        let existing = Self {
            container: container.id?,
            image: container.image_id.unwrap_or_default(),
            address: labels.get(Containers::ADDRESS)?.parse().ok()?,
            running: container.state == Some(ContainerSummaryStateEnum::RUNNING),
        };
        Some((labels.remove(Containers::HOST)?, existing))
    }
}

fn network_name(environment: &str) -> String {
    format!("cc-cloud-{environment}")
}
