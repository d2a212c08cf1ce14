//! Secrets on their way from an encrypted file to the one place on a host that wants them.
//!
//! A plan never holds a secret: a template that prints one prints a *token* ([`token`]), and the agent puts the value in its
//! place ([`Vault::reveal`]) at the moment of use. What leaves the agent again goes through [`Vault::scrub`], as a second net.

mod forms;
mod token;
mod vault;

pub use token::{Token, Transform, contains_token, token};
pub use vault::{Vault, VaultError, mask};

pub(crate) use forms::{base64, hex, quoted};

use zeroize::Zeroizing;

/// A value that cannot print itself: no `Debug`, no `Display`, no `Serialize`; wiped from memory when dropped.
pub struct Secret<T: zeroize::Zeroize>(Zeroizing<T>);

impl<T: zeroize::Zeroize> Secret<T> {
    /// Takes hold of a secret value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}
