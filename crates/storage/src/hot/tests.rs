//! The memory of small batches.

use types::BatchBuilder;

use super::*;

fn batch(first: i64, n_events: i64, field: &str) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    for time in first..first + n_events {
        // Times that follow each other by one would take no memory.
        builder.set_timestamp(Timestamp(3 * time));
        builder.field_integer(field, time);
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (first as u64..).take(n_events as usize).collect();
    Arc::new(batch)
}

fn push(generation: &mut Generation, batch: Arc<Batch>) {
    let group = GroupName::new("g").expect("a valid name");
    let mut update = generation.update(&group, 1);
    update.add_raw_bytes(10);
    update.push(vec![batch]);
    generation.apply(update);
}

#[test]
fn many_small_batches_become_few_large_ones() {
    let mut generation = Generation::default();
    (0..5000).for_each(|time| push(&mut generation, batch(time, 1, "n")));
    let group = &generation.groups[&1];
    assert!(group.runs.len() <= 16, "{} runs", group.runs.len());
    assert_eq!((generation.n_events, group.n_events, group.raw_bytes), (5000, 5000, 50_000));
    let mut times: Vec<i64> = group.runs.iter().flat_map(|run| run.run.batch().timestamps.iter()).collect();
    times.sort_unstable();
    assert!(times.iter().copied().eq((0..5000).map(|time| 3 * time)));
    let bytes: u64 = group.runs.iter().map(|run| run.memory_bytes).sum();
    assert_eq!(bytes, generation.memory_bytes);
}

#[test]
fn batches_of_one_event_cost_little_more_than_their_events() {
    let per_event = |n_events: i64, n_at_once: i64| {
        let mut generation = Generation::default();
        let batches = (0..n_events / n_at_once).map(|at| batch(at * n_at_once, n_at_once, "n"));
        batches.for_each(|batch| push(&mut generation, batch));
        (generation.memory_bytes / n_events as u64, generation.groups[&1].runs.len())
    };
    let (whole, _) = per_event(2048, 2048);
    let (single, n_runs) = per_event(2047, 1);
    assert!(single < whole * 3 / 2, "{single} bytes per event alone, {whole} together");
    assert!(n_runs <= 6, "{n_runs}");
    let (few, n_runs) = per_event(60, 1);
    assert!(few < 150 && n_runs == 1, "{few} bytes per event in {n_runs} runs");
}

#[test]
fn batches_of_ever_new_fields_do_not_multiply() {
    let mut generation = Generation::default();
    for time in 0..200 {
        let mut builder = BatchBuilder::new();
        (0..100).for_each(|n| builder.field_integer(&format!("f{time}-{n}"), n));
        builder.commit();
        push(&mut generation, Arc::new(builder.finish()));
    }
    assert!(generation.memory_bytes < 20 << 20, "{} bytes", generation.memory_bytes);
}
