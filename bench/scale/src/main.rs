//! What `make bench` measures scale with.
//!
//! `cc-scale hosts COUNT FOLDER` is many hosts in one process: an SSH server each, with a scripted agent to which nothing needs
//! to be done. It writes how to reach them into the repository in FOLDER, says `listening`, and ends with its standard input.
//! `cc-scale rounds COUNT FOLDER` is a controller that comes to all of them again and again in one process, and fails when
//! anything is left of a round.

mod agent;
mod conversation;
mod door;
mod hold;
mod hosts;
mod rounds;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use hosts::Hosts;

/// Why it cannot go on; people of the project read it, nobody else.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cc-scale: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["hosts", count, folder] => {
            allow_descriptors()?;
            let hosts = Hosts::listen(count.parse()?).await?;
            hosts.write(Path::new(folder))?;
            hosts.serve().await
        }
        ["rounds", count, folder] => rounds::run(Path::new(folder), count.parse()?).await,
        _ => Err("usage: cc-scale hosts COUNT FOLDER, or cc-scale rounds COUNT FOLDER".into()),
    }
}

/// Two descriptors a host, which is more than a login is given by default.
fn allow_descriptors() -> Result<(), Failure> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}
