//! Calls without a signature: from who is known otherwise, for what AWS takes so, and nothing else.

use bytes::Bytes;
use hallpass_dataplane::gate::Passthrough;
use http::{Method, Request};
use http_body_util::Full;

use crate::client::{Answer, ask};
use crate::tunnel::Tunnel;
use crate::upstream::Upstream;
use crate::world::{Setup, World};

const COGNITO: &str = "cognito-idp.us-east-1.amazonaws.com";
const SIGN_IN: &str = "AWSCognitoIdentityProviderService.InitiateAuth";

fn request(
    host: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.header("content-length", body.len());
    }
    request.body(Full::new(Bytes::from(body))).expect("a request")
}

fn sign_in(host: &str, path: &str) -> Request<Full<Bytes>> {
    let headers = [("x-amz-target", SIGN_IN), ("content-type", "application/x-amz-json-1.1"), ("x-other", "1")];
    request(host, Method::POST, path, &headers, r#"{"ClientId":"c"}"#)
}

/// The path that the child was given.
fn secret_path(world: &World) -> String {
    let url = world.gate.service_endpoint_url().expose().to_owned();
    url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).expect("a path")
}

async fn within(world: &World, host: &str, request: Request<Full<Bytes>>) -> Answer {
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    Tunnel::to(world, &proxy, host).await.ask(request).await
}

#[tokio::test]
async fn an_unsigned_call_passes_through_the_proxy_or_the_secret_path_and_stays_unsigned() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["cognito-idp:InitiateAuth"]).gate().await;
    let answer = within(&world, COGNITO, sign_in(COGNITO, "/")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let host = world.gate.address().to_string();
    let answer = ask(&world, sign_in(&host, &format!("{}/", secret_path(&world)))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    for one in &seen {
        assert_eq!((one.uri.path(), one.header("x-amz-target")), ("/", SIGN_IN));
        for name in ["authorization", "x-amz-security-token", "x-amz-date", "x-other"] {
            assert!(!one.headers.contains_key(name), "{name}");
        }
    }
    assert_eq!((world.log.allowed(), world.gate.counts().signed), (2, 0));
}

#[tokio::test]
async fn a_browsers_form_is_told_what_to_use_instead() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*"]).gate().await;
    let host = world.gate.address().to_string();
    let form = [("content-type", "Multipart/form-data; boundary=x")];
    let answer = ask(&world, request(&host, Method::POST, "/bucket", &form, "--x--")).await;
    assert_eq!((answer.status, answer.reason()), (http::StatusCode::FORBIDDEN, "unsigned"), "{answer:?}");
    assert!(answer.text().contains("presigned URL for `PUT`"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn without_the_password_or_the_secret_path_an_unsigned_call_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["cognito-idp:*"]).gate().await;
    let host = world.gate.address().to_string();
    let near = format!("{}x/", secret_path(&world).trim_end_matches('/'));
    let answer = ask(&world, sign_in(&host, "/")).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    assert!(answer.text().contains("--via both"), "{answer:?}");
    let wrong: String = near.chars().rev().collect();
    for path in [near, format!("/{}", wrong.trim_start_matches('/'))] {
        let answer = ask(&world, sign_in(&host, &path)).await;
        assert_eq!(answer.reason(), "unsigned", "{path}: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn what_aws_wants_signed_is_refused_without_a_signature_whoever_asks() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*", "sqs:*", "cognito-idp:*"]).gate().await;
    let s3 = "s3.us-east-1.amazonaws.com";
    let answer = within(&world, s3, request(s3, Method::GET, "/public/object", &[], "")).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    let host = world.gate.address().to_string();
    let path = format!("{}/public/object", secret_path(&world).trim_end_matches('/'));
    let answer = ask(&world, request(&host, Method::GET, &path, &[], "")).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    let admin = [
        ("x-amz-target", "AWSCognitoIdentityProviderService.AdminGetUser"),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    let body = r#"{"UserPoolId":"us-east-1_x","Username":"u"}"#;
    let answer = within(&world, COGNITO, request(COGNITO, Method::POST, "/", &admin, body)).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    let sqs = "sqs.us-east-1.amazonaws.com";
    let list = [("x-amz-target", "AmazonSQS.ListQueues"), ("content-type", "application/x-amz-json-1.0")];
    let answer = within(&world, sqs, request(sqs, Method::POST, "/", &list, "{}")).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn the_policy_decides_unsigned_calls_too_and_none_of_them_mints_past_the_gate() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["cognito-idp:GetUser"]).gate().await;
    let answer = within(&world, COGNITO, sign_in(COGNITO, "/")).await;
    assert_eq!(answer.reason(), "not-allowed", "{answer:?}");
    let named =
        Setup::on(&upstream.url()).actions(&["sts:AssumeRoleWithWebIdentity", "cognito-identity:*"]).gate().await;
    let sts = "sts.us-east-1.amazonaws.com";
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/r\
                &RoleSessionName=s&WebIdentityToken=t";
    let answer = within(&named, sts, request(sts, Method::POST, "/", &form, body)).await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "not-allowed"), "{answer:?}");
    let pool = "cognito-identity.us-east-1.amazonaws.com";
    let get = [
        ("x-amz-target", "AWSCognitoIdentityService.GetCredentialsForIdentity"),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    let answer = within(&named, pool, request(pool, Method::POST, "/", &get, r#"{"IdentityId":"i"}"#)).await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (400, "explicit-deny"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}
