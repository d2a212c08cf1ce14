//! Reading the facts, natively.

use std::fs;
use std::path::Path;

use super::{Facts, Os};
use crate::step_error::StepError;

/// Facts about memory are rounded down to this many bytes.
const MEMORY_STEP: u64 = 256 << 20;

impl Facts {
    /// Reads the facts of this machine.
    ///
    /// # Errors
    /// When `/proc/meminfo` or `/etc/os-release` cannot be read or understood.
    pub fn gather() -> Result<Self, StepError> {
        Self::under(Path::new("/"))
    }

    /// Reads the facts from the files under `root`; architecture, host name and processors are those of the running kernel.
    fn under(root: &Path) -> Result<Self, StepError> {
        let kernel = rustix::system::uname();
        Ok(Self {
            memory: memory(root)?,
            cpus: std::thread::available_parallelism()
                .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
            arch: kernel.machine().to_string_lossy().into_owned(),
            os: os(root)?,
            hostname: kernel.nodename().to_string_lossy().into_owned(),
            systemd: root.join("run/systemd/system").is_dir(),
            virtualization: virtualization(root).to_owned(),
        })
    }
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}

fn memory(root: &Path) -> Result<u64, StepError> {
    let total = text(root, "proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .ok_or_else(|| StepError::new("cannot find MemTotal in /proc/meminfo").hint("is /proc mounted?"))?;
    // The limit of the container, not of the session: at the root of what this host can see. Version 2, then version 1, whose
    // "no limit" is a number larger than any memory; version 2 says `max`.
    let limits = ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().find_map(|path| text(root, path).trim().parse::<u64>().ok()).unwrap_or(u64::MAX);
    let memory = (total << 10).min(limit);
    // Less than one step is said as it is: nothing would be a lie.
    Ok(if memory < MEMORY_STEP { memory } else { memory / MEMORY_STEP * MEMORY_STEP })
}

fn os(root: &Path) -> Result<Os, StepError> {
    let release = ["etc/os-release", "usr/lib/os-release"].map(|path| text(root, path)).concat();
    let field = |name: &str| {
        let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    let missing = || StepError::new("cannot find ID in /etc/os-release").hint("cc-cloud supports Debian and Ubuntu");
    Ok(Os {
        id: field("ID").ok_or_else(missing)?,
        version: field("VERSION_ID").unwrap_or_default(),
        codename: field("VERSION_CODENAME").unwrap_or_default(),
    })
}

fn virtualization(root: &Path) -> &'static str {
    let exists = |path: &str| root.join(path).exists();
    let containers = ["docker", "kubepods", "lxc", "libpod"];
    let first = text(root, "proc/1/cgroup");
    if exists(".dockerenv")
        || exists("run/.containerenv")
        || exists("run/systemd/container")
        || text(root, "proc/1/environ").contains("container=")
        || containers.iter().any(|name| first.contains(&format!("/{name}")))
    {
        return "container";
    }
    let makers = [
        "QEMU",
        "KVM",
        "VMware",
        "VirtualBox",
        "innotek",
        "Xen",
        "Amazon EC2",
        "Google",
        "Microsoft Corporation",
        "OpenStack",
    ];
    let board = ["sys_vendor", "product_name"].map(|file| text(root, &format!("sys/class/dmi/id/{file}"))).concat();
    let hypervisor =
        text(root, "proc/cpuinfo").lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor"));
    if hypervisor || exists("sys/hypervisor/type") || makers.iter().any(|maker| board.contains(maker)) {
        "vm"
    } else {
        "metal"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const RELEASE: (&str, &str) = ("etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n");

    #[test]
    fn memory_is_rounded_and_within_the_limit_of_either_cgroup() {
        let total = ("proc/meminfo", "MemTotal:        3925344 kB\n");
        let gather = |files: &[(&str, &str)]| Facts::under(root(files).path()).unwrap().memory >> 20;
        assert_eq!(gather(&[RELEASE, total]), 3584);
        assert_eq!(gather(&[RELEASE, total, ("sys/fs/cgroup/memory.max", "1073741825\n")]), 1024);
        assert_eq!(gather(&[RELEASE, total, ("sys/fs/cgroup/memory.max", "max\n")]), 3584);
        let v1 = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
        assert_eq!(gather(&[RELEASE, total, v1]), 512);
        let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(gather(&[RELEASE, total, unlimited]), 3584);
    }

    #[test]
    fn names_the_system_and_what_it_runs_in() {
        let total = ("proc/meminfo", "MemTotal: 1000000 kB\n");
        let root_of = |more| root(&[RELEASE, total, more]);
        let facts = Facts::under(root_of((".dockerenv", "")).path()).unwrap();
        assert_eq!((facts.os.name().as_str(), facts.os.codename.as_str()), ("ubuntu-22.04", "jammy"));
        assert_eq!((facts.virtualization.as_str(), facts.systemd), ("container", false));
        let vm = Facts::under(root_of(("sys/class/dmi/id/sys_vendor", "QEMU\n")).path()).unwrap();
        assert_eq!(vm.virtualization, "vm");
        let metal = Facts::under(root_of(("sys/class/dmi/id/sys_vendor", "Dell Inc.\n")).path()).unwrap();
        assert_eq!(metal.virtualization, "metal");
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = Facts::gather().unwrap();
        assert!(facts.memory > 0 && facts.cpus > 0 && !facts.hostname.is_empty());
    }
}
