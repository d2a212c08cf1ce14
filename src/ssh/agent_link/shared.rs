//! What both halves of a link know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cc_agent::protocol::Request;

use super::super::host_key_check::Connection;
use super::super::traffic::Traffic;
use super::super::{Reason, Session, SshError};

/// What both halves know.
pub(super) struct Shared {
    pub traffic: Arc<Traffic>,
    /// How long the host may take nothing of what is sent to it.
    pub patience: Duration,
    host: String,
    /// The request whose answer is awaited.
    awaited: Mutex<&'static str>,
    /// The session lives as long as the link.
    _connections: (Arc<Connection>, Option<Arc<Connection>>),
}

impl Shared {
    pub fn new(session: &Session, traffic: Arc<Traffic>) -> Self {
        Self {
            traffic,
            patience: session.patience(),
            host: session.host().to_owned(),
            awaited: Mutex::new("hello"),
            _connections: session.connections(),
        }
    }

    /// From now on the answer to this request is awaited.
    pub fn await_answer_to(&self, request: &Request) {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner) = name_of(request);
    }

    pub fn error(&self, reason: Reason) -> SshError {
        SshError::new(&self.host, reason)
    }

    pub fn awaited(&self) -> &'static str {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a request, as it stands on the wire.
pub(super) fn name_of(request: &Request) -> &'static str {
    match request {
        Request::Hello { .. } => "hello",
        Request::Observe { .. } => "observe",
        Request::Blobs { .. } => "blobs",
        Request::Blob { .. } => "blob",
        Request::Apply { .. } => "apply",
        Request::Prune { .. } => "prune",
        Request::Follow { .. } => "follow",
        Request::Adopt { .. } => "adopt",
        Request::Fence { .. } => "fence",
        Request::Keep { .. } => "keep",
        Request::Check { .. } => "check",
        Request::Exec { .. } => "exec",
        Request::Status { .. } => "status",
        Request::Journal { .. } => "journal",
        Request::Probe { .. } => "probe",
        Request::Hush => "hush",
        Request::Stop => "stop",
        Request::Bye { .. } => "bye",
    }
}
