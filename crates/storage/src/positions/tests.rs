//! Ranges of bytes, gaps, and damage.

use proptest::prelude::*;

use super::*;

fn position(range: Range<u64>) -> SourcePosition {
    SourcePosition { source: "s".into(), file: "f".into(), generation: 0, range }
}

proptest! {
    #[test]
    fn ranges_agree_with_a_set_of_bytes(inserts in proptest::collection::vec((0u64..60, 0u64..12), 0..20),
                                        asked in (0u64..60, 0u64..20)) {
        let mut ranges = Ranges::default();
        let mut bytes = [false; 100];
        for (start, length) in inserts {
            ranges.insert(start..start + length);
            (start..start + length).for_each(|at| bytes[at as usize] = true);
        }
        prop_assert!(ranges.0.iter().all(|range| !range.is_empty()));
        prop_assert!(ranges.0.windows(2).all(|pair| pair[0].end < pair[1].start));
        let asked = asked.0..asked.0 + asked.1;
        let missing: Vec<u64> = ranges.missing(&asked).into_iter().flatten().collect();
        let expected: Vec<u64> = asked.clone().filter(|at| !bytes[*at as usize]).collect();
        prop_assert_eq!(&missing, &expected);
        prop_assert_eq!(ranges.overlaps(&asked), !asked.is_empty() && expected.len() < (asked.end - asked.start) as usize);
    }
}

#[test]
fn the_high_water_mark_is_the_end_of_the_gapless_range() {
    let mut positions = Positions::default();
    let key = || FileKey::of(&position(0..0));
    positions.insert(key(), 0..10);
    positions.insert(key(), 20..30);
    assert_eq!(positions.high_water(&position(0..10)), Some(10));
    assert_eq!(positions.high_water(&position(15..25)), Some(30));
    assert_eq!(positions.high_water(&position(10..15)), None);
    positions.insert(key(), 10..20);
    assert_eq!(positions.high_water(&position(0..10)), Some(30));
    assert!(positions.missing(&position(5..40)).into_iter().flatten().eq(30..40));
}

#[test]
fn files_of_a_source_are_told_with_what_lies_between_their_ranges() {
    let mut positions = Positions::default();
    let key = |source: &str, generation| FileKey { source: source.into(), file: "f".into(), generation };
    for range in [5..10, 20..30, 40..41] {
        positions.insert(key("b", 0), range);
    }
    positions.insert(key("b", 1), 0..7);
    positions.insert(key("a", 0), 0..1);
    positions.insert(key("ba", 0), 0..1);
    assert_eq!(positions.sources(), ["a", "b", "ba"]);
    let files = positions.files_of("b");
    let first = &files[0];
    assert_eq!((first.start, first.end, first.bytes, first.n_gaps), (5, 41, 16, 2));
    assert_eq!(first.gaps, [10..20, 30..40]);
    let second = &files[1];
    assert_eq!((files.len(), second.generation, second.end, second.n_gaps), (2, 1, 7, 0));
    assert!(positions.files_of("c").is_empty());
    for n in 0..1000 {
        positions.insert(key("many", 0), n * 2..n * 2 + 1);
    }
    let many = positions.files_of("many").remove(0);
    assert_eq!((many.gaps.len(), many.n_gaps), (100, 999));
}

#[test]
fn positions_come_back_from_a_segment_and_damage_never_panics() {
    let mut positions = Positions::default();
    assert!(positions.encode().is_empty());
    positions.insert(FileKey::of(&position(0..1)), 5..10);
    positions.insert(FileKey::of(&position(0..1)), 20..u64::MAX);
    positions.insert(FileKey { generation: u64::MAX, ..FileKey::of(&position(0..1)) }, 0..1);
    let bytes = positions.encode();
    assert_eq!(Positions::decode(&bytes), Ok(positions));
    for at in 0..bytes.len() {
        assert!(Positions::decode(&bytes[..at]).is_err(), "cut at {at}");
        for flip in [1, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            let _ = Positions::decode(&bytes);
        }
    }
}
