//! `systemd-detect-virt`.

/// How to ask. It exits with 1 where it prints `none`.
pub const DETECT_VIRT: [&str; 1] = ["systemd-detect-virt"];

/// What a system runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The machine itself.
    Metal,
    /// A virtual machine of this hypervisor.
    Vm(&'static str),
    /// A container of this kind.
    Container(&'static str),
}

/// The words of systemd-detect-virt(1).
const HYPERVISORS: [&str; 19] = [
    "qemu",
    "kvm",
    "amazon",
    "zvm",
    "vmware",
    "microsoft",
    "oracle",
    "powervm",
    "xen",
    "bochs",
    "uml",
    "parallels",
    "bhyve",
    "qnx",
    "acrn",
    "apple",
    "sre",
    "google",
    "vm-other",
];
const CONTAINERS: [&str; 11] = [
    "openvz",
    "lxc",
    "lxc-libvirt",
    "systemd-nspawn",
    "docker",
    "podman",
    "rkt",
    "wsl",
    "proot",
    "pouch",
    "container-other",
];

impl Platform {
    /// Reads the word; none where it is not one that the manual has.
    pub fn parse(status: i32, stdout: &str) -> Option<Self> {
        let word = stdout.trim();
        let among = |words: &'static [&'static str]| words.iter().copied().find(|known| *known == word);
        match status {
            0 => among(&HYPERVISORS).map(Self::Vm).or_else(|| among(&CONTAINERS).map(Self::Container)),
            1 => (word == "none").then_some(Self::Metal),
            _ => None,
        }
    }

    /// `vm`, `metal` or `container`, as an environment's policy names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Metal => "metal",
            Self::Vm(_) => "vm",
            Self::Container(_) => "container",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_words_of_the_manual_count() {
        assert_eq!(Platform::parse(0, "docker\n"), Some(Platform::Container("docker")));
        assert_eq!(Platform::parse(0, "kvm\n"), Some(Platform::Vm("kvm")));
        assert_eq!(Platform::parse(1, "none\n"), Some(Platform::Metal));
        for (status, text) in [(0, ""), (0, "none"), (1, ""), (1, "kvm"), (127, "none"), (0, "keine")] {
            assert_eq!(Platform::parse(status, text), None, "{status} {text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(status: i32, text in crate::trial::noise(&["kvm\n", "none\n"])) {
            let platform = Platform::parse(status, &text);
            prop_assert!(platform.is_none() || text.trim().len() >= 2);
        }
    }
}
