//! Tokens of pages, and patterns of any text.

use super::*;

fn line(timestamp: i64, sequence: u64) -> Line {
    let id = EventId { group_id: 1, timestamp: Timestamp(timestamp), sequence };
    Line { id, message: "".into(), stream: "".into(), arrived: Timestamp(0) }
}

#[test]
fn tokens_go_on_behind_what_was_shown_and_stay_at_the_end() {
    let place = Place { side: Side::After, id: None };
    let lines = [line(5, 1), line(5, 2)];
    let (forward, backward) = tokens(&lines, place, TimeRange::ALL);
    let read = |token: &str| Place::read(token).expect("a token");
    assert_eq!(read(&forward), Place { side: Side::After, id: Some(lines[1].id) });
    assert_eq!(read(&backward), Place { side: Side::Before, id: Some(lines[0].id) });
    let (again, back) = tokens(&[], read(&forward), TimeRange::ALL);
    assert_eq!(again, forward);
    // From the end back again comes the last line first.
    assert_eq!(read(&back).id.map(|id| id.sequence), Some(3));
    let (again, back) = tokens(&[], read(&backward), TimeRange::ALL);
    assert_eq!((back, read(&again).id.map(|id| id.sequence)), (backward, Some(0)));
    assert_eq!(before(line(5, 0).id).timestamp, Timestamp(4));
    for bad in ["", "f", "f/", "x/00000000000000000000000000000000", "f/é"] {
        assert_eq!(Place::read(bad), None, "{bad}");
    }
}

#[test]
fn no_pattern_panics() {
    let pieces = ["{", "$.a", "\"", "%", "[", "]", "(", "é", "&&", "=", "*", ",", " ", "?", "-", "}", "1e9"];
    let mut state = 7u64;
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let _ = plan_of(&text);
    }
}
