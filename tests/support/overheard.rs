use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command};

use serde_json::Value;

use super::Repository;

/// A command that runs with `--json` while the test looks on.
pub struct Overheard {
    child: Child,
    output: BufReader<ChildStdout>,
    /// Its events so far.
    pub events: Vec<Value>,
}

impl Overheard {
    /// Starts the command with these words.
    pub fn start(repository: &Repository, words: &[&str]) -> Self {
        let mut child = repository.spawn(&[words, &["--json"]].concat());
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, events: Vec::new() }
    }

    /// Reads until an event is of this type and its text has this in it.
    pub fn until(&mut self, kind: &str, text: &str) -> &Value {
        loop {
            let Some(event) = self.next() else {
                let stderr = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
                panic!("ended without {kind} {text}: {:#?}\n{stderr}", self.events)
            };
            if event["type"] == kind && event.to_string().contains(text) {
                return self.events.last().unwrap();
            }
        }
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal: `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Reads to its end; fails the test unless it ended with this code.
    #[track_caller]
    pub fn expect(mut self, code: i32) -> Self {
        while self.next().is_some() {}
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{:#?}", self.events);
        self
    }

    /// The steps whose end was told, in order.
    pub fn finished(&self) -> Vec<&str> {
        let finished = self.events.iter().filter(|event| event["type"] == "step_finished");
        finished.map(|event| event["step"].as_str().unwrap()).collect()
    }

    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let event: Value = serde_json::from_str(&line).ok()?;
        self.events.push(event.clone());
        Some(event)
    }
}
