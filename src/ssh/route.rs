//! The servers to log in to, one after the other, to reach a host.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use super::known_hosts::HostName;
use super::server_book::ServerBook;
use super::settings::ServerSettings;
use super::{Endpoint, Reason, SshError, Target};

/// A longer way is a loop.
const MOST_JUMPS: usize = 8;

/// One server on the way, with all that is needed to log in.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    /// What errors call it: the inventory's name, or `user@address:port` of a jump host.
    pub label: String,
    /// The name of its key.
    pub name: HostName,
    pub address: String,
    pub port: u16,
    pub user: String,
    /// Key files that the inventory names: tried first.
    pub first_keys: Vec<PathBuf>,
    pub identity_files: Vec<PathBuf>,
    pub certificate_files: Vec<PathBuf>,
    pub identities_only: bool,
    pub agent_socket: Option<PathBuf>,
    pub proxy_command: Option<String>,
    pub known_hosts: Vec<PathBuf>,
    pub connect_timeout: Option<Duration>,
}

impl Hop {
    fn new(label: Option<&str>, endpoint: &Endpoint, found: ServerSettings) -> Self {
        let name = found.host_key_alias.as_deref();
        Self {
            label: label.map_or_else(|| format!("{}@{}:{}", found.user, found.address, found.port), str::to_owned),
            // An alias stands for host and port together.
            name: name.map_or_else(|| HostName::new(&found.address, found.port), |alias| HostName::new(alias, 22)),
            first_keys: endpoint.identity_files.clone(),
            address: found.address,
            port: found.port,
            user: found.user,
            identity_files: found.identity_files,
            certificate_files: found.certificate_files,
            identities_only: found.identities_only,
            agent_socket: found.agent_socket,
            proxy_command: found.proxy_command,
            known_hosts: found.known_hosts,
            connect_timeout: found.connect_timeout,
        }
    }

    /// The same server with another user, for the first contact.
    pub fn as_user(&self, user: &str, keys: &[PathBuf]) -> Self {
        let first_keys = if keys.is_empty() { self.first_keys.clone() } else { keys.to_vec() };
        Self { user: user.to_owned(), first_keys, ..self.clone() }
    }

    /// `user@address:port`: what makes two ways through the same server the same.
    pub fn identity(&self) -> String {
        format!("{}@{}:{}", self.user, self.address, self.port)
    }
}

/// The jump hosts in order, then the host itself. As with ssh, each jump host has settings of its own, and the first one
/// may itself be behind another.
pub(super) async fn route(servers: &ServerBook, target: &Target) -> Result<(Vec<Hop>, Hop), SshError> {
    let failed = |address: &str, detail: String| {
        SshError::new(&target.host, Reason::Settings { address: address.to_owned(), detail })
    };
    let look_up =
        async |endpoint: &Endpoint| servers.look_up(endpoint).await.map_err(|detail| failed(&endpoint.address, detail));
    let parse = |jump: &[String]| -> Result<VecDeque<Endpoint>, SshError> {
        jump.iter().map(|text| text.parse().map_err(|error| failed(text, format!("ProxyJump: {error}")))).collect()
    };
    let mut found = look_up(&target.endpoint).await?;
    let mut before = parse(&std::mem::take(&mut found.jump))?;
    if !target.jump.is_empty() {
        found.proxy_command = None;
        before = target.jump.iter().cloned().collect();
    }
    let last = Hop::new(Some(&target.host), &target.endpoint, found);
    let mut jumps = VecDeque::new();
    while let Some(endpoint) = before.pop_back() {
        if jumps.len() == MOST_JUMPS {
            let detail = format!("more than {MOST_JUMPS} jump hosts; is one of them its own jump host?");
            return Err(failed(&endpoint.address, detail));
        }
        let mut found = look_up(&endpoint).await?;
        let own = std::mem::take(&mut found.jump);
        if before.is_empty() {
            before = parse(&own)?;
        } else {
            found.proxy_command = None;
        }
        jumps.push_front(Hop::new(None, &endpoint, found));
    }
    Ok((jumps.into(), last))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn servers(config: &std::path::Path) -> ServerBook {
        ServerBook::new(Settings::of_user().with_config(config))
    }

    async fn way(config: &str, target: &Target) -> Result<Vec<String>, SshError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, format!("{config}\nHost *\n  User me\n")).unwrap();
        let (jumps, last) = route(&servers(&file), target).await?;
        Ok(jumps.iter().chain([&last]).map(Hop::identity).collect())
    }

    fn target(address: &str) -> Target {
        Target::new("web1", address.parse().unwrap())
    }

    #[tokio::test]
    async fn the_first_jump_host_may_be_behind_another() {
        let config = "Host web\n ProxyJump b,c\nHost b\n ProxyJump a\nHost c\n User other\n ProxyJump ignored";
        assert_eq!(way(config, &target("web")).await.unwrap(), ["me@a:22", "me@b:22", "other@c:22", "me@web:22"]);
    }

    #[tokio::test]
    async fn the_inventorys_jump_hosts_replace_the_users() {
        let mut target = target("deploy@web:2222");
        target.jump = vec!["ops@bastion:2200".parse().unwrap()];
        let config = "Host web\n ProxyJump a";
        assert_eq!(way(config, &target).await.unwrap(), ["ops@bastion:2200", "deploy@web:2222"]);
    }

    #[tokio::test]
    async fn a_loop_is_an_error() {
        let error = way("Host a\n ProxyJump b\nHost b\n ProxyJump a", &target("a")).await.unwrap_err();
        assert!(error.to_string().contains("its own jump host"), "{error}");
    }

    #[tokio::test]
    async fn an_alias_names_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "Host web\n HostKeyAlias cluster\n Port 2222\n").unwrap();
        let (_, hop) = route(&servers(&file), &target("web")).await.unwrap();
        assert_eq!(hop.name, HostName::new("cluster", 22));
    }
}
