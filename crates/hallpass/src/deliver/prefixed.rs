//! Services whose hosts have something before them: SDKs put it before whatever endpoint they are given, and the gate's
//! is an address, which can have nothing before it. Beside the endpoint there is the proxy, which knows their own hosts.

use hallpass_core::provider::CloudProvider;
use hallpass_core::resolve::Partition;
use hallpass_core::session::Session;

/// Service ids as `AWS_ENDPOINT_URL_<SERVICE>` has them, and their endpoint prefixes: those of which all operations, or
/// nearly all, have a `hostPrefix` (service-2.json of botocore).
const SERVICES: [(&str, &str); 8] = [
    ("S3_CONTROL", "s3-control"),
    ("DEADLINE", "deadline"),
    ("IOTSITEWISE", "iotsitewise"),
    ("IOTTWINMAKER", "iottwinmaker"),
    ("LOCATION", "geo"),
    ("MWAA", "airflow"),
    ("OMICS", "omics"),
    ("WORKSPACES_THIN_CLIENT", "thinclient"),
];

/// Variables that lead these services through the proxy, in the session's region; none where it is not known, or not one
/// of AWS's own domains.
pub(super) fn variables(session: &Session) -> Vec<(String, String)> {
    let region = session.region.as_deref().filter(|_| session.provider == CloudProvider::Aws);
    let suffix = |region: &str| match Partition::of_region(region) {
        Ok(Partition::Aws | Partition::AwsUsGov) => Some("amazonaws.com"),
        Ok(Partition::AwsCn) => Some("amazonaws.com.cn"),
        _ => None,
    };
    let Some((region, suffix)) = region.and_then(|region| Some((region, suffix(region)?))) else { return Vec::new() };
    let url =
        |(id, host): &(&str, &str)| (format!("AWS_ENDPOINT_URL_{id}"), format!("https://{host}.{region}.{suffix}"));
    SERVICES.iter().map(url).collect()
}

#[cfg(test)]
mod tests {
    use hallpass_core::id::SessionId;
    use hallpass_core::policy::ScopedPolicy;
    use hallpass_core::provider::CloudProvider;
    use hallpass_core::session::Session;
    use jiff::{SignedDuration, Timestamp};

    use super::{SERVICES, variables};

    #[test]
    fn these_services_are_led_to_their_own_hosts_in_the_sessions_region() {
        let id = SessionId::new("0123").expect("legal");
        let life = SignedDuration::from_secs(60);
        let session =
            Session::new(id, Timestamp::UNIX_EPOCH, life, None, ScopedPolicy::default(), String::new(), vec![]);
        let of = |region: Option<&str>, provider| {
            variables(&Session { region: region.map(str::to_owned), provider, ..session.clone() })
        };
        let control = |url: &str| ("AWS_ENDPOINT_URL_S3_CONTROL".to_owned(), url.to_owned());
        let made = of(Some("eu-central-1"), CloudProvider::Aws);
        assert_eq!((made.len(), &made[0]), (SERVICES.len(), &control("https://s3-control.eu-central-1.amazonaws.com")));
        let made = of(Some("cn-north-1"), CloudProvider::Aws);
        assert_eq!(made[0], control("https://s3-control.cn-north-1.amazonaws.com.cn"));
        assert!(of(None, CloudProvider::Aws).is_empty() && of(Some("us-iso-east-1"), CloudProvider::Aws).is_empty());
        assert!(of(Some("eu-central-1"), CloudProvider::S3).is_empty(), "a store has no other services");
    }
}
