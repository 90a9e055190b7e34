//! The session's account, shared by all connections: room is taken before anything is recorded or signed, and settled
//! with what was really used. What was never sent gives its room back.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::budget::price::{Call, Outcome, Price, TokenTail};
use hallpass_core::budget::{Account, Amounts, Caps, Exceeded, Reservation, Usd, Warning};
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::BUDGET_ROOM_WAIT_S_MAX;
use hallpass_core::resolve::Resolved;
use tokio::time::Instant;

use super::Shared;
use super::switch::Closed;

/// What a gate says about its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A share of a cap is used.
    Warned(Warning),
    /// A cap is used up: the gate refuses everything and has cut what was under way. Said once.
    Exhausted(Exceeded),
}

/// Takes the notices. It is called from the gate's tasks, and must not block.
#[derive(Clone)]
pub struct Notify(Arc<dyn Fn(Notice) + Send + Sync>);

impl Notify {
    /// Every notice is given to `take`.
    pub fn new(take: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify")
    }
}

/// What a session may use up, and who is told.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The caps; without any, everything is counted and nothing refused.
    pub caps: Caps,
    /// Estimate money by the price table of AWS. False where the upstream is another store, whose prices nobody knows.
    pub priced: bool,
    /// Takes the notices.
    pub notify: Notify,
}

impl Limits {
    /// No caps.
    pub fn none() -> Self {
        Self { caps: Caps::default(), priced: true, notify: Notify::new(|_| {}) }
    }
}

/// The account of a gate.
#[derive(Debug)]
pub(super) struct Budget {
    account: Mutex<Account>,
    priced: bool,
    /// The answers' lengths matter: bytes or money are capped.
    metered: bool,
    /// There is a cap of any kind.
    capped: bool,
    notify: Notify,
    exhausted: AtomicBool,
    /// Told when room has been given back.
    freed: tokio::sync::Notify,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        let Limits { caps, priced, notify } = limits;
        let metered = caps.bytes.is_some() || caps.budget.is_some();
        let capped = caps != Caps::default();
        let account = Mutex::new(Account::new(caps));
        let (exhausted, freed) = (AtomicBool::new(false), tokio::sync::Notify::new());
        Self { account, priced, metered, capped, notify, exhausted, freed }
    }

    /// True when the session may not use as much as it likes: then nothing may leave that is not counted here.
    pub(super) fn is_capped(&self) -> bool {
        self.capped
    }

    /// Takes room; where only what others in flight may cost is in the way, as soon as they are settled.
    async fn admit(&self, need: Amounts, excess: Usd, resources: &[&str]) -> Result<Reservation, Exceeded> {
        let until = Instant::now() + Duration::from_secs(BUDGET_ROOM_WAIT_S_MAX);
        loop {
            let mut freed = pin!(self.freed.notified());
            // Before the look at the account, so that no word of it is missed.
            freed.as_mut().enable();
            let refused = match self.account().reserve_open(need, excess, resources.iter().copied()) {
                Ok(reservation) => return Ok(reservation),
                Err(exceeded) => exceeded,
            };
            if refused.at_risk == 0 || tokio::time::timeout_at(until, freed).await.is_err() {
                return Err(refused);
            }
        }
    }

    fn release(&self, reservation: Reservation) {
        self.account().release(reservation);
        self.freed.notify_waiters();
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's tab. Dropped without being settled, it gives its room back.
#[derive(Debug)]
pub(super) struct Tab {
    gate: Arc<Shared>,
    /// `None` where nobody knows the prices.
    price: Option<Price>,
    open: Mutex<Option<Reservation>>,
    /// Bytes that there is room for, in each direction.
    room_in: AtomicU64,
    room_out: AtomicU64,
    sent: AtomicBool,
    tail: Mutex<Option<TokenTail>>,
}

impl Tab {
    /// Takes room for a request, before its audit entry. `bytes_in` is `None` where the length is not declared.
    /// Waits up to [`BUDGET_ROOM_WAIT_S_MAX`] for others in flight that may cost more than they have reserved.
    ///
    /// # Errors
    /// [`DenialCode::BudgetExceeded`]; when that uses up a cap, the gate is closed.
    pub(super) async fn open(
        gate: &Arc<Shared>,
        resolved: &Resolved,
        query: &str,
        body: Option<&[u8]>,
        bytes_in: Option<u64>,
    ) -> Result<Arc<Self>, Denial> {
        let declared = bytes_in.unwrap_or(0);
        let call = Call::of(resolved, query, body, declared);
        let price = gate.budget.priced.then(|| Price::of(&call));
        let need = Amounts { cost: price.map_or(Usd::ZERO, |price| price.reserve()), requests: 1, bytes: declared };
        let excess = price.map_or(Usd::ZERO, |price| price.excess());
        let resources: Vec<&str> = resolved.accesses.iter().map(|access| access.resource.shown()).collect();
        let reserved = gate.budget.admit(need, excess, &resources).await;
        let reservation = reserved.map_err(|exceeded| {
            let about = resolved.accesses.first();
            let action = about.map(|access| access.action.clone());
            let resource = about.map(|access| access.resource.shown().to_owned());
            Denial { action, resource, ..refused(gate, &exceeded) }
        })?;
        let unmetered = !gate.budget.metered;
        let room = |declared: u64| AtomicU64::new(if unmetered { u64::MAX } else { declared });
        Ok(Arc::new(Self {
            gate: Arc::clone(gate),
            price,
            open: Mutex::new(Some(reservation)),
            room_in: room(declared),
            room_out: room(0),
            sent: AtomicBool::new(false),
            tail: Mutex::new((resolved.service == "bedrock").then(TokenTail::default)),
        }))
    }

    /// From here on the request counts, whatever becomes of it.
    pub(super) fn sent(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// It turned out that nothing of it has left.
    pub(super) fn not_sent(&self) {
        self.sent.store(false, Ordering::Relaxed);
    }

    /// The body of the request has grown to `total` bytes.
    ///
    /// # Errors
    /// [`DenialCode::BudgetExceeded`].
    pub(super) fn upload(&self, total: u64) -> Result<(), Denial> {
        self.grow(&self.room_in, total, |_| Usd::ZERO)
    }

    /// The body of the answer has grown, or will grow, to `total` bytes.
    ///
    /// # Errors
    /// [`DenialCode::BudgetExceeded`].
    pub(super) fn download(&self, total: u64) -> Result<(), Denial> {
        self.grow(&self.room_out, total, |more| self.price.map_or(Usd::ZERO, |price| price.transfer(more)))
    }

    /// Looks at what passes, where the answer says what it has cost.
    pub(super) fn read(&self, piece: &Bytes) {
        if let Some(tail) = &mut *self.tail.lock().unwrap_or_else(PoisonError::into_inner) {
            tail.push(piece);
        }
    }

    /// What the request has used, for good. Its estimated cost, where one can be told.
    pub(super) fn settle(&self, status: Option<u16>, bytes_in: u64, bytes_out: u64) -> Option<Usd> {
        let reservation = self.reservation().take()?;
        if !self.sent.load(Ordering::Relaxed) {
            self.gate.budget.release(reservation);
            return None;
        }
        let tokens = self.tail.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(TokenTail::tokens);
        let cost = self.price.map(|price| price.settle(&Outcome { status, bytes_out, tokens }));
        let bytes = bytes_in.saturating_add(bytes_out);
        let used = Amounts { cost: cost.unwrap_or_default(), requests: 1, bytes };
        let settled = self.gate.budget.account().settle(reservation, used);
        for warning in settled.warnings {
            (self.gate.budget.notify.0)(Notice::Warned(warning));
        }
        if let Some(exceeded) = settled.overshot {
            exhaust(&self.gate, &exceeded);
        }
        self.gate.budget.freed.notify_waiters();
        cost.filter(|_| !self.price.is_some_and(|price| price.is_unbounded()))
    }

    fn grow(&self, room: &AtomicU64, total: u64, cost: impl Fn(u64) -> Usd) -> Result<(), Denial> {
        if total <= room.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut open = self.reservation();
        // The request is over: nothing may pass on its account any more.
        let Some(reservation) = open.as_mut() else { return Err(Closed::BudgetExceeded.denial()) };
        let more = total.saturating_sub(room.load(Ordering::Relaxed));
        let more = Amounts { cost: cost(more), requests: 0, bytes: more };
        let extended = self.gate.budget.account().extend(reservation, more);
        extended.map_err(|exceeded| refused(&self.gate, &exceeded))?;
        room.store(total, Ordering::Relaxed);
        Ok(())
    }

    fn reservation(&self) -> MutexGuard<'_, Option<Reservation>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation().take() {
            self.gate.budget.release(reservation);
        }
    }
}

fn refused(gate: &Shared, exceeded: &Exceeded) -> Denial {
    if exceeded.ends {
        exhaust(gate, exceeded);
    }
    let mut denial = Denial::new(DenialCode::BudgetExceeded, exceeded.reason());
    denial.how_to_ask = Some(format!("ask for a session with a larger `{}`", exceeded.cap.flag()));
    denial
}

/// The same cut as a kill: everything is refused, what is under way is cut, and the keeper is told to end the rest.
fn exhaust(gate: &Shared, exceeded: &Exceeded) {
    gate.switch.refuse(Closed::BudgetExceeded);
    // What ended for another reason stays as it ended.
    let ours = gate.switch.closed() == Some(Closed::BudgetExceeded);
    if ours && !gate.budget.exhausted.swap(true, Ordering::SeqCst) {
        (gate.budget.notify.0)(Notice::Exhausted(*exceeded));
    }
}
