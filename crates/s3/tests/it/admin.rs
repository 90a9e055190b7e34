//! The admin API, against a strict stand-in of ours: no MinIO-compatible server can be had here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_core::secret::Secret;
use hallpass_s3::admin::heal::HealOptions;
use hallpass_s3::admin::policy::Holder;
use hallpass_s3::admin::service_account::{NewServiceAccount, ServiceAccountChange};
use hallpass_s3::admin::{AdminClient, Status};
use hallpass_s3::alias::{Addressing, Alias, Credentials, CredentialsSource, Fixed, StaticCredentials};
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_testkit::servers::minio_admin::{
    KEY, MinioAdmin, SECRET, TEMPORARY_KEY, TEMPORARY_SECRET, TEMPORARY_TOKEN,
};
use hallpass_testkit::servers::scripted::{Reply, Scripted};

use crate::world::{Store, options};

fn keys(key: &str, secret: &str, token: Option<&str>) -> StaticCredentials {
    StaticCredentials {
        access_key_id: key.to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: token.map(Secret::new),
        expires_at: None,
    }
}

fn admin(url: &str, credentials: Arc<dyn Credentials>, addressing: Addressing) -> Result<AdminClient, S3Error> {
    let (name, endpoint, region) = ("work".to_owned(), url.to_owned(), "us-east-1".to_owned());
    let alias = Alias { name, endpoint, region, addressing, credentials: CredentialsSource::Anonymous };
    AdminClient::new(&alias, credentials, options())
}

fn root(url: &str) -> AdminClient {
    admin(url, Arc::new(Fixed::keys(keys(KEY, SECRET, None))), Addressing::VirtualHost).expect("a client")
}

fn temporary() -> StaticCredentials {
    keys(TEMPORARY_KEY, TEMPORARY_SECRET, Some(TEMPORARY_TOKEN))
}

#[tokio::test]
async fn users_come_and_go_and_their_secrets_travel_encrypted() {
    let server = MinioAdmin::start().expect("starts");
    let client = root(&server.url());
    assert!(client.users().await.expect("lists").is_empty());
    let secret = "sécret with / + = & and spaces";
    client.add_user("an na+ü&x=1", &Secret::new(secret)).await.expect("adds");
    assert_eq!(server.state()["users"]["an na+ü&x=1"]["secret"], secret, "decrypted by another implementation");
    let listed = client.users().await.expect("lists");
    assert_eq!((listed[0].name.as_str(), listed[0].status.as_str()), ("an na+ü&x=1", "enabled"));
    client.set_user_status("an na+ü&x=1", Status::Disabled).await.expect("disables");
    assert_eq!(client.user("an na+ü&x=1").await.expect("tells").status, "disabled");
    client.remove_user("an na+ü&x=1").await.expect("removes");
    let error = client.user("an na+ü&x=1").await.expect_err("gone");
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "XMinioAdminNoSuchUser"));
    let error = client.add_user("b", &Secret::new("short")).await.expect_err("refused");
    assert_eq!(error.code(), "XMinioAdminInvalidSecretKey");
}

#[tokio::test]
async fn groups_and_policies_are_made_attached_and_removed() {
    let server = MinioAdmin::start().expect("starts");
    let client = root(&server.url());
    client.add_user("anna", &Secret::new("a-long-secret")).await.expect("adds");
    client.add_to_group("team", &["anna".to_owned()]).await.expect("adds");
    assert_eq!(client.groups().await.expect("lists"), ["team"]);
    let document =
        serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*"}]});
    client.set_policy("reading", &document).await.expect("makes");
    assert_eq!(client.policies().await.expect("lists"), ["reading", "readwrite"]);
    assert_eq!(client.policy("reading").await.expect("tells").document, document);
    let both = ["reading".to_owned(), "readwrite".to_owned()];
    assert_eq!(client.attach(&both[..1], Holder::User("anna")).await.expect("attaches"), ["reading"]);
    assert_eq!(client.attach(&both, Holder::User("anna")).await.expect("attaches"), ["readwrite"]);
    let again = client.attach(&both, Holder::User("anna")).await.expect_err("nothing to do");
    assert_eq!(again.kind(), ErrorKind::Conflict);
    client.attach(&both[..1], Holder::Group("team")).await.expect("attaches");
    let anna = client.user("anna").await.expect("tells");
    assert_eq!((anna.policies, anna.groups), (both.to_vec(), vec!["team".to_owned()]));
    assert_eq!(client.detach(&both, Holder::User("anna")).await.expect("detaches"), both);
    client.set_group_status("team", Status::Disabled).await.expect("disables");
    let team = client.group("team").await.expect("tells");
    assert_eq!(
        (team.status.as_str(), team.policies, team.members),
        ("disabled", both[..1].to_vec(), vec!["anna".into()])
    );
    let full = client.remove_from_group("team", &[]).await.expect_err("not empty");
    assert_eq!(full.kind(), ErrorKind::Conflict);
    client.remove_from_group("team", &["anna".to_owned()]).await.expect("removes");
    client.remove_from_group("team", &[]).await.expect("removes");
    client.remove_policy("reading").await.expect("removes");
    assert_eq!(client.policy("reading").await.expect_err("gone").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_service_account_is_made_narrowed_and_removed() {
    let server = MinioAdmin::start().expect("starts");
    let client = root(&server.url());
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": []});
    let new = NewServiceAccount {
        name: Some("ci".into()),
        description: Some("for the build".into()),
        expires_at: Some("2999-01-01T00:00:00Z".into()),
        policy: Some(policy.clone()),
        ..NewServiceAccount::default()
    };
    let made = client.add_service_account(&new).await.expect("makes");
    assert_eq!(made.secret_key, Secret::new("made-by-the-server-0123456789"));
    let listed = client.service_accounts(None).await.expect("lists");
    assert_eq!((listed.len(), listed[0].name.as_deref()), (1, Some("ci")));
    assert_eq!(listed[0].implied_policy, Some(false));
    let change = ServiceAccountChange {
        secret_key: Some(Secret::new("another-secret")),
        status: Some("off"),
        ..ServiceAccountChange::default()
    };
    client.edit_service_account(&made.access_key, &change).await.expect("changes");
    let kept = &server.state()["accounts"][&made.access_key];
    assert_eq!((&kept["secret"], &kept["name"], &kept["policy"]), (&"another-secret".into(), &"ci".into(), &policy));
    let told = client.service_account(&made.access_key).await.expect("tells");
    assert_eq!((told.status.as_deref(), told.parent.as_deref()), (Some("off"), Some(KEY)));
    client.remove_service_account(&made.access_key).await.expect("removes");
    let gone = client.service_account(&made.access_key).await.expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_server_tells_about_itself_and_heals() {
    let server = MinioAdmin::start().expect("starts");
    let client = root(&server.url());
    let info = client.server().await.expect("tells");
    assert_eq!((info.mode.as_deref(), info.objects, info.usage_bytes), (Some("online"), Some(42), Some(1_234_567)));
    assert_eq!((info.nodes[0].drives, info.nodes[0].drives_ok, info.nodes[0].uptime_s), (2, 1, Some(61)));
    assert_eq!(client.background_heal().await.expect("tells").drives, ["/d2"]);
    let place = "data/a b/ü";
    let options = HealOptions { recursive: true, deep: true, ..HealOptions::default() };
    let run = client.heal(place, &options).await.expect("begins");
    assert_eq!(client.heal(place, &options).await.expect_err("runs already").kind(), ErrorKind::Conflict);
    let progress = client.heal_progress(place, &run.token).await.expect("tells");
    assert_eq!((progress.summary.as_str(), progress.items, progress.damaged, progress.healed), ("finished", 2, 1, 1));
    assert_eq!(client.stop_heal(place).await.expect("stops").token, run.token);
    assert_eq!(client.stop_heal(place).await.expect_err("ended").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_session_token_signs_and_its_secret_encrypts() {
    let server = MinioAdmin::start().expect("starts");
    let client = admin(&server.url(), Arc::new(Fixed::keys(temporary())), Addressing::Auto).expect("a client");
    client.add_user("anna", &Secret::new("a-long-secret")).await.expect("adds");
    assert_eq!(client.users().await.expect("lists").len(), 1);
    assert_eq!(server.state()["tokens_seen"], 3, "the question whether there is such an API, the user, the list");
    assert_eq!(server.state()["users"]["anna"]["secret"], "a-long-secret");
    server.expire();
    assert_eq!(client.users().await, Err(S3Error::TokenExpired("work".into())));
    let other = admin(&server.url(), Arc::new(Fixed::keys(keys(KEY, "wrong", None))), Addressing::Auto);
    server.expire();
    assert_eq!(other.expect("a client").users().await.expect_err("refused").kind(), ErrorKind::Auth);
}

/// Begins with keys that are not known any more.
#[derive(Debug, Default)]
struct Renewed(AtomicUsize);

impl Credentials for Renewed {
    fn current(
        &self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Option<StaticCredentials>, S3Error>> + Send + '_>> {
        let old = keys("ASIAOLD", "old secret", Some("an old token"));
        let now = if self.0.load(Ordering::SeqCst) == 0 { old } else { temporary() };
        Box::pin(std::future::ready(Ok(Some(now))))
    }

    fn renew(&self, refused: &str) -> std::pin::Pin<Box<dyn Future<Output = Result<bool, S3Error>> + Send + '_>> {
        assert_eq!(refused, "ASIAOLD");
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(true)))
    }
}

#[tokio::test]
async fn renewed_keys_encrypt_the_body_anew() {
    let server = MinioAdmin::start().expect("starts");
    // The question before the change would renew them already, so the first request is one with a hidden answer.
    let client = admin(&server.url(), Arc::new(Renewed::default()), Addressing::Auto).expect("a client");
    assert!(client.users().await.expect("lists").is_empty());
    let client = admin(&server.url(), Arc::new(Renewed::default()), Addressing::Auto).expect("a client");
    client.add_user("anna", &Secret::new("a-long-secret")).await.expect("adds");
    assert_eq!(server.state()["users"]["anna"]["secret"], "a-long-secret");
}

#[tokio::test]
async fn a_store_without_the_api_says_so_and_nothing_is_written_there() {
    let fixed = || Arc::new(Fixed::keys(keys(crate::world::KEY, crate::world::SECRET, None)));
    let store = Store::start().await;
    store.client().create_bucket("minio", &Default::default()).await.expect("a bucket of that name");
    let client = admin(&store.url(), fixed(), Addressing::Auto).expect("a client");
    for error in [
        client.users().await.map(drop).expect_err("none"),
        client.add_user("anna", &Secret::new("a-long-secret")).await.expect_err("none"),
        client.remove_user("anna").await.expect_err("none"),
        client.server().await.map(drop).expect_err("none"),
    ] {
        assert_eq!((error.kind(), error.code()), (ErrorKind::Unsupported, "no_admin_api"));
    }
    let listed = store.client().list("minio", Default::default()).next().await.expect("lists").expect("a page");
    assert!(listed.objects.is_empty(), "a change became an object: {listed:?}");

    let aws = admin("https://s3.eu-west-1.amazonaws.com", fixed(), Addressing::Auto).expect_err("AWS has none");
    assert_eq!(aws.code(), "no_admin_api");
    let said: [(u16, &[u8]); 6] = [
        (404, b"<Error><Code>NoSuchBucket</Code></Error>"),
        (405, b"<Error><Code>MethodNotAllowed</Code></Error>"),
        (501, b""),
        (404, b"<html>not here</html>"),
        (200, b"<html>welcome</html>"),
        (426, br#"{"Code":"XMinioAdminVersionMismatch","Message":"other version"}"#),
    ];
    for (status, body) in said {
        let site = Scripted::start(move |_| Reply::new(status, body));
        let error = admin(&site.url(), fixed(), Addressing::Auto).expect("a client").server().await.expect_err("none");
        assert_eq!(error.code(), "no_admin_api", "{status}");
    }
    for (code, kind) in [("AccessDenied", ErrorKind::Auth), ("XMinioAdminNoSuchPolicy", ErrorKind::NotFound)] {
        let site = Scripted::refusing(if kind == ErrorKind::Auth { 403 } else { 404 }, code);
        let error =
            admin(&site.url(), fixed(), Addressing::Auto).expect("a client").server().await.expect_err("refused");
        assert_eq!((error.kind(), error.code()), (kind, code), "not taken for a store without the API");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_encrypted_is_not_believed() {
    let spoof = br#"{"evil":{"status":"enabled"},"and":{"status":"enabled"},"more":{"status":"enabled"}}"#;
    let site = Scripted::start(move |_| Reply::new(200, &spoof[..]));
    let client = root(&site.url());
    assert!(matches!(client.users().await, Err(S3Error::Integrity(_))));
}
