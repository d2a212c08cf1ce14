//! What a host says of itself. Only stable, rounded values: a kernel update or a DHCP renewal must not change a rendered file.

mod gather;

use serde::{Deserialize, Serialize};

/// The facts that templates see as `host.…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Memory in bytes, rounded down to 256 MiB, within the cgroup's limit.
    pub memory: u64,
    /// Processors that may be used, within the cgroup's quota, at least 1.
    pub cpus: u32,
    /// Architecture as `uname -m` says it: `x86_64`, `aarch64`.
    pub arch: String,
    /// The operating system.
    pub os: Os,
    /// Host name as the kernel has it.
    pub hostname: String,
    /// Whether systemd is the init process.
    pub systemd: bool,
    /// `container`, `vm` or `metal`.
    pub virtualization: String,
}

/// From `/etc/os-release`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Os {
    /// `ubuntu`, `debian`.
    pub id: String,
    /// `22.04`, `12`.
    pub version: String,
    /// `jammy`, `bookworm`.
    pub codename: String,
}

impl Os {
    /// The name that an environment's `policy.os` uses: `ubuntu-22.04`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.id, self.version)
    }
}

impl Facts {
    /// Plausible facts for validation without a host: templates that use them are checked, their values are not kept.
    pub fn placeholder() -> Self {
        Self {
            memory: 4 << 30,
            cpus: 2,
            arch: "x86_64".to_owned(),
            os: Os { id: "debian".to_owned(), version: "12".to_owned(), codename: "bookworm".to_owned() },
            hostname: "placeholder".to_owned(),
            systemd: true,
            virtualization: "vm".to_owned(),
        }
    }
}
