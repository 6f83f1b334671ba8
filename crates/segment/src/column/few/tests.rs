//! Few rows of ids, and damage.

use proptest::prelude::*;

use super::super::dependent::{BlockColumn, restore, shorten};
use super::*;

/// Ids of 8 bytes as a column of packed hex.
fn packed(ids: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut out = vec![TEXTS, PACKED, 8];
    ids.for_each(|id| out.extend_from_slice(&id.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()));
    out
}

proptest! {
    #[test]
    fn few_rows_of_ids_are_those_of_the_whole(
        // Of each row: whether each column has a value, how far back in the source its parent is, and whether that is of its own.
        rows in prop::collection::vec((0u8..8, 0u8..8, 1u64..30, 0u8..4), 200..400),
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let n_rows = rows.len();
        let of_source = RowSet::of(n_rows, |row| rows[row].0 > 0);
        let present = RowSet::of(n_rows, |row| rows[row].1 > 0);
        let parent = |row: usize| {
            let before = n_before(&of_source, row) as u64;
            if rows[row].3 == 0 { 1_000_000 + rows[row].2 } else { before.saturating_sub(rows[row].2) }
        };
        let mut columns = vec![
            Some(BlockColumn { section: packed((0..of_source.count()).map(|place| place as u64)), present: of_source.clone() }),
            Some(BlockColumn { section: packed(present.iter().map(parent)), present: present.clone() }),
        ];
        shorten(&mut columns);
        let (source, section) = (&columns[0].as_ref().expect("there").section, &columns[1].as_ref().expect("there").section);
        prop_assert!(is_looked_up(section));
        let whole = restore(section, &present, source, &of_source).expect("just written");
        let wanted = RowSet::of_places(n_rows, chosen.iter().map(|index| index.index(n_rows)));
        let few = decode_few(section, (&present, &wanted), (source, &of_source), None).expect("just written");
        let all = decode(&whole, &present, &wanted, None).expect("just restored");
        for row in 0..wanted.count() {
            prop_assert_eq!(few.value(row), all.value(row));
        }
    }

    #[test]
    fn damaged_sections_never_panic(
        mut bytes in prop::collection::vec(0u8..20, 2..60), mut source in prop::collection::vec(0u8..20, 1..60),
        tag in 7u8..9, n in 1usize..20, n_source in 1usize..20, wanted in 0usize..20, is_valid in any::<bool>(),
    ) {
        bytes[0] = tag;
        if is_valid {
            source = if tag == REFERENCES { vec![TEXTS, PACKED, 1] } else { vec![CODES, 0, 1] };
            source.extend((0..n_source as u8).map(|place| place % 3));
            bytes[1] = 1;
        }
        let rows = n.max(n_source);
        let (present, of_source) = (RowSet::of(rows, |row| row < n), RowSet::of(rows, |row| row < n_source));
        let wanted = RowSet::of(rows, |row| row == wanted || row == 3);
        let _ = decode_few(&bytes, (&present, &wanted), (&source, &of_source), None);
    }
}

#[test]
fn rows_are_counted_and_found() {
    let rows = RowSet::of(200, |row| row % 3 == 0);
    assert_eq!((n_before(&rows, 0), n_before(&rows, 4), n_before(&rows, 128), n_before(&rows, 199)), (0, 2, 43, 67));
    assert_eq!(
        (row_at(&rows, 0), row_at(&rows, 43), row_at(&rows, 66), row_at(&rows, 67)),
        (Some(0), Some(129), Some(198), None)
    );
}
