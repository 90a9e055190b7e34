//! A call that mints credentials: what the child asks for, and what is asked instead.
//! Source: STS API reference, AssumeRole, GetFederationToken, GetSessionToken, GetScopedCredentials.

use super::API_VERSION;
use crate::denial::{Denial, DenialCode};
use crate::limits::{
    SESSION_POLICY_CHARS_MAX, STS_CHAINED_DURATION_S_MAX, STS_DURATION_S_MIN, STS_ROLE_DURATION_S_MAX,
    STS_USER_DURATION_S_MAX,
};
use crate::policy::{Compiled, PolicyDocument, ScopedPolicy};
use crate::resolve::wire::{Parameters, is_presign_parameter};

/// The calls that the gate can make in the child's stead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mint {
    /// A session of another role.
    AssumeRole,
    /// A session of the calling user under another name.
    GetFederationToken,
    /// A temporary session of the calling user, as powerful as the user; only the gate narrows it.
    GetSessionToken,
    /// The calling session with less power and less time.
    GetScopedCredentials,
}

/// What becomes of a call that was allowed by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapping {
    /// It hands out no STS credentials, so it goes its usual way.
    Passes,
    /// The gate makes it, and answers with a placeholder.
    Wrapped(Mint),
    /// Its credentials could neither be narrowed nor held back.
    Refused(Denial),
}

/// What becomes of an operation, by its signing name and its API name.
pub fn wrapping(service: &str, operation: &str) -> Wrapping {
    if (service, operation) == ("s3", "GetDataAccess") {
        let why = "`s3:GetDataAccess` is not passed on: its credentials work past this gate, and cannot be narrowed";
        let denial = denied(DenialCode::NotAllowed, why.to_owned());
        let how = "use S3 itself, which the session's policy covers".to_owned();
        return Wrapping::Refused(Denial {
            how_to_ask: Some(how),
            action: Some("s3:GetDataAccess".to_owned()),
            ..denial
        });
    }
    if service != "sts" {
        return Wrapping::Passes;
    }
    let why = match operation {
        "AssumeRole" => return Wrapping::Wrapped(Mint::AssumeRole),
        "GetFederationToken" => return Wrapping::Wrapped(Mint::GetFederationToken),
        "GetSessionToken" => return Wrapping::Wrapped(Mint::GetSessionToken),
        "GetScopedCredentials" => return Wrapping::Wrapped(Mint::GetScopedCredentials),
        "AssumeRoleWithWebIdentity" | "AssumeRoleWithSAML" => {
            "it trades an identity of the command's own for credentials, and a session lends only what is its own"
        }
        "AssumeRoot" => "a root session takes no session policy, so nothing could hold it to this session's scope",
        _ => return Wrapping::Passes,
    };
    let how = "use `sts:AssumeRole`, which is answered with a child session".to_owned();
    let denial = denied(DenialCode::NotAllowed, format!("`sts:{operation}` is not passed on: {why}"));
    Wrapping::Refused(Denial { how_to_ask: Some(how), action: Some(format!("sts:{operation}")), ..denial })
}

/// A minting call, read strictly: a parameter that is not known is refused, because it might widen what is minted.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which one.
    pub mint: Mint,
    /// The role, where one is assumed.
    pub role_arn: Option<String>,
    /// The policy that the child wants its own child session to have.
    pub policy: Option<PolicyDocument>,
    /// Life asked for, seconds.
    pub duration_s: Option<u64>,
    /// What is passed on as it is.
    passed: Vec<(String, String)>,
}

/// How long a child session lives, and what STS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Life of the child session, seconds; never more than what its parent has left.
    pub child_s: u64,
    /// `DurationSeconds`; more than [`Self::child_s`] only where STS knows no shorter session.
    pub asked_s: u64,
}

impl Call {
    /// Reads the parameters from the query of a GET or the form of a POST.
    ///
    /// # Errors
    /// What cannot be read, is unknown, or cannot be narrowed, with the parameter's name.
    pub fn read(mint: Mint, query: &str, body: &[u8]) -> Result<Self, Denial> {
        let in_query = Parameters::of_query(query)?;
        let in_body = Parameters::of_form(body)?;
        let given = if in_body.get("Action").is_some() { &in_body } else { &in_query };
        let mut call = Self { mint, role_arn: None, policy: None, duration_s: None, passed: Vec::new() };
        for (name, value) in given.iter().filter(|(name, _)| !is_presign_parameter(name)) {
            call.take(name, value)?;
        }
        if mint == Mint::AssumeRole && call.role_arn.is_none() {
            return Err(malformed("`sts:AssumeRole` without a `RoleArn`"));
        }
        Ok(call)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Denial> {
        let mint = self.mint;
        match name.split('.').next().unwrap_or_default() {
            "Action" => {}
            "Version" if value == API_VERSION => {}
            "DurationSeconds" => self.duration_s = Some(duration(mint, value)?),
            "Policy" if mint != Mint::GetSessionToken => self.policy = Some(policy(value)?),
            // The placeholder's token is ours, and as long as it is.
            "MinimumSessionTokenSize" => {}
            "PolicyArns" => {
                let why = "STS adds managed session policies to the inline one, which must hold this session's scope";
                let how = "write the policy into `Policy`".to_owned();
                return Err(Denial {
                    how_to_ask: Some(how),
                    ..denied(DenialCode::NotAllowed, format!("`PolicyArns` is not passed on: {why}"))
                });
            }
            known if passes(mint, known) => {
                if known == "RoleArn" {
                    self.role_arn = Some(value.to_owned());
                }
                self.passed.push((name.to_owned(), value.to_owned()));
            }
            _ => {
                let why = format!("the call has a parameter that `sts:{}` is not known to have", mint.as_str());
                return Err(denied(DenialCode::Unresolved, why));
            }
        }
        Ok(())
    }

    /// The child session's policy: every ceiling of the parent's, and what was asked for as a further one.
    pub fn policy_under(&self, parent: &ScopedPolicy) -> ScopedPolicy {
        let mut policy = parent.clone();
        policy.documents.extend(self.policy.clone());
        policy
    }

    /// The child session's life under a parent that has `left_s` seconds.
    pub fn life(&self, left_s: u64) -> Life {
        let (usual_s, least_s) = match self.mint {
            Mint::AssumeRole => (STS_CHAINED_DURATION_S_MAX, STS_DURATION_S_MIN),
            Mint::GetFederationToken | Mint::GetSessionToken => (STS_ROLE_DURATION_S_MAX, STS_DURATION_S_MIN),
            Mint::GetScopedCredentials => (STS_USER_DURATION_S_MAX, 1),
        };
        let child_s = self.duration_s.unwrap_or(usual_s).min(left_s);
        Life { child_s, asked_s: child_s.max(least_s) }
    }

    /// The form that is sent instead: what passes, the life, and the session policy in place of the child's own.
    pub fn form(&self, compiled: Option<&Compiled>, life: Life) -> String {
        let mut form = format!("Action={}&Version={API_VERSION}", self.mint.as_str());
        let mut add = |name: &str, value: &str| {
            form.push('&');
            encode(name, &mut form);
            form.push('=');
            encode(value, &mut form);
        };
        self.passed.iter().for_each(|(name, value)| add(name, value));
        add("DurationSeconds", &life.asked_s.to_string());
        if let Some(compiled) = compiled {
            compiled.json.iter().for_each(|json| add("Policy", json));
            for (number, arn) in (1..).zip(&compiled.policy_arns) {
                add(&format!("PolicyArns.member.{number}.arn"), arn);
            }
        }
        form
    }
}

impl Mint {
    /// Every one.
    pub const ALL: [Self; 4] =
        [Self::AssumeRole, Self::GetFederationToken, Self::GetSessionToken, Self::GetScopedCredentials];

    /// The API name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetFederationToken => "GetFederationToken",
            Self::GetSessionToken => "GetSessionToken",
            Self::GetScopedCredentials => "GetScopedCredentials",
        }
    }

    /// True when the cloud can be told the session's scope; otherwise the gate alone enforces it.
    pub fn takes_policy(self) -> bool {
        match self {
            Self::AssumeRole | Self::GetFederationToken | Self::GetScopedCredentials => true,
            Self::GetSessionToken => false,
        }
    }
}

/// Parameters that say who is meant and how he proves it, and nothing about what he may do.
fn passes(mint: Mint, parameter: &str) -> bool {
    let known: &[&str] = match mint {
        Mint::AssumeRole => &[
            "RoleArn",
            "RoleSessionName",
            "ExternalId",
            "SerialNumber",
            "TokenCode",
            "SourceIdentity",
            "Tags",
            "TransitiveTagKeys",
        ],
        Mint::GetFederationToken => &["Name", "Tags"],
        Mint::GetSessionToken => &["SerialNumber", "TokenCode"],
        Mint::GetScopedCredentials => &[],
    };
    known.contains(&parameter)
}

fn duration(mint: Mint, text: &str) -> Result<u64, Denial> {
    let (min, max) = match mint {
        Mint::AssumeRole => (STS_DURATION_S_MIN, STS_ROLE_DURATION_S_MAX),
        Mint::GetFederationToken | Mint::GetSessionToken => (STS_DURATION_S_MIN, STS_USER_DURATION_S_MAX),
        Mint::GetScopedCredentials => (1, STS_USER_DURATION_S_MAX),
    };
    let seconds = text.parse().ok().filter(|seconds| (min..=max).contains(seconds));
    seconds.ok_or_else(|| malformed(format!("`DurationSeconds` of `sts:{}` is {min} to {max}", mint.as_str())))
}

fn policy(text: &str) -> Result<PolicyDocument, Denial> {
    if text.chars().count() > SESSION_POLICY_CHARS_MAX {
        return Err(malformed(format!("`Policy` has more than {SESSION_POLICY_CHARS_MAX} characters")));
    }
    PolicyDocument::parse(text).map_err(|error| malformed(format!("`Policy` is not a policy document: {error}")))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn malformed(reason: impl Into<String>) -> Denial {
    denied(DenialCode::Malformed, reason)
}

fn denied(code: DenialCode, reason: impl Into<String>) -> Denial {
    Denial::new(code, reason)
}

#[cfg(test)]
mod tests {
    use super::{Call, Life, Mint, Wrapping, wrapping};
    use crate::denial::DenialCode;
    use crate::limits::{
        SESSION_POLICY_CHARS_MAX, STS_DURATION_S_MIN, STS_ROLE_DURATION_S_MAX, STS_USER_DURATION_S_MAX,
    };
    use crate::policy::{AccessRequest, Context, Resource, ScopedPolicy, parse_actions};

    const ROLE: &str = "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fr&RoleSessionName=s";

    fn read(mint: Mint, rest: &str) -> Result<Call, DenialCode> {
        let body = format!("Action={}&Version=2011-06-15&{rest}", mint.as_str());
        Call::read(mint, "", body.as_bytes()).map_err(|denial| denial.code)
    }

    #[test]
    fn calls_whose_credentials_cannot_be_narrowed_are_refused_with_the_reason() {
        for name in ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "AssumeRoot"] {
            let Wrapping::Refused(denial) = wrapping("sts", name) else { panic!("{name} passes") };
            assert!(denial.message().contains(name) && denial.how_to_ask.is_some(), "{}", denial.message());
        }
        for mint in Mint::ALL {
            assert_eq!(wrapping("sts", mint.as_str()), Wrapping::Wrapped(mint));
            assert_eq!(wrapping("iam", mint.as_str()), Wrapping::Passes);
        }
        assert_eq!(wrapping("sts", "GetCallerIdentity"), Wrapping::Passes);
    }

    #[test]
    fn what_is_sent_is_built_from_what_is_known_and_the_policy_is_never_the_childs_own() {
        let policy = "Policy=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow\
                      %22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";
        let call =
            read(Mint::AssumeRole, &format!("{ROLE}&{policy}&DurationSeconds=3600&ExternalId=a%2Bb")).expect("ok");
        let parent = ScopedPolicy {
            actions: parse_actions("s3:GetObject").expect("parses"),
            resources: vec!["*".into()],
            ..ScopedPolicy::default()
        };
        let compiled = call.policy_under(&parent).compile("aws").expect("compiles");
        let form = call.form(Some(&compiled), call.life(1_000));
        assert!(form.contains("&RoleSessionName=s&") && form.contains("&ExternalId=a%2Bb"), "{form}");
        assert!(form.contains("&DurationSeconds=1000&Policy="), "{form}");
        assert!(form.contains("s3%3AGetObject") && !form.contains("%22Action%22%3A%22%2A%22"), "{form}");
        assert_eq!(form.matches("Policy=").count(), 1, "{form}");
    }

    #[test]
    fn a_child_sessions_policy_is_a_subset_of_its_parents() {
        let parent = ScopedPolicy {
            actions: parse_actions("s3:GetObject").expect("parses"),
            resources: vec!["arn:aws:s3:::lent/*".into()],
            ..ScopedPolicy::default()
        };
        let wide = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let mut call = read(Mint::AssumeRole, ROLE).expect("ok");
        let asked = |policy: &ScopedPolicy, action: &str, arn: &str| {
            let access = AccessRequest { action: action.into(), resource: Resource::Exact(arn.into()) };
            policy.evaluate(&access, &Context::default()).is_ok()
        };
        for document in [None, Some(crate::policy::PolicyDocument::parse(wide).expect("reads"))] {
            call.policy = document;
            let policy = call.policy_under(&parent);
            assert!(asked(&policy, "s3:GetObject", "arn:aws:s3:::lent/a"));
            assert!(!asked(&policy, "s3:PutObject", "arn:aws:s3:::lent/a"));
            assert!(!asked(&policy, "s3:GetObject", "arn:aws:s3:::other/a"));
        }
    }

    #[test]
    fn a_child_sessions_life_ends_with_its_parents() {
        let call = |mint, rest: &str| read(mint, rest).expect("reads");
        let life = |child_s, asked_s| Life { child_s, asked_s };
        assert_eq!(call(Mint::AssumeRole, ROLE).life(7_200), life(3_600, 3_600));
        assert_eq!(call(Mint::AssumeRole, ROLE).life(60), life(60, STS_DURATION_S_MIN));
        assert_eq!(call(Mint::AssumeRole, &format!("{ROLE}&DurationSeconds=43200")).life(7_200), life(7_200, 7_200));
        assert_eq!(call(Mint::GetSessionToken, "").life(60), life(60, STS_DURATION_S_MIN));
        assert_eq!(call(Mint::GetScopedCredentials, "DurationSeconds=5").life(60), life(5, 5));
        assert_eq!(call(Mint::GetScopedCredentials, "").life(60), life(60, 60));
    }

    #[test]
    fn a_parameter_that_is_unknown_or_could_widen_is_refused() {
        for (mint, rest) in [
            (Mint::AssumeRole, "RoleSessionName=s"),
            (Mint::AssumeRole, &*format!("{ROLE}&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FA")),
            (Mint::AssumeRole, &*format!("{ROLE}&ProvidedContexts.member.1.ProviderArn=x")),
            (Mint::AssumeRole, &*format!("{ROLE}&Surprise=1")),
            (Mint::AssumeRole, &*format!("{ROLE}&Policy=nonsense")),
            (Mint::AssumeRole, &*format!("{ROLE}&Policy={}", "x".repeat(SESSION_POLICY_CHARS_MAX + 1))),
            (Mint::AssumeRole, &*format!("{ROLE}&DurationSeconds={}", STS_ROLE_DURATION_S_MAX + 1)),
            (Mint::AssumeRole, &*format!("{ROLE}&DurationSeconds={}", STS_DURATION_S_MIN - 1)),
            (Mint::GetSessionToken, &*format!("DurationSeconds={}", STS_USER_DURATION_S_MAX + 1)),
            (Mint::GetSessionToken, "Policy=%7B%7D"),
            (Mint::GetScopedCredentials, "DurationSeconds=0"),
            (Mint::GetScopedCredentials, ROLE),
        ] {
            assert!(read(mint, rest).is_err(), "{mint:?} {rest}");
        }
        assert!(Call::read(Mint::AssumeRole, "", b"Action=AssumeRole&Version=2020-01-01").is_err());
    }
}
