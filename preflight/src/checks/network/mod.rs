//! The network.

mod acme;
mod address;
mod alias;
mod bandwidth;
mod closed;
mod egress;
mod front;
mod interface;
mod mtu;
mod names;
mod nfs;
mod ports;
mod public;
mod round_trip;
mod site_name;
mod tls;
mod way;

pub use acme::Acme;
pub use address::Address;
pub use alias::Alias;
pub use bandwidth::Bandwidth;
pub use closed::Closed;
pub use egress::Egress;
pub use interface::PrivateInterface;
pub use mtu::Mtu;
pub use names::Names;
pub use nfs::Nfs;
pub use ports::Ports;
pub use public::Public;
pub use round_trip::RoundTrip;
pub use site_name::SiteName;
pub use tls::Tls;
