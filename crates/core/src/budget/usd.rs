//! Money as an integer. The unit is the nano-dollar, because one S3 GET costs 0.4 millionths of a dollar.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use crate::limits::BUDGET_USD_MAX;

/// Nano-dollars in a dollar.
const NANO: u64 = 1_000_000_000;
/// Decimal digits of a nano-dollar.
const DIGITS: usize = 9;

/// An amount of US dollars, never negative, never NaN. Arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(u64);

/// The text is not an amount of money that can be a budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a budget: write it like `2.50`, above 0, up to {BUDGET_USD_MAX} USD and {DIGITS} decimals")]
pub struct UsdError(String);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than any budget: what nobody can name a price for.
    pub const UNBOUNDED: Self = Self(u64::MAX);

    /// From nano-dollars.
    pub const fn from_nano(nano: u64) -> Self {
        Self(nano)
    }

    /// From whole cents.
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents.saturating_mul(NANO / 100))
    }

    /// In nano-dollars.
    pub const fn nano(self) -> u64 {
        self.0
    }

    /// A budget as the session's JSON holds it.
    ///
    /// # Errors
    /// [`UsdError`] for NaN, infinity, zero, a negative number, and more than [`BUDGET_USD_MAX`].
    pub fn from_budget(usd: f64) -> Result<Self, UsdError> {
        // The shortest text of a number is what a person wrote: exact where the binary fraction is not.
        usd.to_string().parse()
    }

    /// As a number for JSON; exact to the nano-dollar below some nine million dollars.
    #[expect(clippy::cast_precision_loss, reason = "2^53 nano-dollars are nine million dollars; it is an estimate")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / NANO as f64
    }

    /// `count` times as much.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    /// This price per `unit`, for `amount`; rounded up.
    #[must_use]
    pub fn per(self, unit: u64, amount: u64) -> Self {
        let product = u128::from(self.0) * u128::from(amount);
        Self(u64::try_from(product.div_ceil(u128::from(unit.max(1)))).unwrap_or(u64::MAX))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Self::plus)
    }
}

impl FromStr for Usd {
    type Err = UsdError;

    /// A decimal number of dollars, `2.50`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || UsdError(text.escape_debug().take(40).collect());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.is_empty() || fraction.len() > DIGITS || text.ends_with('.') {
            return Err(wrong());
        }
        let dollars: u64 = whole.parse().map_err(|_| wrong())?;
        let nano: u64 = format!("{fraction:0<DIGITS$}").parse().map_err(|_| wrong())?;
        let total = dollars.checked_mul(NANO).and_then(|n| n.checked_add(nano)).ok_or_else(wrong)?;
        if total == 0 || total > BUDGET_USD_MAX * NANO {
            return Err(wrong());
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Usd {
    /// `2.50 USD`; small amounts keep their digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNBOUNDED {
            return f.write_str("an unknown amount of USD");
        }
        let digits = format!("{:09}", self.0 % NANO);
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{}.{} USD", self.0 / NANO, &digits[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::Usd;
    use crate::limits::BUDGET_USD_MAX;

    #[test]
    fn an_amount_is_read_exactly_and_shown_as_it_was_meant() {
        for (text, nano, shown) in [
            ("2.50", 2_500_000_000, "2.50 USD"),
            ("0.000000001", 1, "0.000000001 USD"),
            ("10", 10_000_000_000, "10.00 USD"),
            ("0.1", 100_000_000, "0.10 USD"),
        ] {
            let usd: Usd = text.parse().expect(text);
            assert_eq!((usd.nano(), usd.to_string().as_str()), (nano, shown));
        }
        assert_eq!(Usd::from_budget(0.1), "0.1".parse());
        assert_eq!(Usd::from_budget(2.5), "2.5".parse());
    }

    #[test]
    fn nothing_but_a_positive_finite_decimal_is_a_budget() {
        for bad in ["", "0", "0.0", "-1", "NaN", "inf", "+1", "1e3", "1.", ".5", "1.2.3", "1,5", " 1", "0.0000000001"] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -2.5, f64::MIN_POSITIVE, f64::MAX] {
            assert!(Usd::from_budget(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_budget_past_the_limit_is_refused() {
        assert!(BUDGET_USD_MAX.to_string().parse::<Usd>().is_ok());
        assert!((BUDGET_USD_MAX + 1).to_string().parse::<Usd>().is_err());
        assert!("99999999999999999999999".parse::<Usd>().is_err());
    }

    #[test]
    fn a_share_is_rounded_up_and_never_wraps() {
        assert_eq!(Usd::from_nano(400).per(1_000, 1).nano(), 1);
        assert_eq!(Usd::from_nano(1_000).per(1_000, 3).nano(), 3);
        assert_eq!(Usd::UNBOUNDED.per(1, u64::MAX), Usd::UNBOUNDED);
        assert_eq!(Usd::UNBOUNDED.plus(Usd::from_cents(1)), Usd::UNBOUNDED);
        assert_eq!(Usd::from_cents(2).times(u64::MAX), Usd::UNBOUNDED);
    }
}
