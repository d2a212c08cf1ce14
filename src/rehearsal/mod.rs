//! Rehearsal hosts: containers on this machine that behave like the hosts of a real environment.
//!
//! Each environment has a network of its own with fixed addresses, and one container a host that boots systemd and sshd, so
//! that everything after this module (inventory, SSH, agent) treats them like any other host. Docker is spoken to over its
//! Engine API; the image is made on this machine by [`image.sh`](HostImage), because none can be assumed to be downloadable.
//!
//! Seen working on Docker 20.10 with cgroup v1. Cgroup v2 is recognised and gets the flags that systemd wants there; hosts
//! were seen to boot on a v2 tree without controllers, so limits were not.

mod cgroup;
mod containers;
mod data_folder;
mod engine;
mod error;
mod exec;
mod host_spec;
mod image;
mod inotify;
mod key;
mod pins;
mod running_host;
mod sshd;
mod subnet;

pub use cgroup::Cgroup;
pub use containers::Containers;
pub use error::RehearsalError;
pub use host_spec::HostSpec;
pub use image::{HostImage, ImageState};
pub use key::RehearsalKey;
pub use pins::Pins;
pub use running_host::{Origin, RunningHost};
pub use subnet::Subnet;
