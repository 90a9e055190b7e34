//! Named places at which a test can stop, kill or break the store, and the way to arm those of the whole program.
//! Outside tests they are nothing at all: the `failpoints` feature is switched on by dev-dependencies only.

/// True when fail points were compiled in, which is never so in a build that is shipped.
pub const ENABLED: bool = cfg!(feature = "failpoints");

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

/// Arms one fail point, here or in any crate that has some: `name` kills this process with SIGKILL at that place,
/// `name@n` at its n-th passing, `name=action` takes the actions of the crate `fail`, such as `12*off->return(full)`.
///
/// # Errors
/// What is wrong with the order. Without the feature nothing can be armed.
#[cfg(feature = "failpoints")]
pub fn arm(order: &str) -> Result<(), String> {
    use std::sync::atomic::{AtomicU32, Ordering};
    if let Some((name, action)) = order.split_once('=') {
        return fail::cfg(name, action);
    }
    let (name, nth) = match order.split_once('@') {
        Some((name, nth)) => (name, nth.parse().map_err(|_| format!("`{nth}` is not a number of passings"))?),
        None => (order, 1),
    };
    let passed = AtomicU32::new(0);
    let kill = move || {
        if passed.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal may take a moment; nothing may happen in it.
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    };
    fail::cfg_callback(name, kill)
}

/// Arms one fail point.
///
/// # Errors
/// Always: there are none in this build.
#[cfg(not(feature = "failpoints"))]
pub fn arm(_: &str) -> Result<(), String> {
    Err("this build has no fail points".to_owned())
}

/// A fail point of a crate that has no feature of its own: the binary.
#[cfg(feature = "failpoints")]
pub fn reached(name: &'static str) {
    let _: Option<()> = fail::eval(name, |_| ());
}

/// A fail point of a crate that has no feature of its own: nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reached(_: &'static str) {}

/// True when a test asks for something to be broken in this way: that tests would notice, or what happens then.
#[cfg(feature = "failpoints")]
pub fn broken(mutant: &'static str) -> bool {
    fail::eval(mutant, |_| ()).is_some()
}

/// True when a test asks for something to be broken: never.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn broken(_: &'static str) -> bool {
    false
}

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
