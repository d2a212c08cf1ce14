//! Places that keep small named records for a team, such as who holds the environment's lock and what was done to it. Each
//! record is replaced only by one who has seen the current one, so that of two who change it at the same time one is told.

mod error;
mod folder;
mod host;
mod keepers;

use futures_util::future::BoxFuture;

pub use cc_agent::kept::{Kept, LARGEST, Put, Removed, Version};
pub use error::KeeperError;
pub use folder::FolderKeeper;
pub use host::{HostKeeper, Reach};
pub(crate) use keepers::majority;
pub use keepers::{Keepers, NoMajority};

/// What a keeper answers, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, KeeperError>>;

/// One place that keeps records.
///
/// A key is one or more names between slashes, at most 200 bytes; a name is made of ASCII letters, digits and `-`. A record has
/// at most [`LARGEST`] bytes. What has been written outlives a loss of power; what is read is never half written.
pub trait Keeper: Send {
    /// What it is called in messages, such as `host db1`.
    fn name(&self) -> &str;

    /// The record with this key, if there is one.
    ///
    /// # Errors
    /// When the keeper does not answer, or cannot read it.
    fn get<'a>(&'a mut self, key: &'a str) -> Answer<'a, Option<Kept>>;

    /// Writes a record that is still as it was `seen`, where `None` means that there was none.
    ///
    /// # Errors
    /// When the keeper does not answer, or cannot write it. The record may have been written all the same.
    fn put<'a>(&'a mut self, key: &'a str, content: &'a [u8], seen: Option<&'a Version>) -> Answer<'a, Put>;

    /// The keys of the records right below this one, in order.
    ///
    /// # Errors
    /// When the keeper does not answer, or cannot read them.
    fn list<'a>(&'a mut self, folder: &'a str) -> Answer<'a, Vec<String>>;

    /// Removes a record that is still as it was `seen`.
    ///
    /// # Errors
    /// When the keeper does not answer, or cannot remove it. The record may have been removed all the same.
    fn remove<'a>(&'a mut self, key: &'a str, seen: &'a Version) -> Answer<'a, Removed>;
}
