//! Who hears the events beside the sinks.

use super::event::Event;

/// Something that hears every event, such as the account of a run for the history.
pub trait Listener: Send + Sync {
    /// One thing happened. It must not report anything itself.
    fn hear(&self, event: &Event);
}
