//! The keeper's end of the socket, over a store that fails.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use hallpass_control::authority::AuthorityKey;
use hallpass_control::clock::SystemClock;
use hallpass_control::store::{
    EntryFilter, Filter, Listing, LogInfo, NewSession, Page, Position, Pruned, Record, Retention, SignedCheckpoint,
    StoredEntry, Transition,
};
use hallpass_control::{Store, StoreError};
use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::Session;
use jiff::Timestamp;

use super::super::protocol::Answer;
use super::{ControlSocket, Desk};
use crate::deliver::AccessSwitch;
use crate::deliver::credential_endpoint::EndpointSwitch;
use crate::supervise::{Happening, Progress};

/// A store on a disk that is gone.
#[derive(Debug)]
struct Gone;

fn gone<T: Send + 'static>() -> BoxFuture<'static, Result<T, StoreError>> {
    Box::pin(std::future::ready(Err(StoreError::DiskFull("gone".to_owned()))))
}

impl Store for Gone {
    fn create(&self, _: NewSession) -> BoxFuture<'_, Result<Position, StoreError>> {
        gone()
    }
    fn transition(&self, _: Transition) -> BoxFuture<'_, Result<Record, StoreError>> {
        gone()
    }
    fn append(&self, _: Option<&SessionId>, _: Event) -> BoxFuture<'_, Result<Position, StoreError>> {
        gone()
    }
    fn append_later(&self, _: Option<&SessionId>, _: Event) {}
    fn flush(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        gone()
    }
    fn session<'a>(&'a self, _: &'a SessionId) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        gone()
    }
    fn matching<'a>(&'a self, _: &'a str, _: u32) -> BoxFuture<'a, Result<Vec<Record>, StoreError>> {
        gone()
    }
    fn list(&self, _: Filter, _: Page) -> BoxFuture<'_, Result<Listing, StoreError>> {
        gone()
    }
    fn find_reusable<'a>(
        &'a self,
        _: &'a AuthorityKey,
        _: u64,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        gone()
    }
    fn entries(&self, _: EntryFilter) -> BoxFuture<'_, Result<Vec<StoredEntry>, StoreError>> {
        gone()
    }
    fn checkpoint(&self) -> BoxFuture<'_, Result<SignedCheckpoint, StoreError>> {
        gone()
    }
    fn checkpoints(&self, _: u64, _: u32) -> BoxFuture<'_, Result<Vec<SignedCheckpoint>, StoreError>> {
        gone()
    }
    fn prune(&self, _: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        gone()
    }
    fn import(&self, _: Session, _: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        gone()
    }
    fn log_info(&self) -> BoxFuture<'_, Result<LogInfo, StoreError>> {
        gone()
    }
}

#[test]
fn a_kill_that_cannot_be_recorded_happens_all_the_same_and_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("control");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let (supervisor, inbox) = mpsc::channel();
    let switch = EndpointSwitch::default();
    let desk = Desk {
        session: SessionId::new("abc").expect("id"),
        access: AccessSwitch::Endpoint(switch.clone()),
        presigning: None,
        store: Arc::new(Gone),
        clock: Arc::new(SystemClock),
        supervisor,
        grace: Duration::from_secs(1),
    };
    let guard = runtime.enter();
    let socket = ControlSocket::bind(&path, desk).expect("bound");
    drop(guard);
    let mut stream = UnixStream::connect(&path).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    stream.write_all(b"{\"ask\":\"kill\"}\n").expect("asked");
    let mut lines = BufReader::new(stream).lines();
    let mut answer = || serde_json::from_str::<Answer>(&lines.next().expect("an answer").expect("read")).expect("json");
    assert!(matches!(answer(), Answer::Refusing { .. }));
    assert!(switch.is_closed(), "access goes on");
    let Ok(Happening::End(news)) = inbox.recv_timeout(Duration::from_secs(10)) else {
        unreachable!("the end is asked for")
    };
    news.send(Progress::Signalled(Instant::now())).expect("heard");
    news.send(Progress::Gone(Instant::now())).expect("heard");
    let Answer::Killed(killed) = answer() else { unreachable!("the second answer says what was achieved") };
    assert!(killed.processes_gone_us.is_some());
    assert_eq!((killed.recorded_us, killed.status), (None, None), "it claims a record");
    assert!(killed.not_recorded.is_some_and(|why| why.contains("disk")));
    runtime.block_on(socket.finish());
}
