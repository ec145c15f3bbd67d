//! What somebody is asked to confirm before it is done, so that a passkey confirms exactly that.

use crate::{ids::WorkspaceId, secrets};
use serde::Serialize;

/// A change that wants a proof: in words for whoever confirms it, and everything that it would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// "Issue the API key CI".
    pub words: String,
    /// SHA-256 of where, of the words, and of all that was asked for.
    pub digest: [u8; 32],
}

impl Intent {
    /// Of a workspace, or of an account (`WorkspaceId::PLATFORM`). `asked` is all that the change depends on.
    pub(crate) fn new(workspace: WorkspaceId, words: impl Into<String>, asked: impl Serialize) -> Self {
        let words = words.into();
        let all = serde_json::json!([workspace, words, asked]);
        Self { digest: secrets::hash(&format!("intent\0{all}")), words }
    }

    /// How a page names it to the script that asks for a passkey.
    pub fn id(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_place_another_sentence_or_another_content_is_another_intent() {
        let intent =
            |place, words: &str, asked: &str| Intent::new(WorkspaceId(uuid::Uuid::from_u128(place)), words, asked);
        let key = intent(7, "Issue the key CI", "audit.read");
        assert_eq!(key, intent(7, "Issue the key CI", "audit.read"));
        for other in [
            intent(8, "Issue the key CI", "audit.read"),
            intent(7, "Issue the key CD", "audit.read"),
            intent(7, "Issue the key CI", "audit.read keys.issue"),
            intent(7, "Issue the key CI\",\"audit.read", ""),
        ] {
            assert_ne!(key.digest, other.digest, "{other:?}");
        }
        assert_eq!(key.id().len(), 64);
    }
}
