//! Receipts for what was charged: signed, so that nothing of them is stored.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::limit::Receipt;

/// What a receipt says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Charged {
    /// Of the charge.
    pub(super) id: String,
    /// The key that may give it back.
    pub(super) holder: String,
    pub(super) receipts: Vec<Receipt>,
}

/// Signs and verifies receipts.
#[derive(Clone)]
pub struct ReceiptKeys(Hmac<Sha256>);

impl ReceiptKeys {
    /// Signs with `secret`, which no other purpose may use.
    pub fn new(secret: [u8; 64]) -> Self {
        Self(Hmac::new(&secret.into()))
    }

    pub(super) fn seal(&self, charged: &Charged) -> serde_json::Result<String> {
        let text = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(charged)?);
        let tag = self.0.clone().chain_update(&text).finalize().into_bytes();
        Ok(format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag)))
    }

    /// What the receipt says; `None` if it is not one of ours.
    pub(super) fn open(&self, sealed: &str) -> Option<Charged> {
        let (text, tag) = sealed.split_once('.')?;
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.0.clone().chain_update(text).verify_slice(&tag).ok()?;
        let charged = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&charged).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_receipt_of_ours_is_opened() {
        let keys = ReceiptKeys::new([7; 64]);
        let charged = Charged {
            id: "1".into(),
            holder: "key_a".into(),
            receipts: vec![],
        };
        let sealed = keys.seal(&charged).unwrap();
        assert_eq!(keys.open(&sealed), Some(charged));
        assert_eq!(ReceiptKeys::new([8; 64]).open(&sealed), None);
        for length in 0..sealed.len() {
            assert_eq!(keys.open(&sealed[..length]), None, "{length}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(keys.open(&changed), None, "{changed}");
        }
    }
}
