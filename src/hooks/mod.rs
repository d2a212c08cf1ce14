//! Programs of the repository that run before and after what a command does: to refuse it, to prepare for it, to tell others.

mod failure;
mod hook;
mod occasion;
mod point;
mod search;

use std::time::Duration;

pub use failure::Failure;
pub use hook::Hook;
pub use occasion::Occasion;
pub use point::Point;
pub use search::{Found, Odd};

use crate::error::CliError;
use crate::report::{Event, Report};
use crate::run::Interrupt;

/// The hooks of an environment.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    hooks: Vec<Hook>,
    limit: Duration,
}

impl Hooks {
    /// These hooks, each with this much time.
    pub fn new(hooks: Vec<Hook>, limit: Duration) -> Self {
        Self { hooks, limit }
    }

    /// Runs the hooks of a point, one after the other.
    ///
    /// # Errors
    /// When one fails that can stop what would come; those after it are not begun. The failure of another one is a warning.
    pub async fn run(&self, point: Point, occasion: &Occasion, report: &Report) -> Result<(), CliError> {
        let mine = self.hooks.iter().filter(|hook| hook.point == point);
        let occasion = occasion.at(point);
        for hook in mine {
            let done = hook.run(&occasion, self.limit).await;
            if !done.output.is_empty() {
                report.emit(&Event::Hook { file: &hook.file, text: &done.output, failed: done.result.is_err() });
            }
            let Err(failure) = done.result else { continue };
            if failure == Failure::Interrupted {
                return Err(Interrupt::error().hint(failure.hint()));
            }
            let message = format!("the hook {} {failure}", hook.file);
            if point.can_stop() {
                let what = occasion.command.as_str();
                return Err(CliError::failed(format!("{message}; {what} stops here")).hint(failure.hint()));
            }
            report.emit(&Event::Warning { message: &message, hint: Some(failure.hint()) });
        }
        Ok(())
    }
}
