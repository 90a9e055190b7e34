//! The command of the story: a stand-in for an agent. It knows nothing of Hallpass but what its environment tells it.

use std::io::{self, Write};
use std::time::Duration;

use hallpass_core::clock::Clock;
use http_body_util::BodyExt;

use super::client::{Client, ClientError, element, text};
use super::store::{BIG, BUCKET, PREFIX, REPORT, SECRET};
use crate::environment;

/// Line that announces the session, for the story.
pub(crate) const SESSION_LINE: &str = "session ";
/// Line that is written when the large download is well under way.
pub(crate) const UNDER_WAY_LINE: &str = "under way";
/// The large download waits this long after each mebibyte, so that there is something to interrupt.
const PAUSE_PER_MIB: Duration = Duration::from_millis(15);
/// Progress is shown after this many mebibytes, and after this many the story goes on.
const MIB_SHOWN: u64 = 8;
const MIB: u64 = 1024 * 1024;

/// Plays its part; every line goes to stdout at once.
pub(crate) async fn play(clock: &dyn Clock) -> Result<(), ClientError> {
    let mut client = Client::from_environment()?;
    say(&format!("{SESSION_LINE}{}", environment::text(environment::HALLPASS_SESSION_ID).unwrap_or_default()));

    let query = format!("list-type=2&prefix={}", PREFIX.replace('/', "%2F"));
    attempt(&mut client, clock, "list", "GET", &format!("/{BUCKET}"), &query, "").await?;
    attempt(&mut client, clock, "read", "GET", &format!("/{BUCKET}/{REPORT}"), "", "").await?;
    attempt(&mut client, clock, "read", "GET", &format!("/{BUCKET}/{SECRET}"), "", "").await?;
    attempt(&mut client, clock, "write", "PUT", &format!("/{BUCKET}/{REPORT}"), "", "month,revenue\n").await?;
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"] {
        let value = environment::text(name).unwrap_or_else(|| "(not set)".to_owned());
        let shown: String = value.chars().take(44).collect();
        say(&format!("env {name}={shown}{}", if shown.len() < value.len() { "…" } else { "" }));
    }
    download(&mut client, clock).await
}

async fn attempt(
    client: &mut Client,
    clock: &dyn Clock,
    verb: &str,
    method: &str,
    path: &str,
    query: &str,
    body: &'static str,
) -> Result<(), ClientError> {
    let response = client.send(clock.now(), method, path, query, body).await?;
    let status = response.status();
    let answer = text(response).await?;
    let shown = format!("{verb} s3:/{path}{}", if query.is_empty() { "" } else { "/reports/" });
    if status.is_success() {
        let keys = answer.matches("<Key>").count();
        let got =
            if verb == "list" { format!("{keys} objects") } else { answer.lines().last().unwrap_or("").to_owned() };
        say(&format!("ok {shown}|{got}"));
    } else {
        let code = element(&answer, "Code").unwrap_or("no code");
        let message = element(&answer, "Message").unwrap_or("no message");
        let message = message.replace("&apos;", "'").replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<");
        say(&format!("no {shown}|{code}: {}", message.replace("&amp;", "&")));
    }
    Ok(())
}

async fn download(client: &mut Client, clock: &dyn Clock) -> Result<(), ClientError> {
    let response = client.send(clock.now(), "GET", &format!("/{BUCKET}/{BIG}"), "", "").await?;
    let mut body = response.into_body();
    let (mut received, mut shown) = (0_u64, 0_u64);
    loop {
        match body.frame().await {
            Some(Ok(frame)) => received += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => {
                say(&format!("cut {} MiB", received / MIB));
                return Ok(());
            }
            None => {
                say(&format!("end {} MiB", received / MIB));
                return Ok(());
            }
        }
        if received / MIB > shown {
            shown = received / MIB;
            tokio::time::sleep(PAUSE_PER_MIB).await;
            if shown.is_multiple_of(MIB_SHOWN) {
                say(&format!("got {shown} MiB"));
            }
            if shown == 2 * MIB_SHOWN {
                say(UNDER_WAY_LINE);
            }
        }
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    // The story's reader may have gone; the child then has nobody to tell.
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}
