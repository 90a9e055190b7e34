//! One request: sent, judged, and sent again where that can help.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hallpass_core::limits::{
    S3_ATTEMPTS_MAX, S3_BACKOFF_MS_MAX, S3_BACKOFF_MS_MIN, S3_CLOCK_SKEW_S_MAX, S3_ERROR_BYTES_MAX,
    S3_IDLE_INSIDE_S_MAX, S3_RETRY_AFTER_S_MAX, S3_RETRYING_S_MAX,
};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::Inner;
use super::body::{Body, broken, silent};
use super::call::Call;
use super::endpoint::Host;
use super::failure::{Failure, read, unreachable};
use super::flow::Transit;
use super::payload::Upload;
use super::reply::{Reply, Whole};
use super::wire::{Wire, WireError, connect};
use super::xml::Element;
use crate::alias::StaticCredentials;
use crate::error::{ErrorKind, S3Error};

/// What was tried already for one request: each at most once.
#[derive(Debug)]
struct Tried {
    since: Instant,
    attempts: u32,
    renewed: bool,
    moved: bool,
    corrected: bool,
}

impl Inner {
    /// Sends a call; its answer is a stream.
    ///
    /// # Errors
    /// What the store answered, or why it did not.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Reply, S3Error> {
        let mut tried = Tried { since: Instant::now(), attempts: 0, renewed: false, moved: false, corrected: false };
        loop {
            match Box::pin(self.attempt(call)).await {
                Ok(reply) => return Ok(reply),
                Err((failure, signed_by)) => self.again(call, failure, signed_by.as_ref(), &mut tried).await?,
            }
        }
    }

    /// The same, read to its end. An answer that breaks off, or is an error in spite of its status (CompleteMultipart-
    /// Upload, CopyObject: the status is sent before the work is done), counts as a refusal.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub(crate) async fn whole(&self, call: &Call<'_>) -> Result<Whole, S3Error> {
        let mut tried = Tried { since: Instant::now(), attempts: 0, renewed: false, moved: false, corrected: false };
        loop {
            let (failure, signed_by) = match Box::pin(self.attempt(call)).await {
                Err(refused) => refused,
                Ok(reply) => match self.checked(call, reply).await {
                    Ok(whole) => return Ok(whole),
                    Err(refused) => {
                        call.flow.taken_back(call.payload.len());
                        refused
                    }
                },
            };
            self.again(call, failure, signed_by.as_ref(), &mut tried).await?;
        }
    }

    async fn checked(&self, call: &Call<'_>, reply: Reply) -> Result<Whole, (Failure, Option<StaticCredentials>)> {
        let whole = reply.whole().await.map_err(|error| (error.into(), None))?;
        if !begins_an_error(&whole.bytes) {
            return Ok(whole);
        }
        let credentials = self.credentials.current().await.map_err(|error| (error.into(), None))?;
        // As if it had come with the status that the store could not know yet.
        let answer = (500, &whole.headers, whole.bytes.as_ref());
        Err((read(&self.alias, call, credentials.as_ref(), self.now(), answer), credentials))
    }

    /// Waits or repairs before another try; gives the error back when no other try can help.
    async fn again(
        &self,
        call: &Call<'_>,
        failure: Failure,
        signed_by: Option<&StaticCredentials>,
        tried: &mut Tried,
    ) -> Result<(), S3Error> {
        tried.attempts += 1;
        if failure.expired {
            let refused = signed_by.map_or("", |credentials| credentials.access_key_id.as_str());
            if !std::mem::replace(&mut tried.renewed, true) && self.credentials.renew(refused).await? {
                tracing::debug!(alias = self.alias, "credentials renewed in the middle of a request");
                return Ok(());
            }
            return Err(failure.error);
        }
        if let (Some(bucket), Some(region)) = (call.bucket, &failure.region) {
            let used = self.region_of(bucket).unwrap_or_else(|| self.region.clone());
            if *region != used && !std::mem::replace(&mut tried.moved, true) {
                self.remember_region(bucket, region);
                return Ok(());
            }
        }
        if let Some(time) = failure.time
            && !std::mem::replace(&mut tried.corrected, true)
        {
            let skew_s = time.as_second() - self.options.clock.now().as_second();
            if skew_s.abs() <= S3_CLOCK_SKEW_S_MAX {
                tracing::warn!(
                    skew_s,
                    "this machine's clock differs from the store's: requests are signed for its time"
                );
                self.skew_s.store(skew_s, Ordering::Relaxed);
                return Ok(());
            }
        }
        let pause = failure.wait.unwrap_or_else(|| backoff(tried.attempts));
        let worth = failure.error.retryable()
            && (call.repeatable || failure.undone)
            && tried.attempts < self.options.attempts.clamp(1, S3_ATTEMPTS_MAX)
            && pause <= Duration::from_secs(S3_RETRY_AFTER_S_MAX)
            && tried.since.elapsed() + pause < Duration::from_secs(S3_RETRYING_S_MAX);
        if !worth {
            return Err(failure.error);
        }
        tracing::debug!(attempt = tried.attempts, error = %failure.error, "sent again");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Sends a call once, and asks what a HEAD could not say.
    async fn attempt(&self, call: &Call<'_>) -> Result<Reply, (Failure, Option<StaticCredentials>)> {
        let credentials = self.credentials.current().await.map_err(|error| (error.into(), None))?;
        let failure = match self.once(call, credentials.as_ref()).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        let status = match &failure.error {
            S3Error::Store(_, answer) => answer.status,
            _ => None,
        };
        if call.method != Method::HEAD || !failure.mute || !matches!(status, Some(400 | 401 | 403)) {
            return Err((failure, credentials));
        }
        let asked = match call.key {
            Some(_) => Call { query: call.query.clone(), ..Call::new(Method::GET, call.bucket, call.key) }
                .header("range", "bytes=0-0"),
            None => Call::new(Method::GET, call.bucket, None).query("list-type", "2").query("max-keys", "0"),
        };
        let failure = match self.once(&asked, credentials.as_ref()).await {
            Err(told) if !told.mute => told,
            _ => failure,
        };
        Err((failure, credentials))
    }

    fn patience(&self, call: &Call<'_>) -> Duration {
        let inside = if call.inside { Duration::from_secs(S3_IDLE_INSIDE_S_MAX) } else { Duration::ZERO };
        self.options.idle.max(inside)
    }

    /// One request on one connection.
    async fn once(&self, call: &Call<'_>, credentials: Option<&StaticCredentials>) -> Result<Reply, Failure> {
        let transit = Arc::<Transit>::default();
        let (host, request) = self.request(call, credentials, &transit).await?;
        let begun = Instant::now();
        let exchanged = self.exchange(call, &host, request, &transit).await;
        let (response, wire) = exchanged.inspect_err(|failure| {
            call.flow.taken_back(transit.sent());
            tracing::debug!(alias = self.alias, method = %call.method, bucket = ?call.bucket, key = ?call.key,
                error = %failure.error, "no answer");
        })?;
        let (head, incoming) = response.into_parts();
        tracing::debug!(alias = self.alias, method = %call.method, bucket = ?call.bucket, key = ?call.key,
            status = head.status.as_u16(), ms = begun.elapsed().as_millis(), "answered");
        let good = head.status.is_success();
        let flow = if good { call.flow.clone() } else { super::Flow::default() };
        // An upload was counted on its way out.
        let flow = if call.payload.is_empty() { flow } else { super::Flow::default() };
        let body = Body::new(incoming, wire, &self.pool, flow, self.patience(call));
        let status = head.status.as_u16();
        if good {
            return Ok(Reply { status, headers: head.headers, body });
        }
        call.flow.taken_back(transit.sent());
        let bytes = body.collect(S3_ERROR_BYTES_MAX).await.unwrap_or_default();
        Err(read(&self.alias, call, credentials, self.now(), (status, &head.headers, &bytes)))
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        host: &Host,
        mut request: Request<Upload>,
        transit: &Transit,
    ) -> Result<(Response<Incoming>, Box<Wire>), Failure> {
        loop {
            let waiting = self.pool.take(host);
            let mut wire = match waiting {
                Some(wire) => wire,
                None => connect(host, &self.tls, &self.options.proxy)
                    .await
                    .map_err(|why| Failure::unsent(unreachable(&why)))?,
            };
            let sent = unless_stalled(wire.send(request), transit, self.patience(call)).await;
            match sent {
                None => return Err(silent(self.patience(call)).into()),
                Some(Ok(response)) => return Ok((response, wire)),
                // It waited too long in the pool; the next one, or a new one.
                Some(Err(WireError::Unsent(back, _))) if wire.was_used() => request = *back,
                Some(Err(WireError::Unsent(_, error))) => return Err(Failure::unsent(broken(&error))),
                Some(Err(WireError::Broken(error))) => {
                    return Err(match transit.fault() {
                        Some(fault) => {
                            let (path, message) = fault;
                            S3Error::Local { path, message, kind: ErrorKind::General }.into()
                        }
                        None => broken(&error).into(),
                    });
                }
            }
        }
    }
}

/// Whether a document is an error: looked at only where it says so near its beginning, because listings are large.
fn begins_an_error(document: &[u8]) -> bool {
    let beginning = document.get(..S3_ERROR_BYTES_MAX).unwrap_or(document);
    let said = beginning.windows(6).any(|window| window == b"<Error");
    said && Element::parse(document).is_some_and(|root| root.name == "Error")
}

/// The answer's head, or `None` when neither it nor a byte of the upload moved for so long.
async fn unless_stalled<T>(sending: impl Future<Output = T>, transit: &Transit, idle: Duration) -> Option<T> {
    let mut sending = pin!(sending);
    let mut seen = 0;
    loop {
        match tokio::time::timeout(idle, sending.as_mut()).await {
            Ok(sent) => return Some(sent),
            Err(_) if transit.sent() == seen && !transit.is_slowed() => return None,
            Err(_) => seen = transit.sent(),
        }
    }
}

/// Full jitter: between nothing and a ceiling that doubles, so that many clients do not come back together.
fn backoff(attempt: u32) -> Duration {
    let ceiling = S3_BACKOFF_MS_MIN.saturating_mul(1 << attempt.min(16)).min(S3_BACKOFF_MS_MAX);
    let random = getrandom::u64().unwrap_or(ceiling);
    Duration::from_millis(random % (ceiling + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hallpass_core::limits::{S3_BACKOFF_MS_MAX, S3_BACKOFF_MS_MIN};

    use super::backoff;

    #[test]
    fn pauses_grow_and_stay_below_their_ceiling() {
        for attempt in [1, 5, 1_000, u32::MAX] {
            let most = (0..200).map(|_| backoff(attempt)).max().expect("some");
            assert!(most <= Duration::from_millis(S3_BACKOFF_MS_MAX), "{attempt}");
        }
        let first = (0..200).map(|_| backoff(1)).max().expect("some");
        assert!(first <= Duration::from_millis(2 * S3_BACKOFF_MS_MIN));
    }
}
