//! The gate beside proxies that check less: `cargo xtask bench gate`.
//!
//! Every server is a process of its own, so that processor time and memory are its own: our gate (verifies, resolves,
//! evaluates a policy of 16 statements, commits an audit entry to the store, signs with a token of 1 KiB), the same
//! without its log, a plain hyper pass-through as the library's users write it (its pooled client), one with an upstream
//! connection for each of the client's and no pool (`sticky`), nginx as a reverse proxy, Envoy's signing filter and a
//! mitmproxy addon that signs with botocore. The upstream answers 290 bytes, as fast as it can. Rounds are interleaved,
//! ratios are of one round, and what is judged is the median ratio: the machine is never quite idle.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

#[path = "gate/journals.rs"]
mod journals;
#[path = "gate/load.rs"]
mod load;
#[path = "gate/peers.rs"]
mod peers;
#[path = "gate/report.rs"]
mod report;
#[path = "gate/request.rs"]
mod request;
#[path = "gate/roles.rs"]
mod roles;
#[path = "gate/server.rs"]
mod server;
#[path = "gate/steps.rs"]
mod steps;

use std::process::ExitCode;
use std::time::Duration;

use load::{Transfer, Way};
use report::{Report, median};
use server::Server;

/// Interleaved rounds; the middle one counts.
const ROUNDS: usize = 7;
/// Each server is asked for this long in each round, at each number of connections.
const ROUND: Duration = Duration::from_millis(700);
/// Body of the streaming rounds, bytes. One size for all, so that each is held in memory once.
const BODY_BYTES: usize = 64 << 20;

fn main() -> ExitCode {
    if let Some(role) = roles::asked() {
        return roles::play(&role);
    }
    if let Some(role) = roles::profiled() {
        return profile(role);
    }
    let upstream = Server::own("upstream", None);
    let mut servers = Vec::from(["pass", "gate", "unlogged", "sticky"].map(|role| Server::own(role, Some(&upstream))));
    let mut report = Report::new();
    if roles::only_own() {
        steps::measure(&mut report);
        small(&mut report, &upstream, &servers);
        return report.verdict();
    }
    report.say("built without LTO, in 16 units, when `cargo xtask bench gate` builds it: gate and pass-through alike");
    steps::measure(&mut report);
    for peer in peers::all(&upstream) {
        match peer {
            Ok(server) => servers.push(server),
            Err(skipped) => report.say(&format!("SKIP  {skipped}")),
        }
    }
    small(&mut report, &upstream, &servers);
    streams(&mut report, &servers);
    memory(&mut report, &servers);
    report.verdict()
}

/// Ten seconds of small requests at one of our own servers, for a profiler: the process id comes first. At 16
/// connections, or as many as `HALLPASS_BENCH_CONNECTIONS` says. With `HALLPASS_BENCH_WAY` (down, unsigned, signed,
/// chunked): large bodies, one after the other.
fn profile(role: &'static str) -> ExitCode {
    let upstream = Server::own("upstream", None);
    let server = Server::own(role, Some(&upstream));
    let connections = roles::variable(roles::CONNECTIONS).and_then(|text| text.parse().ok()).unwrap_or(16);
    println!("{role} is process {}", server.process());
    if let Some(way) = roles::variable(roles::WAY).and_then(|name| Way::named(&name)) {
        for _ in 0..60 {
            let done = load::transfer(&server, way, BODY_BYTES);
            println!("{:.0} MB/s, {:.0} ms of CPU per GB", done.mb_per_s, done.cpu_ms_per_gb);
        }
        return ExitCode::SUCCESS;
    }
    for _ in 0..10 {
        let outcome = load::small(&server, connections, Duration::from_secs(1));
        println!("{:.0} requests/s, {:.1} µs of CPU each", outcome.per_s, outcome.cpu_us);
    }
    ExitCode::SUCCESS
}

/// Small GETs at 1, 16 and 64 connections.
fn small(report: &mut Report, upstream: &Server, servers: &[Server]) {
    let mut all: Vec<&Server> = vec![upstream];
    all.extend(servers);
    for connections in [1, 16, 64] {
        let mut rounds: Vec<Vec<load::Outcome>> = all.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (server, kept) in all.iter().zip(&mut rounds) {
                kept.push(load::small(server, connections, ROUND));
            }
        }
        report.say(&format!("\nsmall GETs, {connections} connections, {ROUNDS} rounds of {} ms", ROUND.as_millis()));
        report.say(&format!(
            "{:<12} {:>10} {:>8} {:>9} {:>9} {:>9} {:>12}",
            "", "req/s", "÷ pass", "CPU µs", "p50 µs", "p99 µs", "best p50 µs"
        ));
        for (server, kept) in all.iter().zip(&rounds) {
            let of = |pick: fn(&load::Outcome) -> f64| median(&kept.iter().map(pick).collect::<Vec<_>>());
            let best = kept.iter().map(|o| o.p50_us).fold(f64::INFINITY, f64::min);
            let over = median(&ratios(kept, &rounds[1], |o| o.per_s));
            report.say(&format!(
                "{:<12} {:>10.0} {:>8.2} {:>9.1} {:>9.0} {:>9.0} {:>12.1}",
                server.name,
                of(|o| o.per_s),
                over,
                of(|o| o.cpu_us),
                of(|o| o.p50_us),
                of(|o| o.p99_us),
                best
            ));
        }
        judged(report, connections, &all, &rounds);
    }
}

/// Index 0 is the upstream itself, 1 the pass-through, 2 the gate, 3 the gate without its log.
fn judged(report: &mut Report, connections: usize, all: &[&Server], rounds: &[Vec<load::Outcome>]) {
    let [direct, pass, gate, unlogged, peers @ ..] = rounds else { return };
    if connections == 1 {
        let best = |kept: &[load::Outcome]| kept.iter().map(|o| o.p50_us).fold(f64::INFINITY, f64::min);
        // One commit stands in the way of a request with a log.
        report.judge_most("best p50 at 1 connection ÷ pass-through", best(gate) / best(pass), 2.5);
        report.judge_most("best p50 at 1 connection ÷ pass-through, without the log", best(unlogged) / best(pass), 1.3);
        report.say(&format!("      added to a direct request: {:.0} µs", best(gate) - best(direct)));
        return;
    }
    let head_room = median(&ratios(direct, pass, |o| o.per_s));
    if head_room < 1.3 {
        report
            .say(&format!("NOTE  direct is only {head_room:.2} × pass-through: the load generator is the bottleneck"));
    }
    let name = |what: &str| format!("{what}, {connections} connections");
    let (per_s, cpu) = (name("req/s ÷ pass-through"), name("CPU per request ÷ pass-through"));
    report.judge_least(&per_s, median(&ratios(gate, pass, |o| o.per_s)), 0.85);
    report.judge_most(&cpu, median(&ratios(gate, pass, |o| o.cpu_us)), 1.35);
    report.say(&format!("      {per_s}, without the log: {:.2}", median(&ratios(unlogged, pass, |o| o.per_s))));
    report.say(&format!("      {cpu}, without the log: {:.2}", median(&ratios(unlogged, pass, |o| o.cpu_us))));
    for (peer, server) in peers.iter().zip(&all[4..]) {
        let ratio = median(&ratios(gate, peer, |o| o.per_s));
        match peers::promised(server.name) {
            Some(least) => report.judge_least(&name(&format!("req/s ÷ {}", server.name)), ratio, least),
            None => {
                report.say(&format!("      {}: {ratio:.2} (no promise)", name(&format!("req/s ÷ {}", server.name))))
            }
        }
    }
}

fn ratios(of: &[load::Outcome], to: &[load::Outcome], pick: fn(&load::Outcome) -> f64) -> Vec<f64> {
    of.iter().zip(to).map(|(a, b)| pick(a) / pick(b)).collect()
}

/// One large body at a time, in each way in which it can be covered.
fn streams(report: &mut Report, servers: &[Server]) {
    report.say(&format!("\none body of {} MiB, {ROUNDS} rounds, MB/s (CPU ms per GB)", BODY_BYTES >> 20));
    for (way, least) in Way::ALL.into_iter().zip([0.9, 0.9, 0.5, 0.45]) {
        let chosen: Vec<&Server> = servers.iter().filter(|server| server.streams(way)).collect();
        let mut rounds: Vec<Vec<Transfer>> = chosen.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (server, kept) in chosen.iter().zip(&mut rounds) {
                kept.push(load::transfer(server, way, BODY_BYTES));
            }
        }
        let shown = chosen.iter().zip(&rounds).map(|(server, kept)| {
            let of = |pick: fn(&Transfer) -> f64| median(&kept.iter().map(pick).collect::<Vec<_>>());
            format!("{} {:.0} ({:.0})", server.name, of(|t| t.mb_per_s), of(|t| t.cpu_ms_per_gb))
        });
        report.say(&format!("{:<22} {}", way.name(), shown.collect::<Vec<_>>().join("   ")));
        let ratio: Vec<f64> = rounds[1].iter().zip(&rounds[0]).map(|(g, p)| g.mb_per_s / p.mb_per_s).collect();
        report.judge_least(&format!("{} MB/s ÷ pass-through", way.name()), median(&ratio), least);
    }
}

fn memory(report: &mut Report, servers: &[Server]) {
    let shown = servers.iter().map(|server| format!("{} {:.1}", server.name, server.peak_mib()));
    report.say(&format!("\npeak memory after all of it, MiB: {}", shown.collect::<Vec<_>>().join("   ")));
    if let Some(gate) = servers.get(1) {
        report.judge_most("peak memory of the gate, MiB", gate.peak_mib(), 25.0);
    }
}
