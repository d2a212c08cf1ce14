use bollard::Docker;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::StreamExt;

use super::RehearsalError;

/// Runs a command as root in the container of a host and returns what it printed, both streams together.
///
/// # Errors
/// Docker refuses, or the command ends with another code than 0.
pub(super) async fn exec(
    docker: &Docker,
    host: &str,
    container: &str,
    command: &[&str],
    environment: &[String],
) -> Result<String, RehearsalError> {
    let refused = || RehearsalError::docker(format!("run `{}` on host {host}", command.join(" ")));
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        env: Some(environment.to_vec()),
        ..Default::default()
    };
    let id = docker.create_exec(container, config).await.map_err(refused())?.id;
    let mut printed = Vec::new();
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&id, None).await.map_err(refused())? {
        while let Some(chunk) = output.next().await {
            printed.extend_from_slice(&chunk.map_err(refused())?.into_bytes());
        }
    }
    let printed = String::from_utf8_lossy(&printed).into_owned();
    match docker.inspect_exec(&id).await.map_err(refused())?.exit_code {
        Some(0) => Ok(printed),
        code => Err(RehearsalError::Command {
            host: host.to_owned(),
            command: command.join(" "),
            code: code.unwrap_or(-1),
            output: printed,
        }),
    }
}
