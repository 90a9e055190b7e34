//! Child sessions, against an STS of our own that hands out canaries.

use std::sync::{Arc, Mutex};

use hallpass_core::audit::Event;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::id::SessionId;
use hallpass_core::limits::{CHILD_SESSION_DEPTH_MAX, CHILD_SESSIONS_MAX, STS_ANSWER_BYTES_MAX};
use hallpass_core::permit::{Bounds, authorize};
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::Session;
use hallpass_dataplane::gate::{Change, Closed, Cut, Journal, JournalError, NewChild, Opened, Registry};
use http::Method;
use jiff::SignedDuration;

use crate::client::{Answer, Sign, ask};
use crate::upstream::{Upstream, reply};
use crate::world::{REAL_KEY, REAL_SECRET, REAL_TOKEN, Setup, World, eventually, now};

/// The real credential of a child session.
const CHILD_KEY: &str = "ASIAREALCHILDREALCHI";
const CHILD_SECRET: &str = "canary-child-secret-canary-child-secret0";
const CHILD_TOKEN: &str = "canary-child-token";
const ROLE: &str = "arn:aws:iam::210987654321:role/other";
const ASSUME: &str =
    "Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&RoleArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fother";

/// What became of the records of child sessions.
#[derive(Default)]
struct Records {
    opened: Mutex<Vec<NewChild>>,
    changes: Mutex<Vec<String>>,
    entries: Mutex<Vec<(String, Event)>>,
}

impl Records {
    fn registry(self: &Arc<Self>) -> Registry {
        let (opening, altering) = (Arc::clone(self), Arc::clone(self));
        let open = move |child| -> BoxFuture<'static, Result<Opened, Denial>> {
            Box::pin(std::future::ready(opening.open(child)))
        };
        let alter = move |id: SessionId, change| -> BoxFuture<'static, Result<(), JournalError>> {
            let shown = match change {
                Change::Issued(event, key) => {
                    altering.entries.lock().expect("no panic").push((id.to_string(), *event));
                    format!("{id} issued {key}")
                }
                Change::Failed(_) => format!("{id} failed"),
                Change::Expired => format!("{id} expired"),
            };
            altering.changes.lock().expect("no panic").push(shown);
            Box::pin(std::future::ready(Ok(())))
        };
        Registry::new(open, alter)
    }

    fn open(self: &Arc<Self>, child: NewChild) -> Result<Opened, Denial> {
        let now = now();
        let number = self.opened.lock().expect("no panic").len();
        let id = SessionId::new(format!("child-{number}")).expect("legal");
        self.opened.lock().expect("no panic").push(child.clone());
        let life = SignedDuration::from_secs(3_600);
        let role = child.role_arn.unwrap_or_default();
        let session = Session {
            expires_at: child.expires_at,
            ..Session::new(id.clone(), now, life, None, child.policy, role, Vec::new())
        };
        let permit = authorize(&session, &Bounds::default(), now);
        let permit = permit.map_err(|error| Denial::new(DenialCode::NotAllowed, error.to_string()))?;
        let (recorder, later) = (Arc::clone(self), Arc::clone(self));
        let later_id = id.clone();
        let record = move |event: Event| -> BoxFuture<'static, Result<u64, JournalError>> {
            recorder.entries.lock().expect("no panic").push((id.to_string(), event));
            Box::pin(std::future::ready(Ok(0)))
        };
        let later = move |event| later.entries.lock().expect("no panic").push((later_id.to_string(), event));
        Ok(Opened { permit, journal: Journal::new(record, later) })
    }

    fn changes(&self) -> Vec<String> {
        self.changes.lock().expect("no panic").clone()
    }

    fn entries_of(&self, session: &str, kind: &str) -> usize {
        let entries = self.entries.lock().expect("no panic");
        entries.iter().filter(|(of, event)| of == session && event.kind() == kind).count()
    }
}

/// An STS that answers AssumeRole with canaries, and everything else with `ok`.
async fn sts() -> Upstream {
    Upstream::answering(|seen| {
        if !seen.body.starts_with(b"Action=") {
            return reply(200, &[], "ok");
        }
        let body = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{CHILD_KEY}</AccessKeyId><SecretAccessKey>{CHILD_SECRET}</SecretAccessKey><SessionToken>\
             {CHILD_TOKEN}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser>\
             <AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::210987654321:assumed-role/other/s</Arn>\
             </AssumedRoleUser><PackedPolicySize>6</PackedPolicySize></AssumeRoleResult><ResponseMetadata><RequestId>\
             {CHILD_TOKEN}</RequestId></ResponseMetadata></AssumeRoleResponse>"
        );
        reply(200, &[("content-type", "text/xml"), ("x-leak", CHILD_SECRET)], body)
    })
    .await
}

async fn world(upstream: &Upstream) -> (World, Arc<Records>) {
    let records = Arc::new(Records::default());
    let actions = ["sts:AssumeRole", "s3:GetObject"];
    (Setup::on(&upstream.url()).actions(&actions).children(records.registry()).gate().await, records)
}

async fn assume(world: &World, sign: Sign, more: &str) -> Answer {
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = format!("{ASSUME}{more}");
    ask(world, sign.service("sts").request(Method::POST, "/", &form, body.as_bytes())).await
}

/// How the child session signs.
fn signs(world: &World, answer: &Answer) -> Sign {
    let text = answer.text();
    let of = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| ("", &text));
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    Sign { key: of("AccessKeyId"), secret: of("SecretAccessKey"), token: Some(of("SessionToken")), ..Sign::with(world) }
}

async fn get(world: &World, sign: &Sign) -> Answer {
    ask(world, sign.request(Method::GET, "/bucket/key", &[], b"")).await
}

#[tokio::test]
async fn a_policy_that_has_nothing_in_common_with_the_sessions_is_refused_and_says_so() {
    let upstream = sts().await;
    let (world, records) = world(&upstream).await;
    let policy = "&Policy=%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sqs%3ASendMessage%22\
                  %2C%22Resource%22%3A%22%2A%22%7D%7D";
    let answer = assume(&world, Sign::with(&world), policy).await;
    assert_eq!((answer.status, answer.reason()), (http::StatusCode::FORBIDDEN, "not-allowed"), "{answer:?}");
    assert!(answer.text().contains("have nothing in common"), "{answer:?}");
    assert_eq!((world.gate.counts().signed, records.changes().len()), (0, 0), "nothing was asked for or recorded");
}

#[tokio::test]
async fn nothing_real_reaches_the_child_and_its_requests_are_signed_with_the_child_sessions_credential() {
    let upstream = sts().await;
    let (world, records) = world(&upstream).await;
    let answer = assume(&world, Sign::with(&world), "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let shown = format!("{:?}{}", answer.headers, answer.text());
    for canary in [CHILD_KEY, CHILD_SECRET, CHILD_TOKEN, REAL_KEY, REAL_SECRET, REAL_TOKEN, "2999"] {
        assert!(!shown.contains(canary), "{canary} reached the child: {shown}");
    }
    assert!(shown.contains("<Arn>arn:aws:sts::210987654321:assumed-role/other/s</Arn>"), "{shown}");
    let sign = signs(&world, &answer);
    assert_eq!(get(&world, &sign).await.text(), "ok");
    let seen = upstream.seen();
    assert!(seen[0].header("authorization").contains(REAL_KEY), "the parent's credential asks");
    assert!(seen[1].header("authorization").contains(CHILD_KEY), "{:?}", seen[1]);
    assert_eq!(seen[1].header("x-amz-security-token"), CHILD_TOKEN);
    assert_eq!(crate::client::get(&world, "/bucket/key").await.text(), "ok");
    assert!(upstream.seen()[2].header("authorization").contains(REAL_KEY), "the parent goes on as itself");
    assert_eq!((records.entries_of("child-0", "request_allowed"), world.log.allowed()), (1, 2));
    assert_eq!(records.entries_of("child-0", "credentials_issued"), 1);
    let counts = world.gate.counts();
    assert_eq!((counts.allowed, counts.signed), (3, 3), "signatures made = entries written");
}

#[tokio::test]
async fn sts_is_asked_with_the_sessions_policy_and_within_its_time() {
    let upstream = sts().await;
    let (world, records) = world(&upstream).await;
    let wide = "&DurationSeconds=43200&Policy=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A\
                %22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D";
    let answer = assume(&world, Sign::with(&world), wide).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = String::from_utf8_lossy(&upstream.seen()[0].body).into_owned();
    assert!(sent.contains("s3%3AGetObject") && !sent.contains("%22Action%22%3A%22%2A%22"), "{sent}");
    let asked: i64 = sent.split("DurationSeconds=").nth(1).and_then(|s| s.split('&').next()?.parse().ok()).expect("s");
    assert!(asked <= 3_600, "{sent}");
    let opened = records.opened.lock().expect("no panic")[0].clone();
    assert_eq!(opened.role_arn.as_deref(), Some(ROLE));
    assert!(opened.expires_at <= world.clock_end(), "{opened:?}");
    let put = signs(&world, &answer).request(Method::PUT, "/bucket/key", &[], b"x");
    assert_eq!(ask(&world, put).await.reason(), "not-allowed");
}

#[tokio::test]
async fn what_is_not_wrapped_or_not_understood_never_reaches_sts() {
    let upstream = sts().await;
    let (world, records) = world(&upstream).await;
    for more in ["&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FAdministratorAccess", "&Surprise=1"] {
        assert_eq!(assume(&world, Sign::with(&world), more).await.status, 403, "{more}");
    }
    assert!(upstream.seen().is_empty() && records.changes().is_empty());
    let records = Arc::new(Records::default());
    let wild = Setup::on(&upstream.url()).actions(&["sts:*"]).children(records.registry()).gate().await;
    let answer = assume(&wild, Sign::with(&wild), "").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "explicit-deny"), "{}", answer.text());
    let alone = Setup::on(&upstream.url()).actions(&["sts:AssumeRole"]).gate().await;
    assert_eq!(assume(&alone, Sign::with(&alone), "").await.status, 403, "a gate without records opens none");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_child_sessions_placeholder_is_worth_nothing_without_its_secret_and_token() {
    let upstream = sts().await;
    let (world, _) = world(&upstream).await;
    let sign = signs(&world, &assume(&world, Sign::with(&world), "").await);
    let own = Sign::with(&world);
    for wrong in [
        Sign { secret: own.secret.clone(), ..sign.clone() },
        Sign { token: own.token.clone(), ..sign.clone() },
        Sign { token: None, ..sign.clone() },
        Sign { key: own.key.clone(), ..sign.clone() },
        Sign { key: "ASIAHALLPASSAAAAAAAA".into(), ..sign.clone() },
    ] {
        assert_eq!(get(&world, &wrong).await.status, 403);
    }
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(get(&world, &sign).await.text(), "ok");
}

/// Who knows an id from a presigned URL or a log, and no secret, cannot tell whether its session lives.
#[tokio::test]
async fn a_stranger_cannot_tell_a_live_child_session_from_one_that_has_ended() {
    let upstream = sts().await;
    let (world, _) = world(&upstream).await;
    let mut opened = Vec::new();
    for life in ["", "", "&DurationSeconds=900"] {
        opened.push(signs(&world, &assume(&world, Sign::with(&world), life).await));
    }
    let ended = SessionId::new("child-1").expect("legal");
    assert!(world.gate.switch().refuse_child(&ended, Closed::Revoked).is_some());
    world.clock.advance_s(901);
    let mut told = std::collections::BTreeSet::new();
    for sign in opened {
        let time = Sign::with(&world).time;
        let stranger = Sign { secret: "x".repeat(40), time, ..sign.clone() };
        for stranger in [stranger.clone(), Sign { token: None, ..stranger }] {
            let answer = get(&world, &stranger).await;
            let id = answer.headers["x-amz-request-id"].to_str().expect("text").to_owned();
            assert!(!answer.headers.contains_key("x-hallpass-entry"), "{answer:?}");
            told.insert((stranger.token.is_some(), answer.status, answer.text().replace(&id, "ID")));
        }
    }
    assert_eq!(told.len(), 2, "one answer without a token, one with it: {told:#?}");
}

#[tokio::test]
async fn the_parents_switch_ends_its_children_and_a_childs_ends_it_alone() {
    let upstream = sts().await;
    let (world, _) = world(&upstream).await;
    let one = signs(&world, &assume(&world, Sign::with(&world), "").await);
    let two = signs(&world, &assume(&world, Sign::with(&world), "").await);
    let below = signs(&world, &assume(&world, one.clone(), "").await);
    let id = SessionId::new("child-0").expect("legal");
    assert_eq!(world.gate.switch().refuse_child(&id, Closed::Revoked), Some(Cut { streams_cut: 0 }));
    for (sign, reason) in [(&one, "revoked"), (&below, "revoked"), (&two, ""), (&Sign::with(&world), "")] {
        assert_eq!(get(&world, sign).await.reason(), reason);
    }
    world.gate.switch().refuse(Closed::Revoked);
    for sign in [&one, &two, &below, &Sign::with(&world)] {
        assert_eq!(get(&world, sign).await.reason(), "revoked");
    }
}

#[tokio::test]
async fn a_child_session_expires_by_itself_and_that_is_recorded() {
    let upstream = sts().await;
    let (world, records) = world(&upstream).await;
    let answer = assume(&world, Sign::with(&world), "&DurationSeconds=900").await;
    assert_eq!(get(&world, &signs(&world, &answer)).await.text(), "ok");
    world.clock.advance_s(901);
    assert_eq!(get(&world, &signs(&world, &answer)).await.reason(), "expired");
    eventually("the record", || records.changes().contains(&"child-0 expired".to_owned())).await;
    assert_eq!(crate::client::get(&world, "/bucket/key").await.text(), "ok", "its parent has time left");
}

#[tokio::test]
async fn a_refusal_of_sts_is_passed_on_and_an_unusable_answer_opens_nothing() {
    let large = format!("<A>{}</A>", "x".repeat(STS_ANSWER_BYTES_MAX));
    for (status, body, expected) in [
        (403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned(), (403, "")),
        (200, "<html>".to_owned(), (502, "upstream-unreachable")),
        (200, large, (502, "upstream-unreachable")),
        (301, String::new(), (502, "upstream-unreachable")),
    ] {
        let upstream = Upstream::answering(move |_| reply(status, &[("content-type", "text/xml")], body.clone())).await;
        let (world, records) = world(&upstream).await;
        let answer = assume(&world, Sign::with(&world), "").await;
        assert_eq!((answer.reason(), answer.status.as_u16() / 100), (expected.1, expected.0 / 100), "{answer:?}");
        eventually("the record", || records.changes() == ["child-0 failed"]).await;
    }
}

#[tokio::test]
async fn child_sessions_are_limited_in_depth_and_number_and_ended_ones_make_room() {
    let upstream = sts().await;
    let (world, _) = world(&upstream).await;
    let mut sign = Sign::with(&world);
    for _ in 0..CHILD_SESSION_DEPTH_MAX {
        sign = signs(&world, &assume(&world, sign, "").await);
    }
    assert_eq!(assume(&world, sign, "").await.reason(), "not-allowed");
    for _ in CHILD_SESSION_DEPTH_MAX..CHILD_SESSIONS_MAX {
        assert_eq!(assume(&world, Sign::with(&world), "").await.status, 200);
    }
    assert_eq!(assume(&world, Sign::with(&world), "").await.reason(), "not-allowed");
    let last = SessionId::new(format!("child-{}", CHILD_SESSIONS_MAX - 1)).expect("legal");
    assert!(world.gate.switch().refuse_child(&last, Closed::Revoked).is_some());
    assert_eq!(assume(&world, Sign::with(&world), "").await.status, 200);
}
