//! All checks.

use crate::about::About;
use crate::check::Check;
use crate::checks::{access, disk, external, hardware, network, os, spec};

/// All checks, in the order in which a person reads them.
pub static CATALOGUE: &[&dyn Check] = &[
    // The operating system.
    &os::Release,
    &os::Arch,
    &os::Clean,
    &os::PendingUpgrades,
    &os::Reboot,
    &os::Subscription,
    &os::Livepatch,
    &os::AutomaticUpdates,
    &os::Eol,
    &os::Firmware,
    &os::Timezone,
    &os::Time,
    &os::Locale,
    &os::Entropy,
    &os::SwapSpace,
    &os::KernelParameters,
    &os::Units,
    &os::Antivirus,
    &os::Ids,
    // CPU, memory, hypervisor, power.
    &hardware::Cpu,
    &hardware::Memory,
    &hardware::MemoryPlan,
    &hardware::Virtualization,
    &hardware::Steal,
    &hardware::Power,
    &hardware::Raid,
    &hardware::Smart,
    &hardware::Temperature,
    // Storage.
    &disk::Medium,
    &disk::Size,
    &disk::Throughput,
    &disk::Layout,
    &disk::DataDevice,
    &disk::Encrypt,
    &disk::Redis,
    &disk::Backup,
    &disk::Grow,
    &disk::Landing,
    &disk::Fsck,
    &disk::TmpExec,
    // The network.
    &network::Address,
    &network::PrivateInterface,
    &network::Public,
    &network::SiteName,
    &network::Alias,
    &network::Names,
    &network::Ports,
    &network::RoundTrip,
    &network::Mtu,
    &network::Bandwidth,
    &network::Egress,
    &network::Nfs,
    &network::Tls,
    &network::Acme,
    &network::Closed,
    // Access.
    &access::Ssh,
    &access::Sudo,
    &access::KeyAgent,
    &access::Root,
    &access::Passwords,
    &access::Users,
    &access::Log,
    &access::Git,
    // What others run.
    &external::Smtp,
    &external::Sms,
    &external::ObjectStore,
    &external::Monitoring,
    &external::Upstream,
    // The environment's files.
    &spec::Size,
    &spec::Unique,
    &spec::Queues,
    &spec::Shards,
    &spec::Broker,
    &spec::Backup,
    &spec::Placeholders,
    &spec::HostsAllowed,
    &spec::Secrets,
];

/// A check by its id.
pub fn find(id: &str) -> Option<&'static dyn Check> {
    CATALOGUE.iter().copied().find(|check| check.about().id == id)
}

/// What there is to say of each check, in the same order.
pub fn abouts() -> Vec<&'static About> {
    CATALOGUE.iter().map(|check| check.about()).collect()
}
