//! Numbers with units, as people write them.

mod bytes;
mod duration;
mod percent;

pub use bytes::parse_bytes;
pub use duration::parse_duration;
pub use percent::parse_percent;
