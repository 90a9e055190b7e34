//! One AssumeRole request: built and checked before anything is sent.

use std::collections::BTreeMap;

use hallpass_core::credential::Credential;
use hallpass_core::delivery::Delivery;
use hallpass_core::limits::{
    ROLE_ARN_CHARS_MAX, SESSION_TTL_S_MAX, STS_CHAINED_DURATION_S_MAX, STS_DURATION_S_MIN, TAG_KEY_CHARS_MAX,
    TAG_VALUE_CHARS_MAX, TAGS_MAX,
};
use hallpass_core::permit::Permit;
use hallpass_core::provider::ProviderError;
use jiff::Timestamp;

use super::options::AwsOptions;

/// Everything that AssumeRole is told.
#[derive(Debug, Clone)]
pub(crate) struct RoleRequest {
    pub(crate) role_arn: String,
    pub(crate) session_name: String,
    pub(crate) policy: Option<String>,
    pub(crate) policy_arns: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) external_id: Option<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) duration_s: u64,
}

impl RoleRequest {
    /// Compiles the permit's policy and checks every parameter against the STS API's own rules.
    pub(crate) fn new(permit: &Permit, options: &AwsOptions) -> Result<Self, ProviderError> {
        options.check_role(permit.role_arn(), permit.tags())?;
        let partition = partition_of(permit.role_arn())?;
        let compiled =
            permit.policy().compile(partition).map_err(|error| ProviderError::PolicyTooLarge(error.to_string()))?;
        if permit.delivery().exposes_real_credential() && !compiled.exact {
            return Err(ProviderError::Invalid(format!(
                "delivery `{}` hands out the real credential, and a session policy cannot say all of this scope ({}): \
                 use delivery `proxy`, where the gate enforces it, or a scope that fits one statement",
                permit.delivery().as_str(),
                compiled.notes.join("; ")
            )));
        }
        Ok(Self {
            role_arn: permit.role_arn().to_owned(),
            session_name: session_name(permit.session().as_str()),
            policy: compiled.json,
            policy_arns: compiled.policy_arns,
            tags: permit.tags().clone(),
            external_id: options.external_id.clone(),
            source_identity: options.source_identity.clone(),
            duration_s: STS_DURATION_S_MIN,
        })
    }

    /// The same request with the life that STS can grant on this base credential.
    ///
    /// A delivery that renews asks for an hour at most, because every role allows that; one that cannot renew asks
    /// for the session's whole life, and is refused here when role chaining caps it.
    pub(crate) fn for_base(&self, base: &Credential, permit: &Permit, now: Timestamp) -> Result<Self, ProviderError> {
        let left = u64::try_from(permit.not_after().duration_since(now).as_secs()).unwrap_or(0);
        let chained = base.session_token.is_some();
        let renews = match permit.delivery() {
            Delivery::Proxy | Delivery::CredentialEndpoint => true,
            Delivery::Env | Delivery::File => false,
        };
        if chained && !renews && left > STS_CHAINED_DURATION_S_MAX {
            return Err(ProviderError::Invalid(format!(
                "the base credential is itself temporary, and a role assumed with it lasts at most \
                 {STS_CHAINED_DURATION_S_MAX} s, but {left} s were asked for: use a ttl of at most 1h, or delivery \
                 `proxy` or `credential-endpoint`, which renew"
            )));
        }
        let cap = if chained || renews { STS_CHAINED_DURATION_S_MAX } else { SESSION_TTL_S_MAX };
        Ok(Self { duration_s: left.clamp(STS_DURATION_S_MIN, cap), ..self.clone() })
    }
}

impl AwsOptions {
    /// Checks what AssumeRole would be told of these options against the STS API's own rules; makes no call.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] with the parameter and its rule.
    pub fn check_role(&self, role_arn: &str, tags: &BTreeMap<String, String>) -> Result<(), ProviderError> {
        partition_of(role_arn)?;
        check_tags(tags)?;
        check_text("external id", self.external_id.as_deref(), 1_224, "+=,.@:/-")?;
        check_text("source identity", self.source_identity.as_deref(), 64, "+=,.@-")
    }
}

/// The name is unique per session and cannot be guessed: a resource policy that names a session ARN would otherwise
/// grant around the session policy, and a revocation can name it (`aws:userid`).
pub(crate) fn session_name(session: &str) -> String {
    format!("hallpass-{session}").chars().take(64).collect()
}

/// `arn:<partition>:iam::<12 digits>:role/<path and name>`.
fn partition_of(role_arn: &str) -> Result<&str, ProviderError> {
    let wrong = || {
        ProviderError::Invalid(format!("`{role_arn}` is not a role ARN: write `arn:aws:iam::123456789012:role/NAME`"))
    };
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return Err(wrong());
    };
    let account_ok = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&b);
    let name_ok = resource.strip_prefix("role/").is_some_and(|name| {
        !name.is_empty() && !name.ends_with('/') && name.bytes().all(legal) && role_arn.len() <= ROLE_ARN_CHARS_MAX
    });
    if *arn != "arn" || *service != "iam" || !region.is_empty() || partition.is_empty() || !account_ok || !name_ok {
        return Err(wrong());
    }
    Ok(partition)
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ProviderError> {
    if tags.len() > TAGS_MAX {
        return Err(ProviderError::Invalid(format!("at most {TAGS_MAX} tags, {} were given", tags.len())));
    }
    for (key, value) in tags {
        let key_ok = (1..=TAG_KEY_CHARS_MAX).contains(&key.chars().count());
        if !key_ok || value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(ProviderError::Invalid(format!(
                "tag `{key}`: a key has 1 to {TAG_KEY_CHARS_MAX} characters, a value at most {TAG_VALUE_CHARS_MAX}"
            )));
        }
        let legal = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
        if !key.chars().all(legal) || !value.chars().all(legal) {
            return Err(ProviderError::Invalid(format!("tag `{key}`: only letters, digits, spaces and `_.:/=+-@`")));
        }
    }
    Ok(())
}

fn check_text(what: &str, text: Option<&str>, max: usize, also: &str) -> Result<(), ProviderError> {
    let Some(text) = text else { return Ok(()) };
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
    if !(2..=max).contains(&text.len()) || !text.chars().all(legal) {
        return Err(ProviderError::Invalid(format!(
            "the {what} has 2 to {max} characters: letters, digits and `_{also}`"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hallpass_core::credential::Credential;
    use hallpass_core::delivery::Delivery;
    use hallpass_core::id::SessionId;
    use hallpass_core::limits::{
        ROLE_ARN_CHARS_MAX, SESSION_TTL_S_MAX, STS_CHAINED_DURATION_S_MAX, STS_DURATION_S_MIN,
    };
    use hallpass_core::permit::{Bounds, Permit, authorize};
    use hallpass_core::policy::{ActionPattern, ScopedPolicy};
    use hallpass_core::secret::Secret;
    use hallpass_core::session::Session;
    use jiff::{SignedDuration, Timestamp};

    use super::{RoleRequest, check_tags, check_text, partition_of, session_name};
    use crate::aws::AwsOptions;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn permit(ttl_s: u64, delivery: Delivery) -> Permit {
        let id = SessionId::new("a").expect("id");
        let ttl = SignedDuration::from_secs(i64::try_from(ttl_s).expect("fits"));
        let action = ActionPattern { service: "s3".into(), action: "GetObject".into() };
        let policy = ScopedPolicy { actions: vec![action], resources: vec!["*".into()], ..ScopedPolicy::default() };
        let role = "arn:aws:iam::123456789012:role/r".to_owned();
        let session = Session { delivery, ..Session::new(id, NOW, ttl, None, policy, role, vec![]) };
        authorize(&session, &Bounds::default(), NOW).expect("permitted")
    }

    /// The duration that STS would be asked for, or the refusal.
    fn duration_s(ttl_s: u64, delivery: Delivery, temporary_base: bool) -> Result<u64, String> {
        let permit = permit(ttl_s, delivery);
        let base = Credential {
            access_key_id: "AKIA".into(),
            secret_access_key: Secret::new("s"),
            session_token: temporary_base.then(|| Secret::new("t")),
            expires_at: None,
        };
        let request = RoleRequest::new(&permit, &AwsOptions::default()).map_err(|e| e.to_string())?;
        request.for_base(&base, &permit, NOW).map(|request| request.duration_s).map_err(|e| e.to_string())
    }

    #[test]
    fn a_role_session_lives_within_what_sts_grants() {
        assert_eq!(duration_s(1, Delivery::Proxy, false), Ok(STS_DURATION_S_MIN));
        assert_eq!(duration_s(SESSION_TTL_S_MAX, Delivery::Proxy, false), Ok(STS_CHAINED_DURATION_S_MAX));
        assert_eq!(duration_s(SESSION_TTL_S_MAX, Delivery::Env, false), Ok(SESSION_TTL_S_MAX));
        assert_eq!(duration_s(STS_CHAINED_DURATION_S_MAX, Delivery::Env, true), Ok(STS_CHAINED_DURATION_S_MAX));
        let refused = duration_s(STS_CHAINED_DURATION_S_MAX + 1, Delivery::Env, true).expect_err("chaining caps");
        assert!(refused.contains("at most 1h"), "{refused}");
        assert_eq!(duration_s(SESSION_TTL_S_MAX, Delivery::CredentialEndpoint, true), Ok(STS_CHAINED_DURATION_S_MAX));
    }

    #[test]
    fn only_a_role_arn_is_a_role_arn() {
        assert_eq!(partition_of("arn:aws-us-gov:iam::123456789012:role/a/b").expect("ok"), "aws-us-gov");
        for bad in [
            "",
            "role/x",
            "arn:aws:iam::12:role/x",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:role/a*",
            &format!("arn:aws:iam::123456789012:role/{}", "a".repeat(ROLE_ARN_CHARS_MAX)),
        ] {
            assert!(partition_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_past_the_limits_of_sts_are_refused_before_the_call() {
        let many: BTreeMap<String, String> = (0..51).map(|n| (n.to_string(), String::new())).collect();
        assert!(check_tags(&many).is_err());
        assert!(check_tags(&[("k".repeat(129), String::new())].into()).is_err());
        assert!(check_tags(&[("k".to_owned(), "v".repeat(257))].into()).is_err());
        assert!(check_tags(&[("k".to_owned(), "a\nb".to_owned())].into()).is_err());
        assert!(check_tags(&[("k".repeat(128), "v".repeat(256))].into()).is_ok());
        assert!(check_text("source identity", Some("x"), 64, "-").is_err());
        assert!(check_text("source identity", Some("a b"), 64, "-").is_err());
        assert!(check_text("source identity", Some("ab"), 64, "-").is_ok());
    }

    #[test]
    fn a_session_name_fits_sts() {
        let name = session_name("9e03b5df-995f-47d1-a3a0-e29e16359514");
        assert!((2..=64).contains(&name.len()), "{name}");
        assert!(session_name(&"x".repeat(64)).len() <= 64);
    }
}
