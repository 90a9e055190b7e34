//! The account of one session: what is settled, what is reserved, and whether more may begin.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::excess::Excess;
use super::{Cap, Caps, Usd};

/// Shares of a cap, in percent, at which a warning is due.
const WARNED_AT: [u8; 3] = [50, 80, 95];
/// The part of what is left of a budget that the possible differences of calls never take: the others need room too.
const KEPT_FOR_KNOWN_COSTS: u64 = 8;

/// What a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Estimated money.
    pub cost: Usd,
    /// Requests.
    pub requests: u64,
    /// Bytes of bodies, both ways.
    pub bytes: u64,
}

impl Amounts {
    /// The sum, saturating.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            cost: self.cost.plus(more.cost),
            requests: self.requests.saturating_add(more.requests),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }

    fn minus(self, less: Self) -> Self {
        Self {
            cost: Usd::from_nano(self.cost.nano().saturating_sub(less.cost.nano())),
            requests: self.requests.saturating_sub(less.requests),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }

    fn under(&self, cap: Cap) -> u64 {
        match cap {
            Cap::Budget => self.cost.nano(),
            Cap::Requests => self.requests,
            Cap::Bytes => self.bytes,
            Cap::Resources => 0,
        }
    }
}

/// A request does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// The cap that it would break.
    pub cap: Cap,
    /// The limit.
    pub limit: u64,
    /// What is used up for good.
    pub settled: u64,
    /// What requests in flight hold.
    pub reserved: u64,
    /// What this one needs.
    pub need: u64,
    /// What requests in flight may cost beyond what they hold, where that alone is in the way: there may be room
    /// as soon as one of them is settled. Otherwise 0.
    pub at_risk: u64,
    /// True when the cap is used up: what is left would not do even if nothing were in flight, and the whole cap
    /// would have. A request that is larger than the whole cap is refused, and ends nothing.
    pub ends: bool,
}

impl Exceeded {
    /// One sentence for people and agents.
    pub fn reason(&self) -> String {
        let Self { cap, limit, settled, reserved, need, at_risk, ends } = *self;
        let of = format!("{} of {} are used", cap.shown(settled), cap.shown(limit));
        let flight = if reserved > 0 { format!(", {} in flight", cap.shown(reserved)) } else { String::new() };
        match (ends, need > limit) {
            (false, _) if at_risk > 0 => {
                let most = cap.shown(at_risk);
                format!("the session's {cap} has no room while others may cost up to {most} more: {of}{flight}")
            }
            (true, _) => format!("the session's {cap} is used up: {of}{flight}"),
            (false, true) => {
                format!("this request alone needs {}, the session's {cap} is {}", cap.shown(need), cap.shown(limit))
            }
            (false, false) => format!("the session's {cap} has no room while others are in flight: {of}{flight}"),
        }
    }
}

/// A share of a cap has been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// Which cap.
    pub cap: Cap,
    /// 50, 80 or 95.
    pub percent: u8,
    /// What is used.
    pub used: u64,
    /// Of how much.
    pub limit: u64,
}

/// What settling led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Thresholds passed for the first time.
    pub warnings: Vec<Warning>,
    /// A cap that real use has gone past: by no more than the difference between what was reserved and what was used.
    pub overshot: Option<Exceeded>,
}

/// A resource's name, as it is remembered: the first half of its SHA-256, so that long names cost no memory.
type Key = [u8; 16];

#[derive(Debug, Default)]
struct Touched {
    /// Reservations that name it.
    holders: u32,
    /// A settled request named it.
    kept: bool,
}

/// Room for one request. Give it back with [`Account::settle`] or [`Account::release`].
#[derive(Debug)]
#[must_use = "a reservation that is dropped stays reserved"]
pub struct Reservation {
    held: Amounts,
    /// What it may cost beyond that, nano-dollars.
    excess: u64,
    keys: Vec<Key>,
}

impl Reservation {
    /// What it holds.
    pub fn held(&self) -> Amounts {
        self.held
    }
}

/// The account of one session. At each admission, settled plus reserved is within every cap, and stays within the
/// budget even if every call in flight but one costs as much as it can.
#[derive(Debug, Default)]
pub struct Account {
    caps: Caps,
    settled: Amounts,
    reserved: Amounts,
    excess: Excess,
    touched: HashMap<Key, Touched>,
    kept: u64,
    warned: HashMap<Cap, u8>,
}

impl Account {
    /// Nothing used, nothing reserved.
    pub fn new(caps: Caps) -> Self {
        Self { caps, ..Self::default() }
    }

    /// What it is held to.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// What is used up for good.
    pub fn settled(&self) -> Amounts {
        self.settled
    }

    /// What requests in flight hold.
    pub fn reserved(&self) -> Amounts {
        self.reserved
    }

    /// Distinct resources, those of requests in flight included. 0 when they are not capped.
    pub fn resources(&self) -> u64 {
        self.touched.len() as u64
    }

    /// Takes room for a request that names `resources`.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing has changed then.
    pub fn reserve<'a>(
        &mut self,
        need: Amounts,
        resources: impl IntoIterator<Item = &'a str>,
    ) -> Result<Reservation, Exceeded> {
        self.reserve_open(need, Usd::ZERO, resources)
    }

    /// Takes room for a request that may cost up to `excess` more than `need`, which shows only afterwards.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing has changed then.
    pub fn reserve_open<'a>(
        &mut self,
        need: Amounts,
        excess: Usd,
        resources: impl IntoIterator<Item = &'a str>,
    ) -> Result<Reservation, Exceeded> {
        let excess = excess.nano();
        self.fits(need, need)?;
        self.fits_at_worst(need, excess)?;
        let keys = self.keys(resources)?;
        for key in &keys {
            self.touched.entry(*key).or_default().holders += 1;
        }
        self.reserved = self.reserved.plus(need);
        self.excess.add(excess);
        Ok(Reservation { held: need, excess, keys })
    }

    /// Takes more room for a request under way.
    ///
    /// # Errors
    /// [`Exceeded`]: nothing has changed then.
    pub fn extend(&mut self, reservation: &mut Reservation, more: Amounts) -> Result<(), Exceeded> {
        self.fits(more, reservation.held.plus(more))?;
        // What it may cost at most was looked at when it began.
        let foreseen = more.cost.nano().min(reservation.excess);
        if foreseen < more.cost.nano() {
            self.fits_at_worst(more, 0)?;
        }
        self.excess.remove(reservation.excess);
        reservation.excess -= foreseen;
        self.excess.add(reservation.excess);
        reservation.held = reservation.held.plus(more);
        self.reserved = self.reserved.plus(more);
        Ok(())
    }

    /// The request is over, and this is what it used.
    pub fn settle(&mut self, reservation: Reservation, used: Amounts) -> Settled {
        self.reserved = self.reserved.minus(reservation.held);
        self.excess.remove(reservation.excess);
        self.settled = self.settled.plus(used);
        for key in &reservation.keys {
            let touched = self.touched.entry(*key).or_default();
            touched.holders = touched.holders.saturating_sub(1);
            if !std::mem::replace(&mut touched.kept, true) {
                self.kept += 1;
            }
        }
        let overshot = Cap::ALL.into_iter().filter_map(|cap| self.overshot(cap)).next();
        Settled { warnings: self.warnings(), overshot }
    }

    /// The request was never sent: it costs nothing.
    pub fn release(&mut self, reservation: Reservation) {
        self.reserved = self.reserved.minus(reservation.held);
        self.excess.remove(reservation.excess);
        for key in &reservation.keys {
            if let Some(touched) = self.touched.get_mut(key) {
                touched.holders = touched.holders.saturating_sub(1);
                if touched.holders == 0 && !touched.kept {
                    self.touched.remove(key);
                }
            }
        }
    }

    /// `more` is what is asked for now, `whole` what the request holds with it.
    fn fits(&self, more: Amounts, whole: Amounts) -> Result<(), Exceeded> {
        for cap in [Cap::Requests, Cap::Bytes, Cap::Budget] {
            let Some(limit) = self.caps.limit(cap) else { continue };
            let (settled, reserved) = (self.settled.under(cap), self.reserved.under(cap));
            // What costs nothing is refused only once a cap has been overshot.
            if settled.saturating_add(reserved).saturating_add(more.under(cap)) > limit {
                let (need, settled_and_need) = (whole.under(cap), settled.saturating_add(whole.under(cap)));
                let ends = settled >= limit || (need <= limit && settled_and_need > limit);
                return Err(Exceeded { cap, limit, settled, reserved, need, at_risk: 0, ends });
            }
        }
        Ok(())
    }

    /// True to its promise even if all in flight but one cost as much as they can. `excess` is what the request that
    /// asks may cost beyond `more`.
    fn fits_at_worst(&self, more: Amounts, excess: u64) -> Result<(), Exceeded> {
        let (cap, need) = (Cap::Budget, more.cost.nano());
        let at_risk = self.excess.besides_the_largest(excess);
        let Some(limit) = self.caps.limit(cap).filter(|_| at_risk > 0 && (need > 0 || excess > 0)) else {
            return Ok(());
        };
        let (settled, reserved) = (self.settled.under(cap), self.reserved.under(cap));
        let kept = if excess > 0 { limit.saturating_sub(settled) / KEPT_FOR_KNOWN_COSTS } else { 0 };
        let worst = settled.saturating_add(reserved).saturating_add(need).saturating_add(at_risk);
        if worst > limit - kept {
            return Err(Exceeded { cap, limit, settled, reserved, need, at_risk, ends: false });
        }
        Ok(())
    }

    fn overshot(&self, cap: Cap) -> Option<Exceeded> {
        let (limit, settled) = (self.caps.limit(cap)?, self.settled.under(cap));
        let reserved = self.reserved.under(cap);
        (settled > limit).then_some(Exceeded { cap, limit, settled, reserved, need: 0, at_risk: 0, ends: true })
    }

    /// The distinct keys of a request's resources, when they fit.
    fn keys<'a>(&self, resources: impl IntoIterator<Item = &'a str>) -> Result<Vec<Key>, Exceeded> {
        let Some(limit) = self.caps.resources else { return Ok(Vec::new()) };
        let mut keys: Vec<Key> = resources.into_iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let unknown = keys.iter().filter(|key| !self.touched.contains_key(*key)).count() as u64;
        let unkept = keys.iter().filter(|key| self.touched.get(*key).is_none_or(|t| !t.kept)).count() as u64;
        let held = self.touched.len() as u64;
        if unknown > 0 && held + unknown > limit {
            let need = keys.len() as u64;
            let ends = need <= limit && self.kept + unkept > limit;
            let reserved = held.saturating_sub(self.kept);
            let settled = self.kept;
            return Err(Exceeded { cap: Cap::Resources, limit, settled, reserved, need, at_risk: 0, ends });
        }
        Ok(keys)
    }

    fn warnings(&mut self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for cap in Cap::ALL {
            let Some(limit) = self.caps.limit(cap) else { continue };
            let used = if cap == Cap::Resources { self.kept } else { self.settled.under(cap) };
            let share = u128::from(used) * 100 / u128::from(limit.max(1));
            let reached = WARNED_AT.into_iter().filter(|percent| u128::from(*percent) <= share).max();
            let before = self.warned.entry(cap).or_default();
            if let Some(percent) = reached.filter(|percent| percent > before) {
                *before = percent;
                warnings.push(Warning { cap, percent, used, limit });
            }
        }
        warnings
    }
}

fn key(resource: &str) -> Key {
    let digest: [u8; 32] = Sha256::digest(resource).into();
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}
