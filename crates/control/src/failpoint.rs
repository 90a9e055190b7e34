//! Named places at which a test can stop, kill or break the store. Outside tests they are nothing at all: the
//! `failpoints` feature is switched on by dev-dependencies only.

/// Every fail point of the store, in the order in which a batch passes them.
pub const FAIL_POINTS: [&str; 13] = [
    "store::enqueued",
    "store::before-open",
    "store::before-begin",
    "store::after-begin",
    "store::after-operations",
    "store::after-entries",
    "store::before-checkpoint",
    "store::after-checkpoint",
    "store::before-commit",
    "store::after-commit",
    "store::before-anchor",
    "store::after-anchor",
    "store::before-answer",
];

/// A place to stop or to die at; or, with a second argument, to fail at: `return(full)`, `return(read-only)` and
/// `return(io)` become the error that the operating system would cause.
macro_rules! fail_point {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        fail::fail_point!($name);
    };
    ($name:literal, error) => {
        #[cfg(feature = "failpoints")]
        fail::fail_point!($name, |kind: Option<String>| Err($crate::failpoint::injected(kind.as_deref())));
    };
}
pub(crate) use fail_point;

/// The error that a fail point stands for.
#[cfg(feature = "failpoints")]
pub(crate) fn injected(kind: Option<&str>) -> crate::store::StoreError {
    use crate::store::StoreError;
    match kind {
        Some("full") => StoreError::DiskFull("injected".into()),
        Some("read-only") => StoreError::ReadOnly("injected".into()),
        _ => StoreError::Io("injected".into()),
    }
}
