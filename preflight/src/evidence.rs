//! What was answered, as it came.

use cc_agent::probe::{Outcome, Probe, Reading};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::outside::Outside;
use crate::question::Question;

/// The raw answers to a check's questions, for whoever wants to judge for themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Each question with its answer; identifiers masked.
    pub text: String,
    /// SHA-256 of the text, lower-case hex.
    pub sha256: String,
}

impl Evidence {
    /// Evidence of a text.
    pub fn new(text: String) -> Self {
        let sha256 = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text, sha256 }
    }
}

/// A question and its answer as text: what was asked after a `$`, then what came.
pub(crate) fn transcript(question: &Question, reading: &Reading) -> String {
    let mut text = format!("$ {}\n", asked(question));
    match &reading.outcome {
        Outcome::Ended { status, stdout, stderr, cut } => {
            append(&mut text, stdout);
            append(&mut text, stderr);
            if *cut {
                text.push_str("(cut off here)\n");
            }
            if *status != 0 {
                text.push_str(&format!("(exit status {status})\n"));
            }
        }
        Outcome::Text { text: content, cut } => {
            append(&mut text, content);
            if *cut {
                text.push_str("(cut off here)\n");
            }
        }
        Outcome::Names { names } => append(&mut text, &names.join("\n")),
        Outcome::Absent => text.push_str("(absent)\n"),
        Outcome::Denied => text.push_str("(permission denied)\n"),
        Outcome::Late { seconds } => text.push_str(&format!("(killed after {seconds} s)\n")),
        Outcome::Failed { why } => text.push_str(&format!("(failed: {why})\n")),
        Outcome::Listening { port } => text.push_str(&format!("(listening on {port})\n")),
        Outcome::Busy => text.push_str("(a service listens there already)\n"),
        Outcome::Sent { runs } => {
            for run in runs {
                text.push_str(&format!("({} bytes in {} ms)\n", run.bytes, run.micros / 1000));
            }
        }
        Outcome::Times { micros, why } => {
            let times = micros.iter().map(|time| time.map_or("-".to_owned(), |time| time.to_string()));
            append(&mut text, &times.collect::<Vec<_>>().join(" "));
            if let Some(why) = why {
                text.push_str(&format!("({why})\n"));
            }
        }
    }
    text
}

fn append(text: &mut String, more: &str) {
    text.push_str(more);
    if !more.is_empty() && !more.ends_with('\n') {
        text.push('\n');
    }
}

fn asked(question: &Question) -> String {
    match question {
        Question::On { host, probe } => format!("{} [{host}]", probe_text(probe)),
        Question::Outside(Outside::Command { argv, .. }) => argv.join(" "),
        Question::Outside(outside) => serde_json::to_string(outside).unwrap_or_default(),
    }
}

fn probe_text(probe: &Probe) -> String {
    match probe {
        Probe::File { path } => format!("cat {path}"),
        Probe::Folder { path } => format!("ls {path}"),
        Probe::Command { argv, .. } => argv.join(" "),
        Probe::Listen { port } => format!("listen on {port}"),
        Probe::Connect { address, port, times } => format!("connect to {address}:{port}, {times} times, microseconds"),
        Probe::Echo { address, port, times, bytes } => {
            format!("send {times} datagrams of {bytes} bytes to {address}:{port} and back, microseconds")
        }
        Probe::Throughput { address, port, seconds, times } => {
            format!("send for {seconds} s to {address}:{port}, {times} times")
        }
    }
}
