//! `/api/v1/status`: the state of the store, and the flush that backups and benchmarks wait for.

use serde_json::{Map, Value, json};
use storage::Status;

use crate::routes::{clocks, upkeep};
use crate::state::Call;
use door::exposition::Kind;
use door::{Outcome, Problem, Reply};
use types::hexadecimal;

/// One number about the store: its name, its kind, what it means, its value.
pub(crate) type Number = (&'static str, Kind, &'static str, u64);

pub(crate) fn get(Call { server, .. }: &Call) -> Outcome {
    let store_id = hexadecimal(&server.whole_store().uuid());
    if !server.caller.scope.is_everything() {
        // Sizes of the whole store tell of groups that do not exist for the caller.
        return Ok(Reply::json(&json!({
            "version": server.app.version, "store_id": store_id, "started": server.started.to_string(), "now": server.now().to_string(),
            "store": {}, "damaged": [], "warnings": clocks::warnings(server), "clocks": clocks::describe(server),
        })));
    }
    let status = server.whole_store().status();
    let store: Map<String, Value> =
        numbers(&status).into_iter().map(|(name, _, _, value)| (name.to_owned(), value.into())).collect();
    let damaged: Vec<String> = status.damaged.iter().map(|error| error.to_string()).collect();
    let warnings = upkeep::warnings(server, &status);
    let (_, n_running) = server.queries.counts();
    let mut answer = json!({
        "version": server.app.version, "store_id": store_id, "started": server.started.to_string(), "now": server.now().to_string(),
        "store": store, "queries_running": n_running, "poisoned": status.poisoned, "catalog_problem": status.catalog_problem,
        "control_problem": status.control_problem, "copy_taken": server.whole_store().copy_taken(), "damaged": damaged,
        "warnings": warnings, "clocks": clocks::describe(server),
    });
    if let Value::Object(answer) = &mut answer {
        answer.extend(upkeep::describe(&status));
        answer.extend((server.state.families.doors)().into_iter().map(|(door, numbers)| {
            let numbers = numbers.into_iter().map(|(name, _, _, value)| (name.to_owned(), value.into()));
            (door.to_owned(), Value::Object(numbers.collect()))
        }));
    }
    Ok(Reply::json(&answer))
}

pub(crate) fn flush(Call { server, parameters, .. }: &Call) -> Outcome {
    parameters.check_names(&["compact"])?;
    server.must_reach_everything()?;
    let compacts = parameters.flag("compact")?;
    let store = server.whole_store();
    store.flush()?;
    if compacts {
        store.compact()?;
    }
    Ok(Reply::json(&json!({"flushed": true, "compacted": compacts})))
}

/// Numbers of the object store, where there is one.
fn of_object_store(status: &storage::ObjectStoreStatus) -> [Number; 11] {
    use Kind::{Counter, Gauge};
    let is_unreachable = u64::from(status.unreachable.is_some());
    [
        ("object_store_unreachable", Gauge, "1 while the object store cannot be used.", is_unreachable),
        ("object_store_segments", Gauge, "Segments in the object store.", status.segments),
        ("object_store_segment_bytes", Gauge, "Their bytes.", status.segment_bytes),
        ("object_store_orphans", Gauge, "Objects that are still to be removed.", status.objects_to_remove),
        ("object_store_requests", Counter, "Requests to the object store.", status.requests),
        ("object_store_requests_failed", Counter, "Those that failed for good.", status.requests_failed),
        ("object_store_bytes_read", Counter, "Bytes read from the object store.", status.bytes_read),
        ("object_store_bytes_written", Counter, "Bytes written to the object store.", status.bytes_written),
        ("read_cache_bytes", Gauge, "Bytes of copies of remote segments.", status.cache_bytes),
        ("read_cache_hits", Counter, "Reads of a remote segment that the copies answered.", status.cache_hits),
        ("read_cache_misses", Counter, "Reads that the object store had to be asked for.", status.cache_misses),
    ]
}

/// Memory of open segments, as metrics.
fn of_section_cache(status: &Status) -> [Number; 5] {
    use Kind::{Counter, Gauge};
    [
        ("section_cache_bytes", Gauge, "Bytes of segments that are cached for queries.", status.section_cache.bytes),
        ("section_cache_sections", Gauge, "Sections kept decompressed or taken apart.", status.section_cache.sections),
        ("segment_footer_bytes", Gauge, "Bytes that footers of open segments take.", status.section_cache.footer_bytes),
        ("section_cache_hits", Counter, "Sections that queries found there.", status.section_cache.hits),
        ("section_cache_misses", Counter, "Sections that they had to decompress.", status.section_cache.misses),
    ]
}

/// Returns all numbers of a status.
pub(crate) fn numbers(status: &Status) -> Vec<Number> {
    use Kind::{Counter, Gauge};
    let scrub_left = status.scrub.segments.saturating_sub(status.scrub.segments_done);
    let mut numbers = vec![
        ("events_accepted", Counter, "Events accepted.", status.events_accepted),
        ("batches_accepted", Counter, "Batches accepted.", status.batches_accepted),
        ("batches_duplicate", Counter, "Batches that had been accepted before.", status.batches_duplicate),
        ("batches_refused", Counter, "Batches refused, for whatever reason.", status.batches_refused),
        (
            "bytes_accepted",
            Counter,
            "Bytes accepted, as they were sent and after decompression.",
            status.bytes_accepted,
        ),
        ("wal_syncs", Counter, "Syncs of the write-ahead log.", status.wal_syncs),
        ("wal_bytes_written", Counter, "Bytes written to the write-ahead log.", status.written.wal),
        ("flushes", Counter, "Flushes done.", status.flushes),
        ("flushes_failed", Counter, "Flushes that failed and are tried again.", status.flushes_failed),
        ("flush_last_ms", Gauge, "How long the last flush took.", status.flush_ms_last),
        ("compactions", Counter, "Times that segments were put together.", status.compactions),
        ("compactions_failed", Counter, "Times that it failed; nothing is lost by it.", status.compactions_failed),
        ("compacted_events", Counter, "Events written again for it.", status.compacted_events),
        ("compaction_due", Gauge, "Segments that are still to be put together.", status.compaction_due),
        ("compaction_due_bytes", Gauge, "Their bytes.", status.compaction_due_bytes),
        ("runs_retired", Counter, "Runs of events that went for their age or size.", status.runs_retired),
        ("runs_undoable", Gauge, "Runs of those that can still be brought back.", status.runs_undoable),
        ("wal_files", Gauge, "Files of the write-ahead log.", status.wal_files),
        ("wal_bytes", Gauge, "Their bytes.", status.wal_bytes),
        ("hot_events", Gauge, "Events in memory, not yet in a segment.", status.hot_events),
        ("hot_bytes", Gauge, "Bytes that hot events hold in memory.", status.hot_bytes),
        ("stored_events", Gauge, "Events in segments.", status.stored_events),
        ("segments", Gauge, "Segments.", status.segments),
        ("segment_bytes", Gauge, "Bytes of all segments.", status.segment_bytes),
        ("segment_reads", Counter, "Reads of segment files in the data directory.", status.segment_reads),
        ("segment_bytes_read", Counter, "Bytes that they read.", status.segment_bytes_read),
        ("segment_files_open", Gauge, "Segment files that are open; a bounded number.", status.segment_files_open),
        ("groups", Gauge, "Log groups.", status.groups),
        ("batch_ids", Gauge, "Batch ids remembered.", status.batch_ids),
        ("files", Gauge, "Shipped files whose positions are known.", status.files),
        ("subscriptions", Gauge, "Readers of the feed of accepted batches.", status.subscriptions),
        ("disk_reserve_bytes", Gauge, "Bytes of the disk that are kept free.", status.disk_reserve_bytes),
        (
            "catalog_unavailable",
            Gauge,
            "1 where the catalog cannot be used now; events are kept in the wal meanwhile.",
            u64::from(status.catalog_problem.is_some()),
        ),
        ("poisoned", Gauge, "1 where nothing is accepted since writing failed.", u64::from(status.poisoned.is_some())),
        ("damaged_files", Gauge, "Files found damaged.", status.damaged.len() as u64),
        ("deletions_pending", Gauge, "Deletions whose events are still on the disk.", status.deletions_pending),
        ("scrub_segments_read", Counter, "Segments read again for the scrub.", status.scrub.segments_read),
        ("scrub_bytes_read", Counter, "Their bytes.", status.scrub.bytes_read),
        ("scrub_segments_left", Gauge, "Segments that the cycle has still to read.", scrub_left),
        ("quarantined_files", Gauge, "Damaged files that were put away.", status.quarantined.len() as u64),
        (
            "clock_doubted",
            Gauge,
            "1 while nothing is deleted for its age, since the clock jumped.",
            u64::from(status.clock_doubt.is_some()),
        ),
    ];
    numbers.extend(of_section_cache(status));
    numbers.extend(status.object_store.iter().flat_map(of_object_store));
    let limit = status.store_bytes_max;
    numbers.extend(limit.map(|max| ("store_bytes_max", Gauge, "Bytes that the store may take on disk.", max)));
    numbers.extend(status.disk_free_bytes.map(|free| ("disk_free_bytes", Gauge, "Bytes free on the disk.", free)));
    numbers
}

/// Reads again what can change while the server runs.
pub(crate) fn reload(Call { server, .. }: &Call) -> Outcome {
    let tls = server.app.tls.as_ref().map_or(Ok(()), |tls| tls.reload().map_err(|error| error.to_string()));
    let reloaded = tls.and_then(|()| server.app.reload.as_ref().map_or(Ok(()), |reload| reload()));
    reloaded
        .map_err(|error| Problem::unprocessable("not-reloaded", error).hint("what was there before stays in use"))?;
    server.audit_own("settings reloaded", &json!({}));
    Ok(Reply::json(&json!({"reloaded": true})))
}
