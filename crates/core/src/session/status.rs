//! The session's state machine: one total table. The store enforces it a second time in SQL.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a session is in its life. The last five are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Recorded, nothing lent yet.
    Pending,
    /// Lent: requests may pass.
    Active,
    /// The command ended by itself.
    Completed,
    /// The time ran out.
    Expired,
    /// Somebody took it back.
    Revoked,
    /// The money ran out.
    BudgetExceeded,
    /// It could not be lent, or its keeper died.
    Failed,
}

/// What can happen to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEvent {
    /// A credential was issued and delivery is ready.
    Activate,
    /// The command ended.
    Complete,
    /// The time ran out.
    Expire,
    /// Somebody took it back.
    Revoke,
    /// The money ran out.
    ExhaustBudget,
    /// Something broke, or the keeper died.
    Fail,
}

/// The event may not happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session that is {from} cannot {event}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: SessionStatus,
    /// What was asked.
    pub event: SessionEvent,
}

impl SessionStatus {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Active,
        Self::Completed,
        Self::Expired,
        Self::Revoked,
        Self::BudgetExceeded,
        Self::Failed,
    ];

    /// The state after `event`. Revoking what has already ended changes nothing and is not an error, so that
    /// `kill` can be repeated; everything else on an ended session is illegal: a revoked session stays revoked.
    pub fn on(self, event: SessionEvent) -> Result<Self, IllegalTransition> {
        use SessionEvent as E;
        match (self, event) {
            (Self::Pending, E::Activate) => Ok(Self::Active),
            (Self::Active, E::Complete) => Ok(Self::Completed),
            (Self::Active, E::ExhaustBudget) => Ok(Self::BudgetExceeded),
            (Self::Pending | Self::Active, E::Expire) => Ok(Self::Expired),
            (Self::Pending | Self::Active, E::Revoke) => Ok(Self::Revoked),
            (Self::Pending | Self::Active, E::Fail) => Ok(Self::Failed),
            (Self::Completed | Self::Expired | Self::Revoked | Self::BudgetExceeded | Self::Failed, E::Revoke) => {
                Ok(self)
            }
            (Self::Pending, E::Complete | E::ExhaustBudget)
            | (Self::Active, E::Activate)
            | (
                Self::Completed | Self::Expired | Self::Revoked | Self::BudgetExceeded | Self::Failed,
                E::Activate | E::Complete | E::Expire | E::ExhaustBudget | E::Fail,
            ) => Err(IllegalTransition { from: self, event }),
        }
    }

    /// True when nothing can change any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Active => false,
            Self::Completed | Self::Expired | Self::Revoked | Self::BudgetExceeded | Self::Failed => true,
        }
    }

    /// The name in JSON, in the store and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::BudgetExceeded => "budget_exceeded",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SessionStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|s| s.as_str()).collect();
            format!("`{text}` is not a status ({})", names.join(", "))
        })
    }
}

impl SessionEvent {
    /// Every event.
    pub const ALL: [Self; 6] =
        [Self::Activate, Self::Complete, Self::Expire, Self::Revoke, Self::ExhaustBudget, Self::Fail];
}

impl fmt::Display for SessionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Activate => "become active",
            Self::Complete => "complete",
            Self::Expire => "expire",
            Self::Revoke => "be revoked",
            Self::ExhaustBudget => "exceed its budget",
            Self::Fail => "fail",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{SessionEvent, SessionStatus};

    #[test]
    fn a_final_state_never_changes() {
        for status in SessionStatus::ALL.into_iter().filter(|s| s.is_final()) {
            for event in SessionEvent::ALL {
                match status.on(event) {
                    Ok(next) => assert_eq!((next, event), (status, SessionEvent::Revoke)),
                    Err(refused) => assert_eq!(refused.from, status),
                }
            }
        }
    }

    #[test]
    fn a_revoked_session_stays_revoked() {
        assert!(SessionStatus::Revoked.on(SessionEvent::Complete).is_err());
        assert_eq!(SessionStatus::Revoked.on(SessionEvent::Revoke), Ok(SessionStatus::Revoked));
    }

    #[test]
    fn nothing_is_lent_from_pending_without_activation() {
        assert!(SessionStatus::Pending.on(SessionEvent::Complete).is_err());
        assert_eq!(SessionStatus::Pending.on(SessionEvent::Activate), Ok(SessionStatus::Active));
    }

    #[test]
    fn names_round_trip_through_text_and_json() {
        for status in SessionStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_string(&status).expect("json"), format!("\"{status}\""));
        }
    }
}
