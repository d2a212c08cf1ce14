//! The way to a host: one SSH session, one agent on the far side, frames between them.
//!
//! [`Connector::connect`] logs in to a [`Target`] (through jump hosts, with the user's own ssh settings, after checking
//! the host's key) and gives a [`Session`]. [`Session::start_agent`] finds the agent on the host by its digest, sends it
//! when it is not there, and gives an [`AgentLink`] that speaks [`cc_agent::protocol`]. [`Connector::scan`] gathers the
//! keys of hosts that nobody has met yet, so that a person is asked once about all of them.

mod agent_binary;
mod agent_link;
mod agent_session;
mod barrier;
mod connector;
mod endpoint;
mod error;
mod forwarder;
mod frame_buffer;
mod hint;
mod host_key_check;
mod key_ring;
mod known_hosts;
mod login;
mod route;
mod server_book;
mod session;
mod settings;
mod target;
mod traffic;

pub use agent_binary::{AgentBinary, AgentBinaryError};
pub use agent_link::{AgentLink, LinkReceiver, LinkSender};
pub use agent_session::AgentSession;
pub use barrier::Barrier;
pub use connector::{Connector, ConnectorOptions, Retry, Scan};
pub use endpoint::Endpoint;
pub use error::{Reason, SshError};
pub use forwarder::{ForwardError, Forwarder};
pub use key_ring::AskPassphrase;
pub use known_hosts::{HostName, KnownHosts, KnownHostsError, KnownHostsFiles, UnknownKey, Verdict};
pub use session::{Output, Session};
pub use settings::Settings;
pub use target::{Become, Bootstrap, Target};
