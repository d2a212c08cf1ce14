//! The environment's files.

mod backup;
mod broker;
mod hosts_allowed;
mod placeholders;
mod queues;
mod secrets;
mod shards;
mod size;
mod unique;
mod written;

pub use backup::Backup;
pub use broker::Broker;
pub use hosts_allowed::HostsAllowed;
pub use placeholders::Placeholders;
pub use queues::Queues;
pub use secrets::Secrets;
pub use shards::Shards;
pub use size::Size;
pub use unique::Unique;
