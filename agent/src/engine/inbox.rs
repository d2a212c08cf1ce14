//! Frames from the controller, read beside the work so that a stop is seen in the middle of it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use zeroize::Zeroizing;

use super::Stop;
use crate::protocol::{FrameKind, Request, read_frame};

/// Frames that may wait: content that comes faster than the disk takes it waits in the network instead of in memory.
const QUEUE: usize = 4;

/// What came from the controller.
pub(super) enum Message {
    /// A request with its number, and as it came.
    Request(Request, u64, Vec<u8>),
    /// The payload of a `Secrets` frame.
    Secrets(Zeroizing<Vec<u8>>),
    /// A piece of content.
    Data(Vec<u8>),
    /// The controller went away.
    End,
    /// The stream makes no sense.
    Broken(io::Error),
}

/// What came and was not yet looked at.
pub(super) struct Inbox {
    messages: Receiver<Message>,
    stop: Stop,
}

impl Inbox {
    /// Starts to listen. The thread ends with the stream, or with the process.
    pub(super) fn listen(mut input: impl Read + Send + 'static) -> Self {
        let (sender, messages) = sync_channel(QUEUE);
        let stop = Stop::default();
        let wish = stop.clone();
        let listen: Box<dyn FnOnce() + Send> = Box::new(move || {
            let last = read(&mut input, &sender, &wish);
            wish.gone();
            // Nobody receives it when the session has ended before.
            let _ = sender.send(last);
        });
        thread::spawn(listen);
        Self { messages, stop }
    }

    /// The next message; waits for it.
    pub(super) fn next(&self) -> Message {
        self.messages.recv().unwrap_or(Message::End)
    }

    /// The wish to stop.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }
}

/// Reads until the stream ends, and says how.
fn read(input: &mut impl Read, sender: &SyncSender<Message>, stop: &Stop) -> Message {
    loop {
        let message = match read_frame(input) {
            Ok(None) => return Message::End,
            // A controller that was killed leaves half a frame: it is gone all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Message::End,
            Err(error) => return Message::Broken(error),
            Ok(Some((FrameKind::Secrets, payload))) => Message::Secrets(Zeroizing::new(payload)),
            Ok(Some((FrameKind::Data, payload))) => Message::Data(payload),
            Ok(Some((FrameKind::Control, payload))) => match serde_json::from_slice(&payload) {
                Ok(Request::Stop) => {
                    stop.wish();
                    continue;
                }
                Ok(request) => Message::Request(request, stop.received(), payload),
                Err(error) => return Message::Broken(error.into()),
            },
        };
        if sender.send(message).is_err() {
            return Message::End;
        }
    }
}
