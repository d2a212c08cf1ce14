//! Storage.

mod backup;
mod device;
mod encrypt;
mod fsck;
mod grow;
mod landing;
mod layout;
mod medium;
mod place;
mod redis;
mod size;
mod throughput;
mod tmp_exec;
mod ways;

pub use backup::Backup;
pub use device::DataDevice;
pub use encrypt::Encrypt;
pub use fsck::Fsck;
pub use grow::Grow;
pub use landing::Landing;
pub use layout::Layout;
pub use medium::Medium;
pub use redis::Redis;
pub use size::Size;
pub use throughput::Throughput;
pub use tmp_exec::TmpExec;
