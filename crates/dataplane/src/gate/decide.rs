//! Fourth step: may it? Every access that the request needs must be allowed.

use hallpass_core::denial::Denial;
use hallpass_core::policy::PreparedPolicy;
use hallpass_core::resolve::Resolved;

use super::fail_points::fail_point;

/// What the policy that is only tried out would have said; it refuses nothing.
///
/// # Errors
/// The denial of the first access that is not allowed.
pub(super) fn decide(policy: &PreparedPolicy<'_>, resolved: &Resolved) -> Result<Option<Denial>, Denial> {
    fail_point!("gate::decide", Err(super::refuse::injected()));
    allowed(policy, resolved)?;
    Ok(policy.shadow().and_then(|tried| allowed(tried, resolved).err()))
}

fn allowed(policy: &PreparedPolicy<'_>, resolved: &Resolved) -> Result<(), Denial> {
    for context in resolved.contexts() {
        resolved.accesses.iter().try_for_each(|access| policy.evaluate(access, &context))?;
        resolved.behind.iter().try_for_each(|access| policy.refuse_denied(access, &context))?;
    }
    Ok(())
}
