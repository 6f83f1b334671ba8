//! How the store looks after itself, for `/api/v1/status`, `/metrics` and `/-/ready`; and the word of an operator that
//! the clock is right.

use serde_json::{Map, Value, json};
use storage::{ClockDoubt, Latency, Status, TierStatus};
use types::{ByteSize, GroupScope, Timestamp, format_duration_ns};

use crate::routes::clocks;
use crate::state::Call;
use door::exposition::Kind::{Counter, Gauge};
use door::exposition::Page;
use door::{Outcome, Reply, Shared};

/// Seconds in a nanosecond.
const NS: f64 = 1e-9;

/// Believes the clock from now on.
pub(crate) fn confirm_clock(Call { server, .. }: &Call) -> Outcome {
    server.must_reach_everything()?;
    server.whole_store().confirm_clock();
    tracing::warn!(now = %server.now(), "clock confirmed by an operator");
    Ok(Reply::json(&json!({"confirmed": true, "now": server.now().to_string()})))
}

/// Returns problems that need attention while the server still works.
pub(crate) fn warnings(server: &Shared, status: &Status) -> Vec<String> {
    standing_warnings(server, status).into_iter().chain(overflow_warning(server)).collect()
}

/// Returns the warnings that `/-/ready` has.
pub(crate) fn standing_warnings(server: &Shared, status: &Status) -> Vec<String> {
    store_warnings(server, status).into_iter().chain(clocks::warnings(server)).collect()
}

/// Returns the warnings that are not about clocks of sources.
pub(crate) fn store_warnings(server: &Shared, status: &Status) -> Vec<String> {
    let clock = status.clock_doubt.as_ref().map(clock_warning);
    let control = status.control_problem.as_ref();
    let control = control.map(|why| format!("settings cannot be changed, the control store cannot be used: {why}"));
    let warnings = clock.into_iter().chain(copy_warning(server)).chain(disk_warning(status)).chain(control);
    let catalog = status.catalog_problem.as_ref().filter(|_| server.whole_store().nodes().is_some());
    let catalog = catalog.map(|why| format!("no events are accepted, and answers may lack the newest: {why}"));
    let warnings = warnings.chain(catalog).chain(object_store_warning(status));
    warnings.chain(key_warnings(server)).collect()
}

/// Returns a warning if the disk fills up, before events are refused.
fn disk_warning(status: &Status) -> Option<String> {
    let free = status.disk_free_bytes.filter(|_| status.is_disk_short)?;
    let (free, reserve) = (ByteSize(free), ByteSize(status.disk_reserve_bytes));
    let then = if status.store_bytes_max.is_some() {
        "the oldest events go, and where that does not suffice new ones are refused"
    } else {
        "new events are refused when that is used up"
    };
    Some(format!("the disk is nearly full: {free} are free and {reserve} are kept in reserve; {then}"))
}

/// Returns a warning if the object store cannot be reached; events are still accepted, recent ones still found.
fn object_store_warning(status: &Status) -> Option<String> {
    let object_store = status.object_store.as_ref()?;
    let n_awaited = status.awaited.len() as u64;
    let n_segments = object_store.segments + n_awaited;
    match &object_store.unreachable {
        Some(why) => {
            let url = &object_store.url;
            Some(format!("{url}: {why}; answers that need one of {n_segments} cold segments are partial"))
        }
        None => (n_awaited > 0).then(|| {
            let url = &object_store.url;
            format!("{n_awaited} segments in {url} are not opened yet; answers that need one are partial")
        }),
    }
}

/// Nobody is to rely on alerts of a store that sends none.
fn copy_warning(server: &Shared) -> Option<String> {
    let taken = server.whole_store().copy_taken()?;
    Some(format!(
        "this store is a copy, taken {taken}, and sends no notifications (alerts, subscription filters, remote write); `catat \
         promote` makes it the original"
    ))
}

/// Senders are refused when their key has expired, or when sending without one ends; the warnings name none of them.
fn key_warnings(server: &Shared) -> impl Iterator<Item = String> {
    let (keys, now) = (&server.app.keys, server.now());
    let n_expiring = keys.list(&GroupScope::All, now).iter().filter(|key| key.state == "expiring").count();
    let expiring = (n_expiring > 0).then(|| {
        let counted = types::counted(n_expiring as u64, "key");
        format!("{counted} will expire within 14 days; `catat keys list` names them, `catat keys rotate` replaces them")
    });
    let ending = keys
        .anonymous()
        .sending_until(now)
        .map(|until| format!("sending without a key ends at {until}; `catat keys list` names those who still do so"));
    expiring.into_iter().chain(ending)
}

/// Senders that make up groups without end are to be noticed before their events are missed.
pub(crate) fn overflow_warning(server: &Shared) -> Option<String> {
    let (n_events, groups_max) = (server.app.intake.n_overflowed(), server.app.limits.groups);
    (n_events > 0).then(|| {
        format!(
            "{} went to the group overflow: there are {groups_max} groups, the most that [limits] \
             groups allows; the group that each was meant for is in its field @group",
            types::counted(n_events, "event")
        )
    })
}

pub(crate) fn clock_warning(doubt: &ClockDoubt) -> String {
    let expected = doubt.expected.map_or_else(|| "unknown".to_owned(), |expected| expected.to_string());
    format!(
        "the clock jumped to {}, expected was {expected}: nothing is deleted for its age until it is back, was confirmed \
         with POST /api/v1/status/confirm-clock, or has gone steadily for another {}",
        doubt.now,
        format_duration_ns(doubt.steady_for_ns / Timestamp::SECOND * Timestamp::SECOND)
    )
}

/// Returns the parts of `/api/v1/status` that are about upkeep.
pub(crate) fn describe(status: &Status) -> Map<String, Value> {
    let finite = |seconds: Option<f64>| seconds.filter(|seconds| seconds.is_finite());
    let sync = &status.wal_sync;
    let forecast = &status.forecast;
    let parts = json!({
        "wal": {
            "files": status.wal_files, "bytes": status.wal_bytes,
            "oldest_seconds": status.wal_oldest_ns as f64 * NS,
            "sync_seconds": {
                "count": sync.n(), "sum": sync.total.as_secs_f64(),
                "p50": finite(sync.quantile(0.5)), "p99": finite(sync.quantile(0.99)),
            },
        },
        "written_bytes": {
            "wal": status.written.wal, "flush": status.written.flush, "compaction": status.written.compaction,
            "cold": status.written.cold,
            "replaced": status.written.replaced, "per_stored_byte": status.written.amplification(),
        },
        "compaction": {"due_segments": status.compaction_due, "due_bytes": status.compaction_due_bytes},
        "forecast": {
            "bytes_per_day": forecast.bytes_per_day, "bytes_left": forecast.bytes_left,
            "full_at": forecast.full_at.map(|at| at.to_string()),
            "then": if forecast.is_limit { "the oldest events go" } else { "nothing is accepted" },
        },
        "clock": {
            "trusted": status.clock_doubt.is_none(),
            "expected": status.clock_doubt.and_then(|doubt| doubt.expected).map(|at| at.to_string()),
        },
        "scrub": {
            "began": status.scrub.began.map(|at| at.to_string()), "segments_done": status.scrub.segments_done,
            "segments": status.scrub.segments, "damaged": status.scrub.damaged,
        },
        "tiers": status.tiers,
        "quarantined": status.quarantined,
    });
    match parts {
        Value::Object(parts) => parts,
        _ => Map::new(),
    }
}

/// The metrics that are not plain numbers.
pub(crate) fn write(status: &Status, page: &mut Page) {
    let help = "Time to write and sync the write-ahead log.";
    write_histogram(page, "catat_wal_sync_seconds", help, &status.wal_sync);
    let help = "How long the oldest event waits in the write-ahead log to come into a segment.";
    page.single("catat_wal_oldest_seconds", Gauge, help, status.wal_oldest_ns as f64 * NS);
    let written = &status.written;
    page.family("catat_written_bytes_total", Counter, "Bytes written to the disk, by why.");
    let kinds = [("wal", written.wal), ("flush", written.flush), ("compaction", written.compaction)];
    for (kind, n_bytes) in kinds.into_iter().chain([("cold", written.cold)]) {
        page.sample("catat_written_bytes_total", &[("kind", kind)], n_bytes as f64);
    }
    let help = "Bytes written to the disk, since the start, for each byte that stays in segments.";
    written
        .amplification()
        .into_iter()
        .for_each(|ratio| page.single("catat_write_amplification_ratio", Gauge, help, ratio));
    page.family("catat_tier_segments", Gauge, "Segments by tier and place.");
    let labels = |tier: &TierStatus| [("tier", tier.tier), ("place", tier.place)];
    status.tiers.iter().for_each(|t| page.sample("catat_tier_segments", &labels(t), t.segments as f64));
    page.family("catat_tier_bytes", Gauge, "Their bytes.");
    status.tiers.iter().for_each(|t| page.sample("catat_tier_bytes", &labels(t), t.bytes as f64));
    let help = "When the store is full if it grows as it did, since the Unix epoch.";
    let full_at = status.forecast.full_at.map(|at| at.0 as f64 * NS);
    full_at.into_iter().for_each(|at| page.single("catat_full_timestamp_seconds", Gauge, help, at));
    let help = "1 for each file that is damaged.";
    if !status.damaged.is_empty() {
        page.family("catat_damaged_file", Gauge, help);
        let mut files: Vec<&str> = status.damaged.iter().map(|damage| damage.file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        files.iter().take(100).for_each(|file| page.sample("catat_damaged_file", &[("file", file)], 1.0));
    }
}

fn write_histogram(page: &mut Page, name: &str, help: &str, latency: &Latency) {
    page.histogram(name, help);
    let mut n = 0;
    for (bound, of_bucket) in &latency.buckets {
        n += of_bucket;
        page.sample(&format!("{name}_bucket"), &[("le", &bound.to_string())], n as f64);
    }
    n += latency.beyond;
    page.sample(&format!("{name}_bucket"), &[("le", "+Inf")], n as f64);
    page.sample(&format!("{name}_sum"), &[], latency.total.as_secs_f64());
    page.sample(&format!("{name}_count"), &[], n as f64);
}
