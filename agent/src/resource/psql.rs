//! SQL for the PostgreSQL server of this machine, as its superuser over the local socket.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::plain::plain;
use crate::host::{CommandLine, Host, Output};
use crate::step_error::StepError;

/// The system user whom Debian's server trusts as its superuser.
const USER: &str = "postgres";
/// Where Debian's packages are; `/usr/bin/psql` there is a wrapper that takes as long as three connections.
const VERSIONS: &str = "/usr/lib/postgresql";
/// psql's exit status when it got no connection.
const NO_CONNECTION: i32 = 2;
/// Bytes of an identifier; a longer one would be cut off without a word.
const LONGEST: usize = 63;

/// A database of a server on this machine.
pub(crate) struct Psql<'a> {
    pub(crate) host: &'a Host,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
}

/// What became of a question.
pub enum Answer<T> {
    /// There is no PostgreSQL on this host.
    NotInstalled,
    /// The server did not let us in; its words.
    Silent(String),
    /// The server has no such database.
    NoDatabase,
    /// The answer.
    Given(T),
}

impl Psql<'_> {
    /// Asks for one value of type `json`. SQL goes in through standard input, because arguments can be read by everyone.
    pub(crate) fn ask<T: DeserializeOwned>(&self, sql: &str) -> Result<Answer<T>, StepError> {
        let Some(program) = program() else {
            return Ok(Answer::NotInstalled);
        };
        if self.host.accounts()?.user(USER).is_none() {
            return Ok(Answer::NotInstalled);
        }
        let command = self.command(&program, sql);
        let output = command.output()?;
        match output.status {
            0 => {
                let parsed = serde_json::from_slice(output.stdout.trim().as_bytes());
                parsed
                    .map(Answer::Given)
                    .map_err(|error| StepError::new(format!("psql gave an answer that is no answer: {error}")))
            }
            NO_CONNECTION if says(&output, "database \"") && says(&output, "does not exist") => Ok(Answer::NoDatabase),
            NO_CONNECTION => Ok(Answer::Silent(reason(&output))),
            _ => Err(command.failed(&output)),
        }
    }

    /// Runs statements; the first that fails ends them.
    pub(crate) fn run(&self, sql: &str) -> Result<(), StepError> {
        let program = program().ok_or_else(|| {
            StepError::new("PostgreSQL is not on this host").hint("add a step for the package `postgresql` before it")
        })?;
        let command = self.command(&program, sql);
        let output = command.output()?;
        if output.success() {
            return Ok(());
        }
        let failed = command.failed(&output);
        Err(StepError { message: format!("PostgreSQL refused: {}", reason(&output)), ..failed })
    }

    fn command(&self, program: &Path, sql: &str) -> CommandLine<'_> {
        let program = program.to_string_lossy().into_owned();
        let options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"];
        let port = self.port.to_string();
        let place = ["--port", &port, "--dbname", self.database].map(str::to_owned);
        self.host.command([program]).args(options).args(place).user(USER).stdin(sql)
    }
}

/// The newest psql.
fn program() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin/psql"))))
        .filter(|(_, program)| program.is_file())
        .max_by_key(|(version, _)| *version);
    newest
        .map(|(_, program)| program)
        .or_else(|| Some(PathBuf::from("/usr/bin/psql")).filter(|program| program.is_file()))
}

fn says(output: &Output, words: &str) -> bool {
    output.tail.iter().any(|line| line.contains(words))
}

/// The server's own words, without psql's in front of them.
fn reason(output: &Output) -> String {
    let marks = ["ERROR:  ", "FATAL:  ", "failed: "];
    let said = |mark| output.tail.iter().find_map(|line| Some(line.rsplit_once(mark)?.1.to_owned()));
    marks
        .into_iter()
        .find_map(said)
        .or_else(|| output.tail.last().cloned())
        .unwrap_or_else(|| "it gave no reason".to_owned())
}

/// Checks a name of the server's objects.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), StepError> {
    plain(field, name)?;
    if name.is_empty() || name.len() > LONGEST {
        let text = format!("`{name}` is not a name for PostgreSQL, which has 1 to {LONGEST} bytes");
        return Err(StepError::new(text));
    }
    Ok(())
}

/// An identifier, quoted: it keeps its case and may be any word.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, quoted, whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_inside_their_quotes() {
        assert_eq!(identifier("we\"b; DROP"), "\"we\"\"b; DROP\"");
        assert_eq!(literal("it's \\' :x"), "E'it''s \\\\'' :x'");
    }

    #[test]
    fn names_that_the_server_would_cut_are_refused() {
        assert!(check_name("name", &"a".repeat(63)).is_ok());
        assert!(check_name("name", &"é".repeat(32)).is_err());
        assert!(check_name("name", "").is_err());
        assert!(check_name("name", "a\nb").is_err());
    }

    #[test]
    fn the_reason_is_the_servers() {
        let line = "psql: error: connection to server on socket \"/x\" failed: No such file or directory";
        let output =
            Output { status: 2, stdout: String::new(), tail: vec![line.to_owned(), "\tIs it running?".to_owned()] };
        assert_eq!(reason(&output), "No such file or directory");
        let line =
            "psql: error: connection to server on socket \"/x\" failed: FATAL:  the database system is starting up";
        assert_eq!(reason(&Output { tail: vec![line.to_owned()], ..output }), "the database system is starting up");
    }
}
