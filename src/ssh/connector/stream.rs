//! The bytes under an SSH connection.

use std::process::Stdio;
use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::super::host_key_check::Connection;
use super::super::route::Hop;
use super::super::{Reason, SshError};
use super::{timed_out, unreachable};

/// The bytes to the server: over the jump host, the user's proxy command, or the network.
pub(super) async fn stream(
    hop: &Hop,
    through: Option<&Connection>,
    limit: Duration,
) -> Result<Box<dyn Stream>, SshError> {
    if let Some(jump) = through {
        let open = jump.channel_open_direct_tcpip(&hop.address, hop.port.into(), "127.0.0.1", 0);
        return match timeout(limit, open).await {
            Ok(Ok(channel)) => Ok(Box::new(channel.into_stream())),
            Ok(Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited))) => {
                Err(SshError::new(&hop.label, Reason::JumpRefused { address: format!("{}:{}", hop.address, hop.port) }))
            }
            Ok(Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed))) => {
                Err(unreachable(hop, "the jump host cannot connect to it".to_owned(), true))
            }
            Ok(Err(error)) => Err(unreachable(hop, format!("the jump host says: {error}"), false)),
            Err(_) => Err(timed_out(hop, "the jump host's connection to it", limit)),
        };
    }
    match &hop.proxy_command {
        Some(command) => proxy(hop, command),
        None => network(hop, limit).await,
    }
}

/// Anything that carries bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn network(hop: &Hop, limit: Duration) -> Result<Box<dyn Stream>, SshError> {
    let no_address =
        |detail: String| SshError::new(&hop.label, Reason::NoAddress { address: hop.address.clone(), detail });
    let addresses = match timeout(limit, tokio::net::lookup_host((hop.address.as_str(), hop.port))).await {
        Ok(found) => found.map_err(|error| no_address(error.to_string()))?,
        Err(_) => return Err(no_address(format!("no answer within {} s", limit.as_secs_f32()))),
    };
    let mut last = no_address("the name has no address".to_owned());
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A failure leaves the connection slower, and as good as it was.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
            Ok(Err(error)) => {
                let transient = error.kind() == std::io::ErrorKind::ConnectionRefused;
                last = unreachable(hop, error.to_string(), transient);
            }
            Err(_) => last = unreachable(hop, format!("no answer within {} s", limit.as_secs_f32()), false),
        }
    }
    Err(last)
}

fn proxy(hop: &Hop, command: &str) -> Result<Box<dyn Stream>, SshError> {
    let failed = |detail: String| unreachable(hop, format!("ProxyCommand `{command}`: {detail}"), false);
    let child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| failed(error.to_string()))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("it has no standard input or output".to_owned()));
    };
    // It ends by itself when its input closes; somebody has to take note.
    tokio::spawn(async move { child.wait().await });
    Ok(Box::new(tokio::io::join(output, input)))
}
