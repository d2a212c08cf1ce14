//! What others run.

mod monitoring;
mod object_store;
mod party;
mod sender;
mod sms;
mod smtp;
mod upstream;

pub use monitoring::Monitoring;
pub use object_store::ObjectStore;
pub use sms::Sms;
pub use smtp::Smtp;
pub use upstream::Upstream;
