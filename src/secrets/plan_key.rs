//! The key that saved plans of an environment are sealed with.

use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::data_key::KEY_BYTES;
use super::sealed::{NONCE_BYTES, TAG_BYTES};

/// Derived from the data key for this use alone: what it seals tells nothing about the values, and opens nothing of them.
pub struct PlanKey {
    key: Zeroizing<[u8; KEY_BYTES]>,
    id: String,
}

impl PlanKey {
    /// A key, and what it is called in public.
    pub(super) fn new(key: Zeroizing<[u8; KEY_BYTES]>, id: String) -> Self {
        Self { key, id }
    }

    /// Bytes that sealing adds.
    pub const OVERHEAD: usize = NONCE_BYTES + TAG_BYTES;

    /// 16 hex digits that differ for every data key and tell nothing of it: a file says with them which key opens it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Nonce and ciphertext of these bytes, which open only beside the same `head`.
    pub fn seal(&self, head: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = XNonce::generate();
        #[expect(
            clippy::expect_used,
            reason = "encrypting fails only above 256 GiB, and a plan is in memory several times"
        )]
        let sealed = self.cipher().encrypt(&nonce, Payload { msg: plain, aad: head }).expect("less than 256 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// What was sealed; `None` when it was sealed with another key or beside another head, or changed since.
    pub fn open(&self, head: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: head }).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}
