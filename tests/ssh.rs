//! The transport against OpenSSH: every host is a mount namespace of this machine with an sshd of its own. Needs root,
//! openssh-server and sudo, which `make setup` installs.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "ssh/agent.rs"]
mod agent;
#[path = "ssh/host.rs"]
mod host;
#[path = "ssh/host_keys.rs"]
mod host_keys;
#[path = "ssh/lab.rs"]
mod lab;
#[path = "ssh/link.rs"]
mod link;
#[path = "ssh/login.rs"]
mod login;
#[path = "ssh/places.rs"]
mod places;
#[path = "ssh/relay.rs"]
mod relay;
#[path = "ssh/shipped.rs"]
mod shipped;
