//! Replies and events to the controller, none of which holds a secret.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;

use super::Stop;
use crate::protocol::{Event, Reply};
use crate::secret::Vault;
use crate::step_error::StepError;

/// What the controller itself named: these are compared, not read, and a short secret that happens to be equal to one of them
/// must not break a run.
const NAMES: &[&str] = &[
    "reply", "event", "kind", "id", "service", "field", "run", "record", "digests", "missing", "pending", "handlers",
    "notify",
];

/// Takes each reply, as JSON.
pub(super) type Way = Box<dyn FnMut(&[u8]) -> io::Result<()> + Send>;

/// The way out.
pub(super) struct Outbox {
    way: Mutex<Way>,
    vault: RwLock<Arc<Vault>>,
    stop: Stop,
}

impl Outbox {
    pub(super) fn new(way: Way, stop: &Stop) -> Self {
        Self { way: Mutex::new(way), vault: RwLock::default(), stop: stop.clone() }
    }

    /// Secrets to hide from now on.
    pub(super) fn hide(&self, vault: Arc<Vault>) {
        *self.vault.write().unwrap_or_else(PoisonError::into_inner) = vault;
    }

    /// Sends a reply. A controller that cannot be reached any more is gone: what runs is finished, nothing more is begun.
    pub(super) fn send(&self, reply: &Reply) {
        let vault = Arc::clone(&self.vault.read().unwrap_or_else(PoisonError::into_inner));
        let bytes = serde_json::to_value(reply).and_then(|mut value| {
            scrub(&mut value, &vault);
            serde_json::to_vec(&value)
        });
        match bytes {
            Ok(bytes) => self.forward(&bytes),
            Err(_) => self.stop.gone(),
        }
    }

    /// Sends a reply of another agent, which has taken the secrets out of it.
    pub(super) fn forward(&self, reply: &[u8]) {
        if (self.way.lock().unwrap_or_else(PoisonError::into_inner))(reply).is_err() {
            self.stop.gone();
        }
    }

    /// Sends an event.
    pub(super) fn event(&self, event: Event) {
        self.send(&Reply::Event(event));
    }

    /// Says that a request failed as a whole.
    pub(super) fn failed(&self, message: &str, hint: Option<String>) {
        self.send(&Reply::Failed { message: message.to_owned(), hint });
    }

    /// Says that a request failed as a whole, because of this.
    pub(super) fn failed_with(&self, error: StepError) {
        self.failed(&error.message, error.hint);
    }
}

/// Takes secrets out of every text but names.
fn scrub(value: &mut Value, vault: &Vault) {
    match value {
        Value::String(text) if vault.leaks(text) || crate::secret::contains_token(text) => *text = vault.scrub(text),
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, vault)),
        Value::Object(fields) => {
            fields
                .iter_mut()
                .filter(|(name, _)| !NAMES.contains(&name.as_str()))
                .for_each(|(_, value)| scrub(value, vault));
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn no_text_carries_a_secret_and_no_name_is_changed() {
        let mut vault = Vault::default();
        vault.insert("pw".to_owned(), Secret::new("web1".to_owned()), String::new());
        let (sender, sent) = channel();
        let way: Way = Box::new(move |reply| sender.send(reply.to_vec()).map_err(io::Error::other));
        let outbox = Outbox::new(way, &Stop::default());
        outbox.hide(Arc::new(vault));
        let error = StepError { output: vec!["login web1 failed".to_owned()], ..StepError::new("web1: no") };
        let outcome = crate::protocol::Outcome {
            id: "web1/file:/x".to_owned(),
            change: crate::change::Change::none().note("web1"),
            millis: 1,
            error: Some(error),
        };
        outbox.event(Event::Finished(outcome));
        let text = String::from_utf8(sent.recv().unwrap()).unwrap();
        assert_eq!(text.matches("web1").count(), 1, "{text}");
        assert!(text.contains("web1/file:/x") && text.contains("login (secret) failed"));
    }
}
