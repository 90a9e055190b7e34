//! Calls without a signature: which service they name by themselves.

use hallpass_catalog::CATALOG;
use hallpass_core::resolve::unsigned::service;
use hallpass_core::sigv4::Parts;

fn of(method: &str, target: &str, headers: &[(&str, &str)]) -> Option<&'static str> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    service(CATALOG, &Parts { method, path, query, headers: &headers }, path)
}

#[test]
fn an_unsigned_call_is_told_by_its_target_its_path_or_its_form() {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let target = |name: &'static str| ("x-amz-target", name);
    for (method, path, headers, expected) in [
        ("POST", "/", vec![target("AWSCognitoIdentityService.GetId")], Some("cognito-identity")),
        ("POST", "/", vec![target("AWSCognitoIdentityProviderService.InitiateAuth")], Some("cognito-idp")),
        ("POST", "/", vec![target("DynamoDB_20120810.GetItem")], None),
        ("POST", "/", vec![target("nonsense")], None),
        ("POST", "/token", vec![], Some("sso-oauth")),
        ("POST", "//token/", vec![], Some("sso-oauth")),
        ("GET", "/federation/credentials?role_name=r", vec![], Some("awsssoportal")),
        ("POST", "/federation/nothing", vec![], None),
        ("POST", "/", vec![form], Some("sts")),
        ("GET", "/?Action=AssumeRoleWithSAML", vec![], Some("sts")),
        ("GET", "/?Version=2011-06-15", vec![], None),
        ("POST", "/x", vec![form], None),
        ("POST", "/x?Action=AssumeRoleWithSAML", vec![], None),
        ("POST", "/", vec![("content-type", "application/json")], None),
    ] {
        assert_eq!(of(method, path, &headers), expected, "{method} {path} {headers:?}");
    }
}
