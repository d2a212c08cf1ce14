//! What a file holds, inside its step or by digest.

use serde::{Deserialize, Serialize};

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Content {
    /// Text up to [`crate::protocol::INLINE_LIMIT`]; may hold secrets' tokens.
    Text(String),
    /// Anything larger, or not UTF-8: sent once and found again by digest.
    Blob {
        /// SHA-256, lower-case hex.
        sha256: String,
        /// Bytes.
        length: u64,
    },
}
