//! Machines: type × count × horizon. On-demand, Linux, shared tenancy.

use super::{Call, INSTANCE_HORIZON_H, Price};
use crate::budget::Usd;
use crate::resolve::parameter;

/// An hour of a type that the request does not name (a launch template does): nano-dollars.
const UNNAMED_H: u64 = 5_000_000_000;
/// An hour of `large` of a family that is not listed: that of the most expensive one that is.
const UNLISTED_LARGE_H: u64 = 1_024_200_000;

/// An hour of the size `large` (half an `xlarge`), nano-dollars. Other sizes are multiples of it.
const LARGE_H: &[(&str, u64)] = &[
    ("c4", 100_000_000),
    ("c5", 85_000_000),
    ("c5a", 77_000_000),
    ("c5n", 108_000_000),
    ("c6a", 76_500_000),
    ("c6g", 68_000_000),
    ("c6i", 85_000_000),
    ("c7g", 72_500_000),
    ("c7i", 89_250_000),
    ("c8g", 79_760_000),
    ("g4dn", 263_000_000),
    ("g5", 503_000_000),
    ("g6", 402_400_000),
    ("i3", 156_000_000),
    ("i4i", 172_000_000),
    ("inf2", 379_100_000),
    ("m4", 100_000_000),
    ("m5", 96_000_000),
    ("m5a", 86_000_000),
    ("m6a", 86_400_000),
    ("m6g", 77_000_000),
    ("m6i", 96_000_000),
    ("m7a", 115_920_000),
    ("m7g", 81_600_000),
    ("m7i", 100_800_000),
    ("m8g", 89_760_000),
    ("p3", 765_000_000),
    ("p4d", 682_800_000),
    ("p5", 1_024_200_000),
    ("r4", 133_000_000),
    ("r5", 126_000_000),
    ("r5a", 113_000_000),
    ("r6g", 100_800_000),
    ("r6i", 126_000_000),
    ("r7g", 107_100_000),
    ("r7i", 132_300_000),
    ("r8g", 117_820_000),
    ("t2", 92_800_000),
    ("t3", 83_200_000),
    ("t3a", 75_200_000),
    ("t4g", 67_200_000),
    ("trn1", 336_000_000),
    ("x1e", 417_000_000),
];

/// `RunInstances`: as many as `MaxCount` says.
pub(super) fn run(call: &Call<'_>) -> Price {
    let named = |name: &str| given(call, name);
    // Without a count that can be read there is no upper bound.
    let Some(count) = named("MaxCount").and_then(|count| count.parse().ok()) else { return unbounded() };
    let hour = named("InstanceType").map_or(UNNAMED_H, |kind| hour(&kind));
    started(Usd::from_nano(hour).times(count))
}

/// `StartInstances` names machines whose type the request does not tell.
pub(super) fn start(call: &Call<'_>) -> Price {
    let count = (1..=1_000).take_while(|n| given(call, &format!("InstanceId.{n}")).is_some()).count().max(1);
    started(Usd::from_nano(UNNAMED_H).times(count as u64))
}

fn started(per_hour: Usd) -> Price {
    Price::effect(per_hour.times(INSTANCE_HORIZON_H))
}

fn unbounded() -> Price {
    Price::effect(Usd::UNBOUNDED)
}

fn given(call: &Call<'_>, name: &str) -> Option<String> {
    let body = call.body.and_then(|body| str::from_utf8(body).ok());
    parameter(call.query, name).or_else(|| parameter(body?, name))
}

/// An hour of a type, nano-dollars.
fn hour(kind: &str) -> u64 {
    let (family, size) = kind.split_once('.').unwrap_or((kind, ""));
    let listed = LARGE_H.iter().find(|(name, _)| *name == family);
    let large = listed.map_or(UNLISTED_LARGE_H, |(_, nano)| *nano);
    sixteenths(size).map_or(UNNAMED_H.max(large.saturating_mul(96)), |parts| large.saturating_mul(parts).div_ceil(16))
}

/// How many sixteenths of a `large` a size is. Bare metal counts as the largest one.
fn sixteenths(size: &str) -> Option<u64> {
    let size = size.strip_prefix("metal-").unwrap_or(size);
    Some(match size {
        "nano" => 1,
        "micro" => 2,
        "small" => 4,
        "medium" => 8,
        "large" => 16,
        "xlarge" => 32,
        "metal" => 96 * 16,
        other => other.strip_suffix("xlarge").or(other.strip_suffix("xl"))?.parse::<u64>().ok()?.checked_mul(32)?,
    })
}

#[cfg(test)]
mod tests {
    use super::hour;

    #[test]
    fn sizes_are_multiples_of_large_and_what_is_not_known_is_expensive() {
        for (kind, nano) in [
            ("t3.micro", 10_400_000),
            ("t3.nano", 5_200_000),
            ("m5.large", 96_000_000),
            ("m5.4xlarge", 768_000_000),
            ("m5.metal-24xl", 4_608_000_000),
            ("p5.48xlarge", 98_323_200_000),
        ] {
            assert_eq!(hour(kind), nano, "{kind}");
        }
        assert!(hour("zz9.large") >= hour("p5.large"));
        for odd in ["m5.", "m5", "", "m5.hugexlarge", "m5.99999999999999999999xlarge"] {
            assert!(hour(odd) >= 5_000_000_000, "{odd}");
        }
    }
}
