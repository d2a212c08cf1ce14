//! Bytes in, frames out.

use std::io;

use cc_agent::protocol::{FrameKind, decode_header};

/// Bytes of a stream that arrive in any pieces, and the frames found in them.
#[derive(Default)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// How much of `bytes` has been given out already.
    taken: usize,
}

const HEADER: usize = 5;

impl FrameBuffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // What has been given out is dropped here rather than frame by frame, so that many small frames in one piece are
        // not copied once each.
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` when more bytes are needed.
    ///
    /// # Errors
    /// `InvalidData` for an unknown kind or a length over the limit, before any of the payload is waited for.
    pub(super) fn next(&mut self) -> io::Result<Option<(FrameKind, Vec<u8>)>> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let (kind, length) = decode_header(*header)?;
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let payload = payload.to_vec();
        self.taken += HEADER + length;
        Ok(Some((kind, payload)))
    }

    /// Bytes of a frame that has begun and is not whole.
    pub(super) fn pending(&self) -> usize {
        self.bytes.len() - self.taken
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use cc_agent::protocol::{MAX_FRAME, encode};
    use proptest::prelude::*;

    use super::*;

    fn frames(buffer: &mut FrameBuffer) -> io::Result<Vec<(FrameKind, Vec<u8>)>> {
        let mut found = Vec::new();
        while let Some(frame) = buffer.next()? {
            found.push(frame);
        }
        Ok(found)
    }

    #[test]
    fn an_oversized_length_is_refused_before_its_payload() {
        let mut buffer = FrameBuffer::default();
        buffer.push(b"J");
        buffer.push(&u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes());
        assert_eq!(buffer.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        let mut buffer = FrameBuffer::default();
        buffer.push(b"Welcome to web1!\n");
        assert!(buffer.next().unwrap_err().to_string().contains("0x57"));
    }

    fn kind() -> impl Strategy<Value = FrameKind> {
        prop_oneof![Just(FrameKind::Control), Just(FrameKind::Secrets), Just(FrameKind::Data)]
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_frames(
            sent in prop::collection::vec((kind(), prop::collection::vec(any::<u8>(), 0..200)), 0..8),
            cut in prop::collection::vec(1usize..50, 1..200),
        ) {
            let stream: Vec<u8> = sent.iter().flat_map(|(kind, payload)| encode(*kind, payload)).collect();
            let (mut buffer, mut found, mut rest) = (FrameBuffer::default(), Vec::new(), stream.as_slice());
            for length in cut.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                buffer.push(piece);
                found.extend(frames(&mut buffer).unwrap());
                rest = after;
            }
            prop_assert_eq!(found, sent);
            prop_assert_eq!(buffer.pending(), 0);
        }

        #[test]
        fn a_cut_off_stream_leaves_its_last_frame_pending(payload in prop::collection::vec(any::<u8>(), 0..50), cut in 1usize..50) {
            let stream = encode(FrameKind::Data, &payload);
            let kept = stream.len().saturating_sub(cut).max(1);
            let mut buffer = FrameBuffer::default();
            buffer.push(&stream[..kept]);
            prop_assert!(frames(&mut buffer).unwrap().is_empty());
            prop_assert_eq!(buffer.pending(), kept);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = FrameBuffer::default();
            for piece in bytes.chunks(7) {
                buffer.push(piece);
                if frames(&mut buffer).is_err() { break; }
            }
        }
    }
}
