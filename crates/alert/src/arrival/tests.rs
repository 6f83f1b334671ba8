//! Events of clocks that are off, judged by their arrival.

use execute::Request;
use language::{ParseOptions, parse_insights};
use types::{BatchBuilder, BatchRun, GroupName, Run};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000 * Timestamp::SECOND);
const WINDOW_NS: i64 = 5 * Timestamp::MINUTE;

/// Returns events of one stream: seconds of age by their own time, and by their arrival.
fn accepted(group: &str, stream: &str, ages: &[(i64, i64)]) -> Arc<AcceptedBatch> {
    let mut builder = BatchBuilder::new();
    for (own, _) in ages {
        builder.set_stream(stream);
        builder.set_timestamp(Timestamp(NOW.0 - own * Timestamp::SECOND));
        builder.set_message("boom");
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (1..=batch.len() as u64).collect();
    batch.ingestion_times = ages.iter().map(|(_, arrived)| NOW.0 - arrived * Timestamp::SECOND).collect();
    Arc::new(AcceptedBatch { group: GroupName::new(group).unwrap(), group_id: 1, batch: Arc::new(batch) })
}

fn offset(stream: &str, hours: i64) -> ClockOffset {
    let group = GroupName::new("app/pay").unwrap();
    ClockOffset { group, stream: stream.into(), offset_ns: hours * Timestamp::HOUR }
}

/// Returns how many events of these batches are in the window that ends now.
fn count(batches: &[Arc<AcceptedBatch>], offsets: &[ClockOffset]) -> Option<Value> {
    let options = ParseOptions { now: NOW, time_zone: chrono_tz::UTC };
    let plan = parse_insights("stats count(*) as n", &options).unwrap();
    let range = TimeRange { from: Timestamp(NOW.0 - WINDOW_NS), to: Timestamp(NOW.0 + 1) };
    let judged = by_arrival(&plan, &[GroupPattern::new("app/*")], range, offsets);
    let (plan, range) = judged.unwrap_or((plan, range));
    let runs: Vec<Arc<dyn Run>> = batches
        .iter()
        .map(|a| Arc::new(BatchRun::new(a.group.clone(), a.group_id, a.batch.clone())) as Arc<dyn Run>)
        .collect();
    let is_cancelled = std::sync::atomic::AtomicBool::new(false);
    let request = Request {
        range,
        limit: None,
        time_zone: chrono_tz::UTC,
        now: NOW,
        memory_bytes_max: 1 << 20,
        deadline: None,
        cancelled: &is_cancelled,
        n_threads: 1,
        progress: None,
        support: execute::Support::default(),
    };
    execute::execute(&plan, &runs, &request).unwrap().rows[0][0].clone()
}

#[test]
fn events_of_a_stream_that_is_off_count_by_arrival_and_all_others_by_their_own_time() {
    let h = 3_600;
    let batches = [
        accepted("app/pay", "jakarta", &[(-7 * h + 10, 10), (-7 * h + 400, 400)]),
        accepted("app/pay", "behind", &[(5 * h + 20, 20)]),
        accepted("app/pay", "right", &[(30, 30), (400, 1), (-7 * h, 0)]),
    ];
    assert_eq!(count(&batches, &[]), Some(Value::Integer(1)));
    let offsets = [offset("jakarta", 7), offset("behind", -5)];
    assert_eq!(count(&batches, &offsets), Some(Value::Integer(3)));
    let elsewhere = ClockOffset { group: GroupName::new("db").unwrap(), ..offset("jakarta", 7) };
    assert_eq!(count(&batches, &[elsewhere]), Some(Value::Integer(1)));
}

#[test]
fn an_event_of_a_stream_that_is_off_asks_for_judgement_when_it_arrives() {
    let batch = accepted("app/pay", "jakarta", &[(-7 * 3_600, 0)]);
    assert_eq!(*arrived(&batch, &[offset("jakarta", 7)]).batch.timestamps.to_slice(), [NOW.0]);
    assert_eq!(arrived(&batch, &[offset("other", 7)]).batch.timestamps, batch.batch.timestamps);
}
