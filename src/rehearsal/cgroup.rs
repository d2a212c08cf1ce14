use std::collections::HashMap;

use bollard::models::{HostConfig, HostConfigCgroupnsModeEnum, SystemInfo, SystemInfoCgroupVersionEnum};

/// The version of control groups that Docker's machine uses: it decides how systemd gets a tree that it may write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroup {
    /// One tree a controller, shared with the machine through a bind mount.
    V1,
    /// One tree for all; the container has a namespace of its own.
    V2,
}

impl Cgroup {
    /// Reads the version from Docker's description of its machine.
    #[must_use]
    pub fn of(info: &SystemInfo) -> Self {
        match info.cgroup_version {
            Some(SystemInfoCgroupVersionEnum::_2) => Self::V2,
            _ => Self::V1,
        }
    }

    /// The rights and mounts with which systemd boots in a container, as few as it works with. Not `privileged`: that gives
    /// away the machine's devices, and asks for capabilities that a nested Docker may not have.
    #[must_use]
    pub fn host_config(self) -> HostConfig {
        let tmpfs = [("/run", ""), ("/run/lock", ""), ("/tmp", "exec")];
        let config = HostConfig {
            cap_add: Some(vec!["SYS_ADMIN".to_owned(), "NET_ADMIN".to_owned()]),
            security_opt: Some(vec!["seccomp=unconfined".to_owned(), "apparmor=unconfined".to_owned()]),
            tmpfs: Some(HashMap::from(tmpfs.map(|(path, options)| (path.to_owned(), options.to_owned())))),
            ..Default::default()
        };
        match self {
            Self::V1 => HostConfig {
                cgroupns_mode: Some(HostConfigCgroupnsModeEnum::HOST),
                binds: Some(vec!["/sys/fs/cgroup:/sys/fs/cgroup:rw".to_owned()]),
                ..config
            },
            Self::V2 => HostConfig { cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE), ..config },
        }
    }

    /// What the container runs. Docker mounts a private v2 tree read-only; its own init makes it writable first.
    #[must_use]
    pub fn command(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::V1 => &["/sbin/init"],
            Self::V2 => &["/bin/sh", "-c", "mount -o remount,rw /sys/fs/cgroup && exec /sbin/init"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}
