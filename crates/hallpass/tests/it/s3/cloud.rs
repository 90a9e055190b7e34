//! The everyday commands in front of a cloud that checks signatures, session tokens and session policies.

use hallpass_testkit::clients::run;
use hallpass_testkit::servers::Ministack;
use serde_json::Value;

use super::store::{Shop, lines};
use crate::aws::Lender;

#[test]
fn a_role_alias_borrows_what_each_command_needs_and_nothing_else() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let exe = |args: &[&str]| run(&mut lender.hallpass(args));
    exe(&["alias", "set", "lake", &cloud.url(), "--role", &cloud.role]).succeeded();
    assert_eq!(exe(&["s3", "cat", "lake/lent/reports/a.txt"]).succeeded().trim_end(), "alpha");
    let listed = exe(&["s3", "ls", "lake/lent/reports/", "--json"]).succeeded();
    assert_eq!(lines(&listed)[0]["data"]["key"], "reports/a.txt");
    assert!(exe(&["s3", "cat", "lake/lent/none"]).failed().contains("NoSuchKey"));
    let created = lender.events("session_created");
    assert_eq!(created.len(), 3);
    let actions = |event: &Value| {
        let text = event.to_string();
        (text.contains("s3:GetObject"), text.contains("s3:ListBucket"), text.contains("lent/reports/a.txt"))
    };
    assert_eq!(actions(&created[0]), (true, false, true), "{}", created[0]);
    assert_eq!(actions(&created[1]), (false, true, false), "{}", created[1]);
}

/// Keys of a session, as an identity provider hands them out.
fn session(cloud: &Ministack) -> (String, String, String) {
    let mut command = cloud.client_as(&cloud.lender, hallpass_testkit::clients::aws());
    command.args(["sts", "assume-role", "--role-arn", &cloud.role, "--role-session-name", "tests", "--output", "json"]);
    let answer: Value = serde_json::from_str(&run(&mut command).succeeded()).expect("JSON");
    let text = |name: &str| answer["Credentials"][name].as_str().expect("text").to_owned();
    (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"))
}

#[test]
fn with_a_session_token_every_command_works() {
    let cloud = Ministack::shared();
    let (key, secret, token) = session(cloud);
    let encoded = |text: &str| text.replace('%', "%25").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let shop = Shop::new(&cloud.url(), &key, &format!("{}:{}", encoded(&secret), encoded(&token)));
    shop.ok(&["mb", "m/with-a-token", "--with-versioning"]);
    shop.put(&["with-a-token/a", "with-a-token/a", "with-a-token/ü x/b"]);
    assert_eq!(shop.ok(&["cat", "m/with-a-token/ü x/b"]), "with-a-token/ü x/b");
    assert_eq!(shop.ok(&["find", "m/with-a-token", "--print", "{key}"]), "a\nü x/b\n");
    assert_eq!(shop.json(&["ls", "m/with-a-token", "-r", "--versions"]).len(), 3);
    assert_eq!(shop.data(&["stat", "m/with-a-token"])["versioning"], "enabled");
    shop.ok(&["tag", "set", "m/with-a-token/a", "k=v"]);
    assert_eq!(shop.ok(&["tag", "list", "m/with-a-token/a"]), "k=v\n");
    shop.ok(&["tag", "set", "m/with-a-token", "k=v"]);
    assert_eq!(shop.ok(&["tag", "list", "m/with-a-token"]), "k=v\n");
    // As on AWS, a bucket is made with public policies blocked.
    let said = shop.refused(&["policy", "set", "download", "m/with-a-token"], 4);
    assert!(said.err.contains("public access"), "{said:?}");
    let own = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::with-a-token/*"}}]}}"#,
        cloud.role
    );
    assert_eq!(shop.say_with(&["policy", "set", "-", "m/with-a-token"], own.as_bytes()).code, 0);
    assert_eq!(shop.data(&["policy", "get", "m/with-a-token"])["anonymous"], "custom");
    shop.ok(&["lifecycle", "rule", "add", "m/with-a-token", "--id", "x", "--expire-days", "3", "--tag", "a=b"]);
    assert_eq!(
        shop.json(&["lifecycle", "rule", "ls", "m/with-a-token"])[0]["data"]["rule"]["Filter"]["Tag"]["Key"],
        "a"
    );
    let cors = br#"{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["https://example.org"]}]}"#;
    assert_eq!(shop.say_with(&["cors", "set", "m/with-a-token", "-"], cors).code, 0);
    assert!(shop.ok(&["cors", "get", "m/with-a-token"]).contains("https://example.org"));
    shop.ok(&["cors", "remove", "m/with-a-token"]);
    let said = shop.say(&["share", "download", "m/with-a-token/a"]);
    assert!(said.out.contains("X-Amz-Security-Token=") && said.err.contains("dies with the session token"), "{said:?}");
    shop.ok(&["rm", "m/with-a-token/a"]);
    shop.refused(&["rb", "m/with-a-token"], 6);
    shop.ok(&["rb", "m/with-a-token", "--force"]);
    shop.refused(&["stat", "m/with-a-token"], 5);
}

#[test]
fn keys_that_may_not_do_it_are_exit_status_4_and_the_alias_stays() {
    let cloud = Ministack::shared();
    let shop = Shop::new(&cloud.url(), &cloud.lender.key, &cloud.lender.secret);
    for command in [&["ls", "m/lent"][..], &["cat", "m/lent/reports/a.txt"], &["stat", "m/lent/reports/a.txt"]] {
        let said = shop.refused(command, 4);
        assert!(said.err.contains("AccessDenied"), "{said:?}");
    }
}
