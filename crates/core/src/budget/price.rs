//! What a request is estimated to cost: reserved before it is sent, settled when its outcome is known.
//!
//! The table holds list prices in US dollars of us-east-1 as AWS publishes them on its pricing pages
//! (`https://aws.amazon.com/<service>/pricing/`), without free tiers and discounts. Other regions count
//! [`REGION_PERCENT`] of them, which is more than any of them costs. It is an estimate, not a bill: what a request
//! leaves behind (stored bytes, running machines) is counted only where the table says for how long.

mod bedrock;
mod instance;
mod table;

use super::Usd;
use crate::policy::Context;
use crate::resolve::Resolved;

pub use bedrock::{TokenTail, Tokens};

/// The date of the price table.
pub const PRICES_AS_OF: &str = "2025-06-01";
/// For how long a machine that a request starts is counted, hours: nobody says when it will be stopped.
pub const INSTANCE_HORIZON_H: u64 = 24;
/// Factor for regions other than the four whose list prices the table has, percent.
pub const REGION_PERCENT: u64 = 200;

/// Regions with the prices of the table.
const TABLE_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"];
/// Data transfer out to the internet, per GiB, first tier.
const TRANSFER_OUT_PER_GIB: Usd = Usd::from_cents(9);
const GIB: u64 = 1 << 30;
/// Bytes of an answer that a call whose cost is known only afterwards may have, for what it may cost at most.
const ANSWER_BYTES: u64 = 16 << 20;

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Signing name.
    pub service: &'a str,
    /// Region of the credential scope.
    pub region: &'a str,
    /// API operation.
    pub operation: &'a str,
    /// ARN of its first resource.
    pub resource: &'a str,
    /// Condition keys.
    pub context: &'a Context,
    /// Query as on the wire.
    pub query: &'a str,
    /// The body, where it is in memory.
    pub body: Option<&'a [u8]>,
    /// Bytes of the body, as far as they are declared.
    pub bytes_in: u64,
}

impl<'a> Call<'a> {
    /// The call that a resolved request makes.
    pub fn of(resolved: &'a Resolved, query: &'a str, body: Option<&'a [u8]>, bytes_in: u64) -> Self {
        Self {
            service: &resolved.service,
            region: &resolved.region,
            operation: &resolved.operation,
            resource: resolved.accesses.first().map_or("*", |access| access.resource.shown()),
            context: &resolved.context,
            query,
            body,
            bytes_in,
        }
    }
}

/// How the part that depends on success is measured afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// As reserved.
    Fixed,
    /// So much for each begun `unit` bytes of the answer, at least one.
    AnswerUnits { unit: u64, each: Usd },
    /// Input and output tokens, each per million.
    Tokens { input: Usd, output: Usd },
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// For the call itself, whatever its answer.
    call: Usd,
    /// For what it does, at most; or, where that shows only afterwards, as far as the request tells.
    effect: Usd,
    /// What its effect may cost beyond that.
    excess: Usd,
    measure: Measure,
    percent: u64,
}

/// How a request that was sent came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// HTTP status; `None` when no answer came, so nobody knows what was done.
    pub status: Option<u16>,
    /// Bytes of the answer that were passed on.
    pub bytes_out: u64,
    /// Tokens, where the answer says how many.
    pub tokens: Option<Tokens>,
}

impl Price {
    /// The price of a call. What the table does not know costs what it says for unknown calls.
    pub fn of(call: &Call<'_>) -> Self {
        let percent = if TABLE_REGIONS.contains(&call.region) { 100 } else { REGION_PERCENT };
        Self { percent, ..table::price(call) }
    }

    /// Free of charge but for the transfer.
    const FREE: Self =
        Self { call: Usd::ZERO, effect: Usd::ZERO, excess: Usd::ZERO, measure: Measure::Fixed, percent: 100 };

    const fn each(nano: u64) -> Self {
        Self { call: Usd::from_nano(nano), ..Self::FREE }
    }

    const fn effect(effect: Usd) -> Self {
        Self { effect, ..Self::FREE }
    }

    /// What is to be reserved, without the transfer of the answer.
    pub fn reserve(&self) -> Usd {
        self.scaled(self.call.plus(self.effect))
    }

    /// What the call may cost beyond [`Self::reserve`], the transfer of its answer included. Zero where the request
    /// tells what it costs at most.
    pub fn excess(&self) -> Usd {
        if self.excess == Usd::ZERO { Usd::ZERO } else { self.scaled(self.excess).plus(self.transfer(ANSWER_BYTES)) }
    }

    /// True when nobody can say what the call costs at most: a budget refuses it.
    pub fn is_unbounded(&self) -> bool {
        self.effect == Usd::UNBOUNDED
    }

    /// What `bytes` of an answer cost.
    pub fn transfer(&self, bytes: u64) -> Usd {
        self.scaled(TRANSFER_OUT_PER_GIB.per(GIB, bytes))
    }

    /// What the call has cost. An unbounded one counts only as the call that it is: see [`Self::is_unbounded`].
    pub fn settle(&self, outcome: &Outcome) -> Usd {
        let effect = match outcome.status {
            _ if self.is_unbounded() => Usd::ZERO,
            None => self.effect,
            Some(status) if status >= 400 => Usd::ZERO,
            Some(_) => self.measured(outcome),
        };
        self.scaled(self.call.plus(effect)).plus(self.transfer(outcome.bytes_out))
    }

    fn measured(&self, outcome: &Outcome) -> Usd {
        match (self.measure, outcome.tokens) {
            // What is billed is what was stored, which is less than its answer and never more than was reserved.
            (Measure::AnswerUnits { unit, each }, _) => {
                each.times(outcome.bytes_out.div_ceil(unit).max(1)).min(self.effect)
            }
            (Measure::Tokens { input, output }, Some(tokens)) => {
                input.per(bedrock::MILLION, tokens.input).plus(output.per(bedrock::MILLION, tokens.output))
            }
            (Measure::Tokens { .. }, None) | (Measure::Fixed, _) => self.effect,
        }
    }

    fn scaled(&self, usd: Usd) -> Usd {
        if usd == Usd::UNBOUNDED { usd } else { usd.per(100, self.percent) }
    }
}
