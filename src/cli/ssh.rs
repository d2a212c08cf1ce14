//! `cc-cloud <env> ssh HOST`.

use std::os::unix::process::CommandExt;

use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::context::Context;
use crate::error::CliError;
use crate::run::{Contact, Selection};

/// Arguments.
#[derive(clap::Args, Debug)]
pub struct SshArgs {
    /// Host
    #[arg(add = ArgValueCompleter::new(complete::hosts))]
    host: String,
    /// Command and its arguments, as ssh takes them
    #[arg(last = true)]
    command: Vec<String>,
}

/// Becomes the system's ssh, with the address, user, key and pinned host key of the environment.
pub async fn run(context: &Context, environment: &str, args: &SshArgs) -> Result<(), CliError> {
    let spec = context.load_without_secrets(environment)?.spec;
    let hosts = Selection::hosts(std::slice::from_ref(&args.host)).select_hosts(&spec)?;
    let [host] = hosts.as_slice() else {
        return Err(
            CliError::usage(format!("`{}` is not one host", args.host)).hint(format!("one of: {}", hosts.join(", ")))
        );
    };
    let contact: Contact = context.contact(&spec).await?;
    let mut command = contact.ssh_command(&spec, host)?;
    command.args(&args.command);
    let error = command.exec();
    Err(CliError::failed(format!("cannot start ssh: {error}")).hint("install the OpenSSH client"))
}
