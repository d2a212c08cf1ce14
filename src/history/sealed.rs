//! A record as it is kept.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::canonical::canonical;
use super::record::Record;

/// The field that holds a record's own digest.
const DIGEST: &str = "digest";

/// A record as it is kept: canonical JSON with its own digest in it. The digest is taken of the same JSON without that field,
/// so that the newest record, which no other one vouches for yet, tells of a change too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its place in the chain, from 1.
    pub number: u64,
    /// The digest of the record before; [`Sealed::NOTHING`] for the first.
    pub previous: String,
    /// Its own digest: SHA-256, lower-case hex.
    pub digest: String,
    /// What is kept.
    pub bytes: Vec<u8>,
}

/// What is kept is no record as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not JSON at all.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// JSON in another form than the one that records have.
    #[error("it is not written as records are")]
    Form,
    /// A field that every record has is absent or of another type.
    #[error("it has no {0}")]
    Field(&'static str),
    /// The content and the digest in it contradict each other.
    #[error("its digest does not fit its content")]
    Digest,
}

impl Sealed {
    /// What the first record has in the place of the digest of the one before.
    pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    /// Seals a record.
    ///
    /// # Errors
    /// When it cannot be JSON, which a record always can.
    pub fn seal(record: &Record) -> serde_json::Result<Self> {
        let mut value = serde_json::to_value(record)?;
        let digest = hex(canonical(&value).as_bytes());
        value[DIGEST] = Value::from(digest.as_str());
        let bytes = canonical(&value).into_bytes();
        Ok(Self { number: record.number, previous: record.previous.clone(), digest, bytes })
    }

    /// Reads what is kept, and accepts only what was written exactly so.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(bytes: &[u8]) -> Result<Self, Broken> {
        let mut value: Value = serde_json::from_slice(bytes).map_err(|error| Broken::Json(error.to_string()))?;
        if canonical(&value).as_bytes() != bytes {
            return Err(Broken::Form);
        }
        let text = |value: &Value, field| value[field].as_str().map(str::to_owned).ok_or(Broken::Field(field));
        let number = value["number"].as_u64().ok_or(Broken::Field("number"))?;
        let (previous, digest) = (text(&value, "previous")?, text(&value, DIGEST)?);
        if let Some(fields) = value.as_object_mut() {
            fields.remove(DIGEST);
        }
        if hex(canonical(&value).as_bytes()) != digest {
            return Err(Broken::Digest);
        }
        Ok(Self { number, previous, digest, bytes: bytes.to_vec() })
    }

    /// What it says.
    ///
    /// # Errors
    /// When another version of cc-cloud wrote it, with what this one does not know.
    pub fn record(&self) -> serde_json::Result<Record> {
        serde_json::from_slice(&self.bytes)
    }
}

/// SHA-256, lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
