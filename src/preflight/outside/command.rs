//! Programs of this machine.

use std::process::Stdio;
use std::time::Duration;

use cc_agent::probe::Outcome;
use tokio::process::Command;
use tokio::time::timeout;

use super::failed;

/// Bytes of each stream that are kept.
const MOST: usize = 256 << 10;

/// What a program says, without input and in the C locale.
pub(super) async fn run(argv: &[String], seconds: u32) -> Outcome {
    let Some((program, arguments)) = argv.split_first() else { return failed("no program is named") };
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).kill_on_drop(true);
    match timeout(Duration::from_secs(u64::from(seconds)), command.output()).await {
        Ok(Ok(output)) => {
            let (stdout, more) = bounded(output.stdout);
            let (stderr, even_more) = bounded(output.stderr);
            Outcome::Ended { status: status(output.status), stdout, stderr, cut: more || even_more }
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Outcome::Absent,
        Ok(Err(error)) => failed(error),
        Err(_) => Outcome::Late { seconds },
    }
}

fn status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn bounded(mut bytes: Vec<u8>) -> (String, bool) {
    let cut = bytes.len() > MOST;
    bytes.truncate(MOST);
    (String::from_utf8_lossy(&bytes).into_owned(), cut)
}
