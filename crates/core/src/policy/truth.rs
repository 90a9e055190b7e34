//! Three-valued logic: what is not known is neither true nor false until an effect decides which way is safe.

/// Kleene's three values. An Allow needs `Yes`; a Deny applies unless it is `No`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    No,
    Maybe,
    Yes,
}

impl Truth {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }

    pub(crate) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        !Self::any(truths.into_iter().map(|truth| !truth))
    }

    /// Stops at the first `Yes`.
    pub(crate) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::No;
        for truth in truths {
            any = any.or(truth);
            if any == Self::Yes {
                break;
            }
        }
        any
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth;
    use super::Truth::{Maybe, No, Yes};

    #[test]
    fn what_is_unknown_decides_nothing_and_what_is_decided_stays() {
        assert_eq!(
            [Maybe.and(No), Maybe.and(Yes), Maybe.or(No), Maybe.or(Yes), !Maybe],
            [No, Maybe, Maybe, Yes, Maybe]
        );
        assert_eq!(Truth::all([]), Yes);
        assert_eq!(Truth::any([]), No);
        assert_eq!(Truth::any([No, Maybe, Yes]), Yes);
        assert_eq!(Truth::all([Yes, Maybe, No]), No);
    }
}
