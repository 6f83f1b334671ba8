//! Chunks and posts, in order and bounded.

use types::Timestamp;

use super::*;

fn rows(sequences: impl Iterator<Item = u64>, n_bytes: usize) -> TailRows {
    let id = |sequence| EventId { group_id: 1, timestamp: Timestamp(5), sequence };
    let mut rows = TailRows::default();
    for sequence in sequences {
        rows.ids.push(id(sequence).encode());
        let stream = if sequence % 2 == 0 { "even" } else { "odd" };
        rows.rows.push(vec![Some(Value::text("x".repeat(n_bytes).as_str())), Some(Value::text(stream))]);
    }
    rows
}

#[test]
fn a_chunk_holds_the_earliest_in_whatever_order_they_come() {
    let mut chunk = Chunk::default();
    chunk.add((rows(15_001..=30_000, 1), &[]), 10, &BTreeSet::new());
    assert!(!chunk.is_cut);
    chunk.add((rows(1..=15_000, 1), &[]), 10, &BTreeSet::from([12]));
    assert_eq!(chunk.lines.len(), CHUNK_EVENTS_MAX);
    assert_eq!(chunk.lines.keys().next().zip(chunk.lines.keys().last()), Some((&11, &20_011)));
    assert!(chunk.is_cut);
    let mut large = Chunk::default();
    large.add((rows(1..=5, CHUNK_BYTES_MAX / 2 - 1), &[]), 0, &BTreeSet::new());
    assert_eq!(large.lines.len(), 2);
}

#[test]
fn posts_are_of_one_stream_in_order_and_bounded() {
    let mut chunk = Chunk::default();
    chunk.add((rows(1..=10, POST_BYTES_MAX / 2), &[]), 0, &BTreeSet::new());
    let posts = chunk.posts();
    let sequences: Vec<Vec<u64>> =
        posts.iter().map(|post| post.iter().map(|line| line.id.sequence).collect()).collect();
    assert_eq!(sequences, [vec![2, 4], vec![6, 8], vec![10], vec![1, 3], vec![5, 7], vec![9]]);
}
