//! Caps on real sockets: what does not fit is refused before it is recorded or signed, however many ask at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass_core::audit::Event;
use hallpass_core::budget::{Cap, Caps, Usd};
use hallpass_core::denial::DenialCode;
use hallpass_core::limits::BUDGET_ROOM_WAIT_S_MAX;
use hallpass_dataplane::gate::{Closed, Notice};
use http::Method;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::client::{Client, Payload, Sign, ask, built, get, put};
use crate::faults::read_head;
use crate::upstream::{Upstream, reply};
use crate::world::{Setup, World, eventually};

/// Clients that ask at once.
const CLIENTS: usize = 64;

fn requests(limit: u64) -> Caps {
    Caps { requests: Some(limit), ..Caps::default() }
}

fn bytes(limit: u64) -> Caps {
    Caps { bytes: Some(limit), ..Caps::default() }
}

fn exhausted(world: &World) -> Vec<Cap> {
    let notices = world.notices.lock().expect("no panic");
    notices.iter().filter_map(|n| if let Notice::Exhausted(e) = n { Some(e.cap) } else { None }).collect()
}

/// 64 clients ask for `rounds` objects each; the codes of all answers.
async fn storm(world: &World, rounds: usize) -> Vec<u16> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (sign, mut connection) = (Sign::with(world), Client::connect(world).await);
        clients.spawn(async move {
            let mut codes = Vec::new();
            for round in 0..rounds {
                let request = sign.request(Method::GET, &format!("/bucket/{client}-{round}"), &[], b"");
                // The cut takes connections away in mid-answer.
                let Ok(answer) = connection.begin(request).await else { break };
                codes.push(answer.status().as_u16());
                if answer.into_body().collect().await.is_err() {
                    break;
                }
            }
            codes
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_never_pass_the_request_cap() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).caps(requests(100)).gate().await;
    let codes = storm(&world, 5).await;
    assert!(codes.iter().filter(|code| **code == 200).count() <= 100);
    assert!(codes.contains(&403));
    assert_eq!(upstream.seen().len(), 100);
    assert_eq!((world.gate.counts().signed, world.log.allowed()), (100, 100));
    assert!(world.log.denied().iter().all(|code| *code == DenialCode::BudgetExceeded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_overshoot_a_byte_cap_by_nothing() {
    const BODY: usize = 10_000;
    let upstream = Upstream::answering(|_| reply(200, &[], vec![1; BODY])).await;
    let world = Setup::on(&upstream.url()).caps(bytes(500_000)).gate().await;
    storm(&world, 5).await;
    eventually("all are settled", || world.gate.counts().settled == world.gate.counts().allowed).await;
    let passed: u64 = world.log.settled().iter().map(|(_, _, up, down, _)| up + down).sum();
    assert!(passed <= 500_000, "{passed}");
    assert!(passed >= 500_000 - BODY as u64, "the cap was not used: {passed}");
    assert_eq!(exhausted(&world), [Cap::Bytes], "said once");
    assert_eq!(world.gate.switch().closed(), Some(Closed::BudgetExceeded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_overshoot_a_budget_by_no_more_than_one_settled_difference() {
    // 400 nano-dollars a GET and no transfer: the reservation is exact, so there is no difference at all.
    let upstream = Upstream::answering(|_| reply(200, &[], "")).await;
    let budget = Some(Usd::from_nano(50 * 400 + 399));
    let world = Setup::on(&upstream.url()).caps(Caps { budget, ..Caps::default() }).gate().await;
    storm(&world, 5).await;
    assert_eq!(upstream.seen().len(), 50);
    assert_eq!(exhausted(&world), [Cap::Budget]);
}

const CONVERSE: &str = "/model/somebody.new/converse";
/// A model without a listed price: a thousand tokens at 75 USD a million are reserved, and one at 15 for two bytes.
const QUESTION: &[u8] =
    br#"{"inferenceConfig":{"maxTokens":1000},"messages":[{"role":"user","content":[{"text":"x"}]}]}"#;
const RESERVED: u64 = 75_000_000 + 15_000 * (QUESTION.len() as u64).div_ceil(2);

/// A model that takes a while, so that calls are in flight together; every answer says how many tokens it was.
async fn model(output_tokens: u64) -> Upstream {
    let usage = format!(r#"{{"usage":{{"inputTokens":10,"outputTokens":{output_tokens},"totalTokens":0}}}}"#);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{usage}", usage.len());
    Upstream::by_hand(move |_, mut socket| {
        let answer = answer.clone();
        async move {
            let mut question = [0; QUESTION.len()];
            while read_head(&mut socket).await && socket.read_exact(&mut question).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if socket.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

/// 64 clients ask a model as often as `rounds` says.
async fn conversations(output_tokens: u64, budget: u64, rounds: usize) -> World {
    let upstream = model(output_tokens).await;
    let caps = Caps { budget: Some(Usd::from_nano(budget)), ..Caps::default() };
    let world = Setup::on(&upstream.url()).actions(&["bedrock:InvokeModel", "iam:PassRole"]).caps(caps).gate().await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (sign, mut connection) = (Sign::with(&world).service("bedrock"), Client::connect(&world).await);
        clients.spawn(async move {
            for _ in 0..rounds {
                let json = [("content-type", "application/json")];
                let Ok(answer) = connection.begin(sign.request(Method::POST, CONVERSE, &json, QUESTION)).await else {
                    break;
                };
                if answer.into_body().collect().await.is_err() {
                    break;
                }
            }
        });
    }
    clients.join_all().await;
    eventually("all are settled", || world.gate.counts().settled == world.gate.counts().allowed).await;
    world
}

/// What every call has cost that was settled.
fn costs(world: &World) -> Vec<u64> {
    use hallpass_core::audit::Event;
    let of = |event: &Event| match event {
        Event::RequestSettled { cost_nano_usd, .. } => *cost_nano_usd,
        _ => None,
    };
    world.log.entries().iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_whose_calls_cost_less_than_reserved_use_the_budget_and_never_more() {
    const BUDGET: u64 = 40 * RESERVED;
    let costs = costs(&conversations(100, BUDGET, 3).await);
    assert!(costs.iter().all(|cost| *cost > 7_500_000 && *cost < RESERVED), "{costs:?}");
    let total: u64 = costs.iter().sum();
    assert!(total <= BUDGET, "{total}");
    assert!(costs.len() as u64 > 2 * BUDGET / RESERVED, "what was not used came back: {}", costs.len());
}

/// An upstream that bills more than was asked for, or more than the bytes of a request make one think.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_whose_calls_cost_more_than_reserved_overshoot_by_one_settled_difference() {
    for (output_tokens, budget) in [(2_000, 40), (1_001, 3), (100_000, 40), (50_000, 900), (1_500, 1_000)] {
        let budget = budget * RESERVED;
        let world = conversations(output_tokens, budget, 2).await;
        let costs = costs(&world);
        let settled: u64 = costs.iter().sum();
        let difference = costs.iter().max().expect("a cost").saturating_sub(RESERVED);
        assert!(settled <= budget + difference, "{settled} of {budget}, one differs by {difference}");
        if settled > budget {
            assert_eq!(world.gate.switch().closed(), Some(Closed::BudgetExceeded));
            assert_eq!(exhausted(&world), [Cap::Budget]);
        }
        // It was used: nothing was refused that would have fitted alone.
        let all = CLIENTS * 2;
        assert!(costs.len() == all || settled + RESERVED + difference >= budget, "{} calls, {settled}", costs.len());
    }
}

/// Where all of them fit even at their worst, they run at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_open_cost_run_together_where_the_budget_has_room_for_all() {
    let together = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let seen = Arc::clone(&together);
    let upstream = Upstream::by_hand(move |_, mut socket| {
        let seen = Arc::clone(&seen);
        async move {
            read_head(&mut socket).await;
            let now = seen.0.fetch_add(1, Ordering::SeqCst) + 1;
            seen.1.fetch_max(now, Ordering::SeqCst);
            let patience = tokio::time::Instant::now() + Duration::from_millis(500);
            while seen.1.load(Ordering::SeqCst) < 8 && tokio::time::Instant::now() < patience {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            seen.0.fetch_sub(1, Ordering::SeqCst);
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        }
    })
    .await;
    for (usd, at_once) in [(1_000_u64, 8), (5, 1)] {
        together.1.store(0, Ordering::SeqCst);
        let caps = Caps { budget: Some(Usd::from_cents(usd * 100)), ..Caps::default() };
        let world =
            Setup::on(&upstream.url()).actions(&["bedrock:InvokeModel", "iam:PassRole"]).caps(caps).gate().await;
        let mut clients = JoinSet::new();
        for _ in 0..8 {
            let (sign, mut connection) = (Sign::with(&world).service("bedrock"), Client::connect(&world).await);
            clients.spawn(async move {
                let json = [("content-type", "application/json")];
                connection.ask(sign.request(Method::POST, CONVERSE, &json, QUESTION)).await.status.as_u16()
            });
        }
        assert_eq!(clients.join_all().await, [200; 8], "those that do not fit yet wait");
        assert_eq!(together.1.load(Ordering::SeqCst), at_once, "with {usd} USD");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_open_cost_waits_for_room_and_is_refused_after_a_while() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        std::future::pending::<()>().await;
    })
    .await;
    let caps = Caps { budget: Some(Usd::from_cents(500)), ..Caps::default() };
    let world = Setup::on(&upstream.url()).actions(&["bedrock:InvokeModel", "iam:PassRole"]).caps(caps).gate().await;
    let json = [("content-type", "application/json")];
    let ask = || Sign::with(&world).service("bedrock").request(Method::POST, CONVERSE, &json, QUESTION);
    let mut first = Client::connect(&world).await;
    let silent = ask();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { first.begin(silent).await.map(drop) });
    eventually("the first is under way", || world.log.allowed() == 1).await;
    let mut second = Client::connect(&world).await;
    let begun = tokio::time::Instant::now();
    let refused = second.ask(ask()).await;
    let waited = begun.elapsed().as_secs();
    assert!((BUDGET_ROOM_WAIT_S_MAX..BUDGET_ROOM_WAIT_S_MAX + 2).contains(&waited), "{waited} s");
    assert_eq!((refused.status.as_u16(), refused.reason()), (403, "budget-exceeded"));
    assert!(refused.text().contains("may cost up to"), "{}", refused.text());
    assert_eq!((world.gate.switch().closed(), world.log.allowed()), (None, 1), "and the session goes on");
}

#[tokio::test]
async fn a_refused_request_has_no_entry_no_signature_and_costs_nothing() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).caps(requests(1)).gate().await;
    for _ in 0..5 {
        assert_eq!(put(&world, "/bucket/key", b"x").await.reason(), "not-allowed");
    }
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
    let over = get(&world, "/bucket/key").await;
    assert_eq!((over.status.as_u16(), over.reason()), (403, "budget-exceeded"));
    assert!(over.text().contains("<Code>AccessDenied</Code>") && over.text().contains("--max-requests"), "{over:?}");
    assert_eq!((world.gate.counts().signed, world.log.allowed(), upstream.seen().len()), (1, 1, 1));
}

#[tokio::test]
async fn what_could_not_be_sent_gives_its_room_back() {
    let world = Setup::on("http://127.0.0.1:1").caps(requests(1)).gate().await;
    for _ in 0..3 {
        assert_eq!(get(&world, "/bucket/key").await.reason(), "upstream-unreachable");
    }
    world.log.settles(3).await;
    world.log.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(get(&world, "/bucket/key").await.reason(), "audit-unavailable", "and room for it");
    assert_eq!(exhausted(&world), []);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_not_passed_on() {
    let upstream = Upstream::answering(|_| reply(200, &[], vec![1; 1_000])).await;
    let world = Setup::on(&upstream.url()).caps(bytes(999)).gate().await;
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "budget-exceeded"));
    assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("budget-exceeded"));
    assert_eq!(exhausted(&world), [], "it alone is larger than the cap: nothing is used up");
    let head = ask(&world, Sign::with(&world).request(Method::HEAD, "/bucket/key", &[], b"")).await;
    assert_eq!(head.status, 200, "an answer without a body fits, whatever its length says");
}

#[tokio::test]
async fn an_answer_of_unknown_length_is_cut_within_the_cap() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        let mut sent = socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while sent.is_ok() {
            sent = socket.write_all(b"400\r\n").await;
            sent = sent.and(socket.write_all(&[7; 1_024]).await).and(socket.write_all(b"\r\n").await);
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).caps(bytes(1 << 20)).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let mut read = 0;
    let broken = loop {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.into_data().map_or(0, |piece| piece.len()),
            Some(Err(_)) => break true,
            None => break false,
        }
    };
    assert!(broken && read <= 1 << 20, "{read} bytes, broken: {broken}");
    let settled = world.log.settles(1).await;
    assert!(settled[0].3 <= 1 << 20 && settled[0].4.as_deref() == Some("budget-exceeded"), "{settled:?}");
}

#[tokio::test]
async fn an_upload_of_unknown_length_is_cut_within_the_cap() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).caps(bytes(100_000)).gate().await;
    let sign = Sign::with(&world).payload(Payload::Unsigned);
    let headers = sign.headers(&Method::PUT, "/bucket/key", &[], b"");
    let pieces = futures_util::stream::unfold(0, |sent| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        (sent < 200).then(|| (Ok::<_, std::io::Error>(Frame::data(bytes::Bytes::from(vec![1; 10_000]))), sent + 1))
    });
    let request = built(Method::PUT, "/bucket/key", headers, StreamBody::new(Box::pin(pieces)));
    let answer = Client::connect(&world).await.begin(request).await;
    if let Ok(answer) = answer {
        assert_eq!(answer.headers()["x-hallpass-reason"], "budget-exceeded");
    }
    let settled = world.log.settles(1).await;
    assert!(settled[0].2 <= 100_000, "{settled:?}");
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "it never came to exist");
}

#[tokio::test]
async fn the_cap_that_is_used_up_cuts_what_is_under_way_and_refuses_the_rest() {
    let upstream = Upstream::by_hand(|at, mut socket| async move {
        read_head(&mut socket).await;
        if at > 0 {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n").await;
            let _ = socket.write_all(&[1; 600]).await;
        }
        let mut sent = socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n").await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sent = socket.write_all(b"1\r\nx\r\n").await;
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).caps(bytes(1_000)).gate().await;
    let mut first = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/long", &[], b"");
    let mut long = first.begin(request).await.expect("an answer").into_body();
    assert_eq!(get(&world, "/bucket/a").await.status, 200);
    world.log.settles(1).await;
    assert_eq!(get(&world, "/bucket/b").await.reason(), "budget-exceeded");
    assert_eq!(world.gate.switch().closed(), Some(Closed::BudgetExceeded));
    while let Some(Ok(_)) = long.frame().await {}
    let outcomes = world.log.settles(3).await;
    assert!(outcomes.iter().any(|(.., fault)| fault.as_deref() == Some("cut: budget-exceeded")), "{outcomes:?}");
    assert_eq!(get(&world, "/bucket/c").await.reason(), "budget-exceeded");
    assert_eq!(exhausted(&world), [Cap::Bytes]);
}

#[tokio::test]
async fn warnings_come_at_half_and_most_of_a_cap_and_costs_are_recorded() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).caps(requests(4)).gate().await;
    for _ in 0..4 {
        assert_eq!(get(&world, "/bucket/key").await.status, 200);
    }
    world.log.settles(4).await;
    let notices = world.notices.lock().expect("no panic").clone();
    let percents: Vec<u8> =
        notices.iter().filter_map(|n| if let Notice::Warned(w) = n { Some(w.percent) } else { None }).collect();
    assert_eq!(percents, [50, 95], "75 % is past 50 already, 100 % is past 95");
    let cost = |event: &hallpass_core::audit::Event| match event {
        hallpass_core::audit::Event::RequestSettled { cost_nano_usd, .. } => *cost_nano_usd,
        _ => None,
    };
    // 400 for the GET, and two bytes of transfer at 0.09 USD per GiB, rounded up.
    assert_eq!(world.log.entries().iter().filter_map(cost).collect::<Vec<_>>(), [401; 4]);
}

#[tokio::test]
async fn distinct_resources_are_capped_and_known_ones_pass() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).caps(Caps { resources: Some(2), ..Caps::default() }).gate().await;
    for key in ["a", "b", "a", "b", "a"] {
        assert_eq!(get(&world, &format!("/bucket/{key}")).await.status, 200);
    }
    world.log.settles(5).await;
    assert_eq!(get(&world, "/bucket/c").await.reason(), "budget-exceeded");
    assert_eq!(exhausted(&world), [Cap::Resources]);
    let about = |event: &Event| match event {
        Event::RequestDenied { denial, .. } => Some((denial.action.clone(), denial.resource.clone())),
        _ => None,
    };
    let one_too_many = (Some("s3:GetObject".to_owned()), Some("arn:aws:s3:::bucket/c".to_owned()));
    assert_eq!(world.log.entries().iter().filter_map(about).collect::<Vec<_>>(), [one_too_many]);
}
