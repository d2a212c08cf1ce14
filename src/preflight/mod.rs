//! Preflight on real hosts: builds the scene, asks the questions of `cc-preflight`, and keeps what was found.

mod bare;
mod hosts;
mod inquiry;
mod outside;
mod record;
mod relay;
mod round;
mod sessions;
mod site;

pub use bare::Bare;
pub use hosts::Hosts;
pub use inquiry::inquire;
pub use outside::answer;
pub use record::Record;
pub use relay::{Opening, Relay, Stream};
pub use round::{Found, Round};
pub use site::{Site, scene};
