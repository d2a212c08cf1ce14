use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Between two attempts: short beside the two seconds that a host needs to boot.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until an SSH server greets at port 22 of `address`; ends only then, so callers bound it.
pub(super) async fn greets(address: Ipv4Addr) {
    while !matches!(timeout(Duration::from_secs(5), greeting(address)).await, Ok(Ok(true))) {
        sleep(PAUSE).await;
    }
}

async fn greeting(address: Ipv4Addr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((address, 22)).await?;
    let mut start = [0; 4];
    stream.read_exact(&mut start).await?;
    Ok(&start == b"SSH-")
}
