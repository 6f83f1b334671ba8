//! A column restored from another, and damage.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn damaged_sections_never_panic(
        mut bytes in prop::collection::vec(0u8..20, 2..60), mut source in prop::collection::vec(0u8..20, 1..60),
        tag in 7u8..9, n in 1usize..20, n_source in 1usize..20, is_valid in any::<bool>(),
    ) {
        bytes[0] = tag;
        if is_valid {
            source = if tag == REFERENCES { vec![TEXTS, PACKED, 1] } else { vec![CODES, 0, 1] };
            source.extend((0..n_source as u8).map(|place| place % 3));
            bytes[1] = 1;
        }
        let rows = n.max(n_source);
        let (present, of_source) = (RowSet::of(rows, |row| row < n), RowSet::of(rows, |row| row < n_source));
        let _ = restore(&bytes, &present, &source, &of_source);
        let _ = (source_of(&bytes), tag_of(&mut Cursor::new(&bytes)));
    }
}

#[test]
fn a_column_is_restored_from_one_that_depends_on_no_other() {
    let rows = RowSet::all(3);
    let ids = [REFERENCES, 4, 2, 0, 1, 0, 1, 2, 0xab, 0xcd];
    let source = [TEXTS, PACKED, 2, 1, 2, 3, 4, 5, 6];
    // An id, that of the first row of the source, that of the row before.
    let restored = vec![TEXTS, PACKED, 2, 0xab, 0xcd, 1, 2, 1, 2];
    assert_eq!(restore(&ids, &rows, &source, &rows), Ok(restored));
    assert_eq!(source_of(&ids), Ok(Some(4)));
    let table = [DETERMINED, 4, INTEGERS, 14, 1, 0, 3];
    let source = [CODES, 0, 1, 1, 0, 1];
    assert_eq!(restore(&table, &rows, &source, &rows), Ok(vec![INTEGERS, 14, 1, 3, 0, 3]));
    assert!(restore(&table, &rows, &table, &rows).is_err());
    // A table of nothing for codes beyond every dictionary would take gigabytes.
    let beyond = [CODES, 0, 4, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255];
    assert!(restore(&[DETERMINED, 4, INTEGERS, 0, 0], &rows, &beyond, &rows).is_err());
    assert!(restore(&ids, &rows, &ids, &rows).is_err());
}
