//! What can be wrong with a log; each kind has its own name and sentence.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The bytes of an entry are not those that the next one links to.
    #[error("entry {at} was edited: its hash is not the one that its successor recorded")]
    Edited {
        /// Position.
        at: u64,
    },
}

impl Finding {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edited { .. } => "entry-edited",
        }
    }

    /// Position of the first bad entry; `None` when what is wrong is not an entry.
    pub fn position(&self) -> Option<u64> {
        match self {
            Self::Edited { at } => Some(*at),
        }
    }
}
