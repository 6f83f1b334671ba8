//! What a filter never denies, and damage.

use proptest::prelude::*;

use super::*;

fn filter_of(blocks: &[Vec<String>]) -> Option<ColumnFilter> {
    let mut writer = ColumnFilterWriter::default();
    for texts in blocks {
        let column = Column::of_values(texts.iter().map(|text| Some(Value::text(&**text))).collect());
        writer.add_hex(&column, &column.presence());
    }
    Some(ColumnFilter::decode(writer.encode()?).expect("just written"))
}

proptest! {
    #[test]
    fn what_a_run_has_its_filter_never_denies(
        blocks in prop::collection::vec(prop::collection::vec("[0-9a-f]{16}", 1..40), 1..4),
        which in 0usize..40, from in 0usize..16, length in 1usize..17,
    ) {
        let filter = filter_of(&blocks).expect("all alike");
        let value = &blocks[0][which % blocks[0].len()];
        let piece: String = value.chars().skip(from).take(length).collect();
        prop_assert!(piece.is_empty() || filter.may_hold(&piece, false));
        prop_assert!(filter.may_hold(value, false) && filter.may_hold(value, true));
        prop_assert_eq!(filter.may_hold(&piece, true), piece == *value);
    }

    #[test]
    fn damaged_filters_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(filter) = ColumnFilter::decode(bytes) {
            filter.may_hold("0123456789abcdef", false);
        }
    }
}

#[test]
fn most_other_values_are_denied() {
    let id = |number: u64| format!("{:016x}", xxh3_64(&number.to_le_bytes()));
    let filter = filter_of(&[(0..5000).map(id).collect(), (5000..9000).map(id).collect()]).expect("all alike");
    let n_mistakes = (10_000..11_000).filter(|number| filter.may_hold(&id(*number), true)).count();
    assert!(n_mistakes < 100, "{n_mistakes}");
    assert!(filter_of(&[vec![id(1)], vec!["00112233".into()]]).is_none());
}
