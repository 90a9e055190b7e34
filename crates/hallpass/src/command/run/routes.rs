//! Where the gate sends requests: the caller's own endpoints, and whom the real credential stands for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;

use hallpass_core::limits::CA_BUNDLE_BYTES_MAX;
use hallpass_core::resolve::Partition;
use hallpass_core::resolve::catalog::Variant;
use hallpass_dataplane::gate::{CallerIdentity, Outward, Upstreams};

use super::nested::is_inside;
use crate::deliver::environment::Variables;
use crate::error::{CommandError, ErrorKind};

/// Service ids whose signing name is not the id in lower case without `_` (service-2.json of botocore:
/// `serviceId`, `signingName` or `endpointPrefix`).
const SIGNING_NAMES: &[(&str, &str)] = &[
    ("APPLICATION_AUTO_SCALING", "application-autoscaling"),
    ("API_GATEWAY", "apigateway"),
    ("BEDROCK_RUNTIME", "bedrock"),
    ("CLOUDWATCH", "monitoring"),
    ("CLOUDWATCH_EVENTS", "events"),
    ("CLOUDWATCH_LOGS", "logs"),
    ("COGNITO_IDENTITY", "cognito-identity"),
    ("COGNITO_IDENTITY_PROVIDER", "cognito-idp"),
    ("DYNAMODB_STREAMS", "dynamodb"),
    ("EFS", "elasticfilesystem"),
    ("ELASTIC_LOAD_BALANCING_V2", "elasticloadbalancing"),
    ("EMR", "elasticmapreduce"),
    ("EVENTBRIDGE", "events"),
    ("IOT_DATA_PLANE", "iotdata"),
    ("OPENSEARCH", "es"),
    ("PINPOINT", "mobiletargeting"),
    ("REDSHIFT_DATA", "redshift-data"),
    ("RESOURCE_GROUPS", "resource-groups"),
    ("RESOURCE_GROUPS_TAGGING_API", "tagging"),
    ("SESV2", "ses"),
    ("SFN", "states"),
];

const S3_CONTROL: &str = "S3_CONTROL";
const BY_SERVICE: &str = "AWS_ENDPOINT_URL_";

/// The caller's endpoints, as every SDK reads them: one for each service wins over one for all. `hosts` are the AWS
/// hosts that the configuration has at another address.
///
/// # Errors
/// When one is not a URL that the gate can send to, or FIPS or dual-stack endpoints are asked for beside it: nobody knows
/// whether it is one, and every SDK refuses that as well (`Invalid Configuration`, endpoint rules of botocore).
pub(crate) fn upstreams(
    original: &Variables,
    configured: Option<&str>,
    hosts: &BTreeMap<String, String>,
) -> Result<Upstreams, CommandError> {
    let text = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty());
    let wrong = |error: hallpass_dataplane::gate::UpstreamUrlError| {
        CommandError::usage("run.endpoint", "an endpoint of yours cannot be used").because(&error)
    };
    let ignored = text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let asked = |name: &str| text(name).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let (fips, dual_stack) = (asked("AWS_USE_FIPS_ENDPOINT"), asked("AWS_USE_DUALSTACK_ENDPOINT"));
    let mut upstreams = Upstreams::aws().with_variant(Variant { fips, dual_stack });
    for (host, url) in hosts {
        upstreams = upstreams.with_host(host, url).map_err(wrong)?;
    }
    let alone = || {
        let why = "FIPS and dual-stack endpoints are AWS's own, and an endpoint of yours is given beside them";
        let next = "unset AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or the endpoint";
        if fips || dual_stack { Err(CommandError::usage("run.endpoint", why).next(next)) } else { Ok(()) }
    };
    if !ignored {
        for (name, url) in original {
            let service = name.to_str().and_then(|name| name.strip_prefix(BY_SERVICE));
            // Inside a session the outer one has set them, for services that go through its proxy.
            let service = service.filter(|_| !is_inside(original));
            if service == Some(S3_CONTROL) && !url.is_empty() {
                return Err(CommandError::usage("run.endpoint", "AWS_ENDPOINT_URL_S3_CONTROL cannot be followed")
                    .cause("S3 Control is signed as S3 is, so that its endpoint would be that of every bucket")
                    .next("unset it; `[aws.upstreams]` in the configuration sends single hosts elsewhere"));
            }
            if let (Some(service), Some(url)) = (service, url.to_str().filter(|url| !url.is_empty())) {
                alone()?;
                upstreams = upstreams.with_service(&signing_name(service), url).map_err(wrong)?;
            }
        }
    }
    match configured.or_else(|| text("AWS_ENDPOINT_URL").filter(|_| !ignored)) {
        Some(url) => alone().and_then(|()| upstreams.with_base(url).map_err(wrong)),
        None => Ok(upstreams),
    }
}

/// The caller's own proxy on the way to AWS, as every SDK reads it.
pub(crate) fn outward(original: &Variables) -> Outward {
    let text = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty());
    let either = |lower: &str, upper: &str| text(lower).or_else(|| text(upper));
    Outward::new(either("https_proxy", "HTTPS_PROXY"), either("no_proxy", "NO_PROXY"))
}

/// The one upstream of a session on an S3-compatible store.
///
/// # Errors
/// When it is not a URL that the gate can send to.
pub(crate) fn store(url: &str) -> Result<Upstreams, CommandError> {
    Upstreams::store(url).map_err(|error| {
        CommandError::usage("run.endpoint", "the endpoint of the store cannot be used").because(&error)
    })
}

fn signing_name(service: &str) -> String {
    let named = SIGNING_NAMES.iter().find(|(id, _)| *id == service).map(|(_, name)| (*name).to_owned());
    named.unwrap_or_else(|| service.to_ascii_lowercase().replace('_', ""))
}

/// Whom the real credential stands for, as far as it is known without a call.
pub(crate) fn caller(identity: Option<&str>, region: Option<&str>) -> CallerIdentity {
    let mut parts = identity.unwrap_or_default().split(':').skip(1);
    let partition = match (parts.next().filter(|p| !p.is_empty()), region) {
        (Some(partition), _) => partition,
        (None, Some(region)) => Partition::of_region(region).map_or("aws", Partition::as_str),
        (None, None) => "aws",
    };
    let account = parts.nth(2).unwrap_or_default();
    CallerIdentity {
        partition: partition.to_owned(),
        account: account.to_owned(),
        arn: identity.unwrap_or_default().to_owned(),
        ..CallerIdentity::default()
    }
}

/// The certificate authorities that the caller adds with `AWS_CA_BUNDLE`.
///
/// # Errors
/// When the file cannot be read or is larger than [`CA_BUNDLE_BYTES_MAX`].
pub(crate) fn extra_roots(original: &Variables) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(path) = original.get(OsStr::new("AWS_CA_BUNDLE")).filter(|v| !v.is_empty()) else { return Ok(None) };
    let wrong = |why: String| {
        CommandError::new(ErrorKind::Usage, "run.ca_bundle", "the file that AWS_CA_BUNDLE names cannot be used")
            .cause(why)
            .next("correct AWS_CA_BUNDLE, or unset it")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| wrong(format!("`{}`: {e}", path.display())))?;
    file.take(CA_BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > CA_BUNDLE_BYTES_MAX {
        return Err(wrong(format!("it has more than {CA_BUNDLE_BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::CA_BUNDLE_BYTES_MAX;

    use hallpass_dataplane::gate::Outward;

    use super::{caller, extra_roots, outward, signing_name, upstreams};
    use crate::deliver::environment::Variables;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn a_service_id_becomes_its_signing_name() {
        for (id, name) in
            [("S3", "s3"), ("SFN", "states"), ("SECRETS_MANAGER", "secretsmanager"), ("DYNAMODB", "dynamodb")]
        {
            assert_eq!(signing_name(id), name);
        }
    }

    #[test]
    fn the_partition_comes_from_the_identity_or_else_from_the_region() {
        let known = caller(Some("arn:aws-cn:sts::111122223333:assumed-role/a/b"), None);
        assert_eq!((known.partition.as_str(), known.account.as_str()), ("aws-cn", "111122223333"));
        assert_eq!(caller(None, Some("us-gov-west-1")).partition, "aws-us-gov");
        assert_eq!(caller(None, Some("cn-north-1")).partition, "aws-cn");
        assert_eq!(caller(None, Some("us-isob-east-1")).partition, "aws-iso-b");
        assert_eq!(caller(None, Some("eusc-de-east-1")).partition, "aws-eusc");
        assert_eq!(caller(None, None).partition, "aws");
    }

    #[test]
    fn a_bad_endpoint_is_refused_unless_the_caller_ignores_it() {
        let bad = [("AWS_ENDPOINT_URL_S3", "ftp://x"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")];
        let none = std::collections::BTreeMap::new();
        assert!(upstreams(&variables(&bad[..1]), None, &none).is_err());
        assert!(upstreams(&variables(&bad), None, &none).is_ok());
        assert!(upstreams(&variables(&bad), Some("gopher://x"), &none).is_err());
    }

    #[test]
    fn an_endpoint_of_s3_control_never_becomes_that_of_every_bucket() {
        let none = std::collections::BTreeMap::new();
        let control = ("AWS_ENDPOINT_URL_S3_CONTROL", "https://s3-control.us-east-1.amazonaws.com");
        let error = upstreams(&variables(&[control]), None, &none).expect_err("it cannot be followed").to_string();
        assert!(error.contains("AWS_ENDPOINT_URL_S3_CONTROL"), "{error}");
        let inside = [control, ("HALLPASS_SESSION_ID", "0123"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
        let led = upstreams(&variables(&inside), None, &none).expect("the outer session has set it");
        let gate = upstreams(&variables(&inside[2..]), None, &none).expect("one endpoint");
        assert_eq!(format!("{led:?}"), format!("{gate:?}"));
    }

    #[test]
    fn an_endpoint_of_ones_own_is_refused_where_fips_or_dual_stack_is_asked_for() {
        let none = std::collections::BTreeMap::new();
        for variant in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            for endpoint in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"] {
                let both = [(variant, "true"), (endpoint, "https://example.com")];
                let error = upstreams(&variables(&both), None, &none).expect_err("as every SDK says").to_string();
                assert!(error.contains("FIPS and dual-stack"), "{error}");
                assert!(upstreams(&variables(&[(variant, "false"), both[1]]), None, &none).is_ok());
            }
            assert!(upstreams(&variables(&[(variant, "true")]), Some("https://example.com"), &none).is_err());
            let host = [("s3.us-east-1.amazonaws.com".to_owned(), "https://vpce.example".to_owned())].into();
            assert!(upstreams(&variables(&[(variant, "true")]), None, &host).is_ok(), "a host that is AWS's own");
        }
    }

    #[test]
    fn the_callers_proxy_is_read_in_both_spellings_and_an_empty_one_is_none() {
        let proxy = "http://proxy.corp:3128";
        for (set, https, no_proxy) in [
            (&[("HTTPS_PROXY", proxy), ("NO_PROXY", "a.example")][..], Some(proxy), Some("a.example")),
            (&[("https_proxy", proxy), ("HTTPS_PROXY", "http://b:1"), ("no_proxy", "x")], Some(proxy), Some("x")),
            (&[("https_proxy", ""), ("HTTPS_PROXY", proxy)], Some(proxy), None),
            (&[("HTTP_PROXY", proxy), ("ALL_PROXY", proxy)], None, None),
        ] {
            assert_eq!(outward(&variables(set)), Outward::new(https, no_proxy), "{set:?}");
        }
        assert_ne!(Outward::new(Some(proxy), None), Outward::default());
    }

    #[test]
    fn a_bundle_past_the_limit_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let set = variables(&[("AWS_CA_BUNDLE", file.path().to_str().expect("text"))]);
        assert_eq!(extra_roots(&set).expect("empty"), Some(Vec::new()));
        file.as_file().set_len(CA_BUNDLE_BYTES_MAX + 1).expect("sized");
        assert!(extra_roots(&set).is_err());
        assert!(extra_roots(&variables(&[("AWS_CA_BUNDLE", "/nowhere")])).is_err());
        assert_eq!(extra_roots(&Variables::new()).expect("none"), None);
    }
}
