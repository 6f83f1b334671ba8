//! Ids as texts, and their order.

use super::*;

#[test]
fn ids_round_trip_and_sort_by_time_then_sequence() {
    let id = |timestamp, sequence| EventId { group_id: 7, timestamp: Timestamp(timestamp), sequence };
    for one in [id(-5, 3), id(0, 0), id(i64::MAX, u64::MAX)] {
        assert_eq!(EventId::decode(&one.encode()), Some(one));
    }
    assert!(id(-5, 9).encode() < id(0, 1).encode());
    assert!(id(0, 1).encode() < id(0, 2).encode());
    assert_eq!(EventId::decode("not an id"), None);
    assert_eq!(EventId::decode(&"é".repeat(16)), None);
}
