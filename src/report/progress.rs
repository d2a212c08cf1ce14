//! What is going on right now: drawn on a terminal, silent elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// One line for the whole and one for each busy host.
pub(super) struct Progress {
    screen: MultiProgress,
    total: Option<ProgressBar>,
    hosts: BTreeMap<String, ProgressBar>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { screen: MultiProgress::new(), total: None, hosts: BTreeMap::new() }
    }

    /// Shows how far an activity is.
    pub(super) fn activity(&mut self, label: &str, done: usize, total: usize) {
        let bar = self.total.get_or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new(total as u64));
            bar.set_style(style("{spinner} {msg} {pos}/{len} {wide_bar} {elapsed}"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(label.to_owned());
    }

    /// One more step of the activity is done.
    pub(super) fn advance(&mut self) {
        if let Some(bar) = &self.total {
            bar.inc(1);
        }
    }

    /// Shows what a host is busy with.
    pub(super) fn host(&mut self, host: &str, what: &str) {
        let screen = &self.screen;
        let bar = self.hosts.entry(host.to_owned()).or_insert_with(|| {
            let bar = screen.add(ProgressBar::new_spinner());
            bar.set_style(style("  {spinner} {prefix}: {wide_msg} {elapsed}"));
            bar.set_prefix(host.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.reset_elapsed();
        bar.set_message(what.to_owned());
    }

    /// A host is idle.
    pub(super) fn idle(&mut self, host: &str) {
        if let Some(bar) = self.hosts.remove(host) {
            bar.finish_and_clear();
        }
    }

    /// Takes everything off the screen.
    pub(super) fn clear(&mut self) {
        for (_, bar) in std::mem::take(&mut self.hosts) {
            bar.finish_and_clear();
        }
        if let Some(bar) = self.total.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes a line above the bars.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.screen.suspend(write);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
