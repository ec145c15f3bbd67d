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
    /// Whether it takes several requests, which one approval is for. Any other is for one.
    pub in_steps: bool,
}

/// The longest sentence that somebody is asked to confirm, in characters.
const WORDS_MAX: usize = 600;

impl Intent {
    /// Of a workspace, or of an account (`WorkspaceId::PLATFORM`). `asked` is all that the change depends on.
    pub(crate) fn new(workspace: WorkspaceId, words: impl Into<String>, asked: impl Serialize) -> Self {
        let words = words.into();
        let all = serde_json::json!([workspace, words, asked]);
        let digest = secrets::hash(&format!("intent\0{all}"));
        // Typed by somebody, and not looked at yet: what cannot be seen is not shown.
        let mut shown: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect();
        if words.chars().count() > WORDS_MAX {
            shown.push('…');
        }
        Self { digest, words: shown, in_steps: false }
    }

    /// The same, done in several requests.
    pub(crate) fn in_steps(self) -> Self {
        Self { in_steps: true, ..self }
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
        let long = intent(7, &"a\0".repeat(WORDS_MAX), "");
        assert_eq!(long.words.chars().count(), WORDS_MAX + 1);
        assert!(!long.words.contains('\0') && long.words.ends_with('…'));
        assert_ne!(long.digest, intent(7, &"a\0".repeat(WORDS_MAX + 1), "").digest, "the digest has all of it");
    }
}
