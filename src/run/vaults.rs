//! The secrets of each host, ready for the wire: a host gets those that its own steps name and no other.

use std::collections::BTreeMap;

use cc_agent::secret::{Vault, VaultError};
use cc_plan::plan::Plan;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::secrets::Unlocked;

/// Wire frames by host.
#[derive(Default)]
pub struct Vaults(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl Vaults {
    /// The frames of the hosts of a plan.
    ///
    /// # Errors
    /// A secret that the file does not have or that cannot be decrypted.
    pub fn new(plan: &Plan, unlocked: &Unlocked) -> Result<Self, CliError> {
        let mut frames = BTreeMap::new();
        for host in &plan.hosts {
            let Some(names) = plan.secrets.get(&host.host).filter(|names| !names.is_empty()) else { continue };
            let vault = unlocked.vault(names.iter().map(String::as_str))?;
            frames.insert(host.host.clone(), vault.to_frame());
        }
        Ok(Self(frames))
    }

    /// The secrets themselves, to hide them in what is written down; equal sets of several hosts once.
    ///
    /// # Errors
    /// Never: the frames were made here.
    pub fn unpacked(&self) -> Result<Vec<Vault>, VaultError> {
        let mut frames: Vec<&[u8]> = self.0.values().map(|frame| frame.as_slice()).collect();
        frames.sort_unstable();
        frames.dedup();
        frames.into_iter().map(Vault::from_frame).collect()
    }

    /// The frame of a host; `None` when it needs no secret.
    pub fn frame(&self, host: &str) -> Option<&[u8]> {
        self.0.get(host).map(|frame| frame.as_slice())
    }
}
