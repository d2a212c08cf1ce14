//! Byte streams that begin on a host.

use std::future::Future;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

/// Anything that carries bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A stream that is being opened, or why it was not.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Stream>, String>> + Send + 'a>>;

/// Opens byte streams that begin on a host of the environment.
pub trait Relay: Send + Sync {
    /// A stream from a host to a name or address as that host sees it.
    fn open<'a>(&'a self, from: &'a str, address: &'a str, port: u16) -> Opening<'a>;
}
