//! What a controller and a scripted agent say to each other, from the command that looks for the agent to the goodbye.

use cc_agent::protocol::{FrameKind, Request, decode_header, encode_control};
use russh::Channel;
use russh::server::Msg;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::Failure;
use crate::agent::Agent;

/// What the controller's command says of the script that follows it; `src/ssh/agent_session` writes it.
pub struct Start {
    /// Begins every line to the controller.
    mark: String,
    /// Bytes of the script that looks for the agent.
    script: usize,
}

impl Start {
    /// Reads the command; `None` when it is another one.
    pub fn parse(command: &str) -> Option<Self> {
        let (before, after) = command.split_once(":begun; ")?;
        let (_, mark) = before.rsplit_once("echo ")?;
        let (_, count) = after.split_once("dd bs=1 count=")?;
        let (count, _) = count.split_once(' ')?;
        Some(Self { mark: mark.to_owned(), script: count.parse().ok()? })
    }
}

/// Is the agent on a channel until the controller takes its leave.
///
/// # Errors
/// When the controller goes without one, or says what is no request.
pub async fn converse(channel: Channel<Msg>, start: Start, agent: Agent) -> Result<(), Failure> {
    let (mut read, write) = channel.split();
    let (mut input, mut output) = (read.make_reader(), write.make_writer());
    let Start { mark, script } = start;
    output.write_all(format!("{mark}:begun\n").as_bytes()).await?;
    input.read_exact(&mut vec![0; script]).await?;
    output.write_all(format!("{mark}:ready /var/lib/cc-cloud/agent-double\n").as_bytes()).await?;
    serve(&mut input, &mut output, &agent).await?;
    write.exit_status(0).await?;
    write.eof().await?;
    Ok(write.close().await?)
}

/// Answers requests up to the last.
async fn serve(
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
    agent: &Agent,
) -> Result<(), Failure> {
    loop {
        let mut header = [0; 5];
        input.read_exact(&mut header).await?;
        let (kind, length) = decode_header(header)?;
        let mut payload = vec![0; length];
        input.read_exact(&mut payload).await?;
        // Secrets and content are of no use to who changes nothing.
        if kind != FrameKind::Control {
            continue;
        }
        let request: Request = serde_json::from_slice(&payload)?;
        let last = matches!(request, Request::Bye { .. });
        if let Some(reply) = agent.answer(request).await? {
            output.write_all(&encode_control(&reply)?).await?;
        }
        if last {
            return Ok(());
        }
    }
}
