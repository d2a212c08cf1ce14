//! What the user's ssh settings say of each server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::settings::ServerSettings;
use super::{Endpoint, Settings};

/// The settings of the servers of this run. Each is asked for once: `ssh -G` is a process of its own, and of every server the key
/// is looked up before it is connected to.
pub(super) struct ServerBook {
    settings: Settings,
    servers: Mutex<HashMap<Endpoint, Arc<OnceCell<Found>>>>,
}

type Found = Result<ServerSettings, String>;

impl ServerBook {
    /// Nothing has been asked yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, servers: Mutex::default() }
    }

    /// # Errors
    /// A message when the settings cannot be read.
    pub async fn look_up(&self, endpoint: &Endpoint) -> Found {
        let cell = {
            // The map is whole whenever the lock is free, so a panic elsewhere does not spoil it.
            let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(servers.entry(endpoint.clone()).or_default())
        };
        cell.get_or_init(|| self.settings.look_up(endpoint)).await.clone()
    }
}
