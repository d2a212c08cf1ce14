//! Frames: one byte of kind, four bytes of length (big endian) and the payload.

use std::io::{self, Read, Write};

use serde::Serialize;

/// Largest control frame, in bytes. A bigger length is a broken peer, not a bigger plan.
pub const MAX_FRAME: usize = 64 << 20;

/// The kinds of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A JSON [`Request`](crate::protocol::Request) or [`Reply`](crate::protocol::Reply).
    Control,
    /// Secret values; see [`crate::secret::Vault::from_frame`].
    Secrets,
    /// A piece of the blob announced by [`Request::Blob`](crate::protocol::Request::Blob).
    Data,
}

impl FrameKind {
    fn byte(self) -> u8 {
        match self {
            Self::Control => b'J',
            Self::Secrets => b'S',
            Self::Data => b'D',
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Control, Self::Secrets, Self::Data].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Encodes one frame.
pub fn encode(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(5 + payload.len());
    frame.push(kind.byte());
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Encodes a request or reply as a control frame.
///
/// # Errors
/// When the value cannot be JSON, which these types always can.
pub fn encode_control<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    Ok(encode(FrameKind::Control, &serde_json::to_vec(message)?))
}

/// Splits the five bytes before a payload into kind and length.
///
/// # Errors
/// `InvalidData` for an unknown kind or a length over [`MAX_FRAME`].
pub fn decode_header(header: [u8; 5]) -> io::Result<(FrameKind, usize)> {
    let [kind, length @ ..] = header;
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let kind = FrameKind::from_byte(kind).ok_or_else(|| invalid(format!("unknown frame kind {kind:#04x}")))?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(invalid(format!("frame of {length} bytes is over the limit of {MAX_FRAME}")));
    }
    Ok((kind, length))
}

/// Reads one frame; `None` at a clean end of the stream.
///
/// # Errors
/// `UnexpectedEof` when the stream ends inside a frame, `InvalidData` for a broken header.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<(FrameKind, Vec<u8>)>> {
    let mut header = [0; 5];
    if input.read(&mut header[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut header[1..])?;
    let (kind, length) = decode_header(header)?;
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    Ok(Some((kind, payload)))
}

/// Writes one control frame and flushes it.
///
/// # Errors
/// What the stream says.
pub fn write_control<T: Serialize>(output: &mut impl Write, message: &T) -> io::Result<()> {
    output.write_all(&encode_control(message)?)?;
    output.flush()
}
