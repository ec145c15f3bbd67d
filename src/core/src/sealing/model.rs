use crate::ids::EventId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How many hashes a tile holds.
pub const TILE: u64 = 256;

/// What does not fit between the stored log and what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event is not as it was sealed.
    Edit,
    /// An event is gone.
    Delete,
    /// There is an event that was never sealed at its place.
    Insert,
    /// The stored hashes do not fit each other.
    Tree,
    /// The signature, or what it signs, is not of this log.
    Checkpoint,
    /// The first events are gone, and no signed receipt says that they were removed in order.
    Prune,
    /// What the register says was signed up to an event is not what the log says.
    Register,
}

impl Kind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Insert => "insert",
            Self::Tree => "tree",
            Self::Checkpoint => "checkpoint",
            Self::Prune => "prune",
            Self::Register => "register",
        }
    }

    /// For people, of the event of that number.
    pub fn sentence(self, seq: i64) -> String {
        match self {
            Self::Edit => format!("Event #{seq} is not as it was sealed."),
            Self::Delete => format!("Event #{seq} is missing."),
            Self::Insert => format!("Event #{seq} was not sealed at this place."),
            Self::Tree => format!("The stored hashes of event #{seq} do not fit each other."),
            Self::Checkpoint => "The newest checkpoint is not of this log.".to_owned(),
            Self::Prune => format!("The events up to #{seq} were removed without a signed receipt."),
            Self::Register => format!("The log up to event #{seq} is not what was signed once."),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Edit, Self::Delete, Self::Insert, Self::Tree, Self::Checkpoint, Self::Prune, Self::Register];
        all.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// Where the stored log and what was sealed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The first event that does not fit.
    pub seq: i64,
    /// In which way.
    pub kind: Kind,
}

impl Finding {
    /// The first event comes first. What the register says goes on for as long as there is that register: it hides nothing else.
    pub fn rank(&self) -> (bool, i64) {
        (self.kind == Kind::Register, self.seq)
    }

    /// The event that has to be looked at to find it again: a tile is looked at with its last. `None` for what every check looks at.
    pub fn looked_at_with(&self) -> Option<i64> {
        match self.kind {
            Kind::Edit | Kind::Delete => Some(self.seq),
            Kind::Tree => Some(self.seq.saturating_add(TILE.cast_signed() - 1)),
            Kind::Insert | Kind::Checkpoint | Kind::Prune | Kind::Register => None,
        }
    }
}

/// How far a log is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last event under a signed checkpoint.
    pub sealed_to: i64,
    /// The last event that was held against it.
    pub checked_to: i64,
    /// When.
    pub checked_at: Option<OffsetDateTime>,
    /// When the whole log was last gone through.
    pub whole_at: Option<OffsetDateTime>,
    /// What was found.
    pub failed: Option<Finding>,
    /// The first event that is kept, if older ones were pruned.
    pub first_seq: i64,
}

/// That one event is in the log that a checkpoint signs (RFC 9162 §2.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InclusionProof {
    /// The event.
    pub id: EventId,
    /// Its number.
    pub seq: i64,
    /// Its leaf, in hexadecimal.
    pub leaf: String,
    /// Its place in the tree, from 0.
    pub index: i64,
    /// The size of the tree.
    pub size: i64,
    /// The hashes from the leaf to the root, in hexadecimal.
    pub proof: Vec<String>,
    /// The signed note (C2SP tlog-checkpoint) of that size.
    pub checkpoint: String,
}

/// That a log only grew between two sizes (RFC 9162 §2.1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: i64,
    /// The larger size.
    pub to: i64,
    /// The root at the smaller size, in hexadecimal.
    pub from_root: String,
    /// The root at the larger size, in hexadecimal.
    pub to_root: String,
    /// The hashes between them, in hexadecimal.
    pub proof: Vec<String>,
}
