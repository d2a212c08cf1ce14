//! The stream of events for people: data on standard output, everything else on standard error.

use std::fmt::Write as _;
use std::io::Write as _;

use cc_agent::change::Change;
use cc_agent::check::Finding;
use cc_agent::protocol::StepError;

use super::event::{Event, HostSummary, Standing};
use super::printer::Printer;
use super::progress::Progress;
use super::style::Style;
use super::{drift_text, moved_text, plan_text, run_text, table};

/// Writes events for a person.
pub(super) struct TextSink {
    style: Style,
    quiet: bool,
    verbose: u8,
    output: Printer,
    progress: Option<Progress>,
}

impl TextSink {
    pub(super) fn new(style: Style, quiet: bool, verbose: u8) -> Self {
        let progress = (style.progress && !quiet).then(Progress::new);
        Self { style, quiet, verbose, output: Printer::stdout(), progress }
    }

    pub(super) fn pause(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.clear();
        }
    }

    pub(super) fn emit(&mut self, event: &Event) {
        match event {
            Event::Working { activity, done, total } => self.working(activity, *done, *total),
            Event::Note { message } => self.say(message),
            Event::Warning { message, hint } => self.problem(&self.style.warn("warning:"), message, hint.as_slice()),
            Event::Diagnostics { rendered, .. } => self.complain(rendered),
            Event::Plan(plan) => self.data(&plan_text::render(plan, self.style, self.verbose > 0)),
            Event::Drift(drift) => self.data(&drift_text::render(drift, self.style, self.verbose > 0)),
            Event::Moved { moved } => self.data(&moved_text::render(moved, self.style, self.verbose > 0)),
            Event::StageStarted { stage, stages, services, batch, batches, hosts, steps } => {
                self.stage(&format!("stage {stage}/{stages}"), services, (*batch, *batches), hosts, *steps);
            }
            Event::StepStarted { host, step } => {
                if let Some(progress) = &mut self.progress {
                    progress.host(host, step);
                }
            }
            Event::StepFinished { host, step, change, millis, error } => self.step(host, step, change, *millis, *error),
            Event::Waiting { host, finding } => {
                if let Some(progress) = &mut self.progress {
                    progress.host(host, &format!("waiting for {}: {}", finding.check, finding.observed));
                }
            }
            Event::Check { host, finding } => self.check(host, finding),
            Event::Blocked { service, hosts, reason } => {
                let line = format!("not begun: {service} on {}: {reason}", hosts.join(", "));
                self.complain(&(self.style.warn(&line) + "\n"));
            }
            Event::Stopped { reason, standing } => self.stopped(reason, standing),
            // The message has the host's name.
            Event::Unreachable { message, hint, .. } => {
                self.problem(&self.style.bad("unreachable:"), message, hint.as_slice());
            }
            Event::Traffic { hosts } => self.traffic(hosts),
            Event::Summary { run, hosts, millis } => self.summary(run, hosts, *millis),
            Event::Table { columns, rows, .. } => self.data(&table::render(columns, rows, self.style)),
            Event::Output { host, stderr, text } => self.output(host, *stderr, text),
            Event::Data { text }
            | Event::Preflight { text, .. }
            | Event::History { text, .. }
            | Event::SavedPlan { text, .. } => self.data(text),
            Event::Fault { message, .. } => self.data(&format!("{message}\n")),
            Event::Hook { file, text, failed } => self.hook(file, text, *failed),
            Event::Error { message, hints, .. } => {
                let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
                self.problem(&self.style.bad("error:"), message, &hints);
            }
        }
    }

    fn data(&mut self, text: &str) {
        self.pause();
        let _ = self.output.write_all(text.as_bytes());
        let _ = self.output.flush();
    }

    /// A line on standard error, kept off the progress display.
    fn complain(&self, text: &str) {
        let write = || {
            let _ = std::io::stderr().write_all(text.as_bytes());
        };
        match &self.progress {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            self.complain(&format!("{line}\n"));
        }
    }

    fn problem(&self, label: &str, message: &str, hints: &[&str]) {
        let mut text = format!("{label} {message}\n");
        for hint in hints {
            let _ = writeln!(text, "  hint: {hint}");
        }
        self.complain(&text);
    }

    fn working(&mut self, activity: &str, done: usize, total: usize) {
        match &mut self.progress {
            Some(progress) if done < total => progress.activity(activity, done, total),
            Some(progress) => progress.clear(),
            None if self.verbose > 0 && done == total => self.say(&format!("{activity}: {done} of {total} hosts")),
            None => {}
        }
    }

    fn stopped(&self, reason: &str, standing: &Standing) {
        let mut text = format!("{} {reason}\n", self.style.bad("stopped:"));
        let groups = [
            ("failed", &standing.failed),
            ("unreachable", &standing.unreachable),
            ("done", &standing.done),
            ("untouched", &standing.untouched),
        ];
        for (name, hosts) in groups.iter().filter(|(_, hosts)| !hosts.is_empty()) {
            let _ = writeln!(text, "  {name}: {}", hosts.join(", "));
        }
        self.complain(&text);
    }

    fn stage(&mut self, stage: &str, services: &[&str], batch: (usize, usize), hosts: &[&str], steps: usize) {
        let batch = if batch.1 > 1 { format!(", batch {}/{}", batch.0, batch.1) } else { String::new() };
        self.say(&self.style.bold(&format!("{stage}{batch}: {} on {}", services.join(", "), hosts.join(", "))));
        if let Some(progress) = &mut self.progress {
            progress.activity(stage, 0, steps);
        }
    }

    fn step(&mut self, host: &str, step: &str, change: &Change, millis: u64, error: Option<&StepError>) {
        if let Some(progress) = &mut self.progress {
            progress.idle(host);
            progress.advance();
        }
        if let Some(error) = error {
            self.complain(&run_text::step_error(self.style, host, step, error));
        } else if !change.is_none() || self.verbose > 0 {
            self.say(&run_text::step_done(self.style, host, step, change.kind, millis));
        }
    }

    fn check(&mut self, host: &str, finding: &Finding) {
        if let Some(progress) = &mut self.progress {
            progress.idle(host);
        }
        if !finding.healthy || !self.quiet {
            self.complain(&run_text::check(self.style, host, finding));
        }
    }

    fn hook(&self, file: &str, text: &str, failed: bool) {
        let lines: String = text.lines().map(|line| format!("{file}: {line}\n")).collect();
        if failed || !self.quiet {
            self.complain(&lines);
        }
    }

    fn output(&mut self, host: &str, stderr: bool, text: &str) {
        let lines: String = text.lines().map(|line| format!("{host}: {line}\n")).collect();
        if stderr {
            self.complain(&lines);
        } else {
            self.data(&lines);
        }
    }

    fn traffic(&self, hosts: &[serde_json::Value]) {
        if self.verbose < 2 {
            return;
        }
        for host in hosts {
            let number = |name: &str| host[name].as_u64().unwrap_or_default();
            self.say(&format!(
                "{}: {} round trips, {} bytes sent, {} received",
                host["host"].as_str().unwrap_or_default(),
                number("round_trips"),
                number("bytes_sent"),
                number("bytes_received")
            ));
        }
    }

    fn summary(&mut self, run: &str, hosts: &[HostSummary], millis: u64) {
        self.pause();
        self.data(&run_text::summary(hosts, self.style));
        self.say(&self.style.dim(&format!("run {run}, {}", run_text::duration(millis))));
    }
}
