//! The agent that a controller pushes to a host and speaks to over its SSH session.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use cc_agent::engine::{self, Itself};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let binary = std::env::current_exe().ok();
            let applying = binary.iter().map(OsString::from).chain(["apply".into()]).collect();
            let itself = Itself { binary, applying };
            engine::serve(Path::new(engine::STATE), &itself, io::stdin(), io::stdout())
        }
        ["apply", state] => engine::apply(Path::new(state), &mut engine::announce),
        ["--version"] => writeln!(io::stdout(), "cc-agent {}", env!("CARGO_PKG_VERSION")),
        _ => {
            Err(io::Error::other("it takes no arguments but --version: a controller speaks to it over standard input"))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cc-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
