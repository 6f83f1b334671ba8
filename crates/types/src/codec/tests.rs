//! Numbers and values that come back.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn numbers_come_back(count in any::<u64>(), whole in any::<i64>(), wide in any::<i128>(), cut in 0usize..64) {
        let (whole, wide) = (whole >> cut, wide >> cut);
        let mut bytes = Vec::new();
        put_count(count >> cut, &mut bytes);
        put_whole(whole, &mut bytes);
        put_wide(wide, &mut bytes);
        let mut reader = Cursor::new(&bytes);
        prop_assert_eq!(reader.varint(), Ok(count >> cut));
        prop_assert_eq!(reader.zigzag(), Ok(whole));
        prop_assert_eq!(reader.wide(), Ok(wide));
        prop_assert!(reader.is_at_end());
    }
}

#[test]
fn values_come_back_and_deep_ones_are_refused() {
    let object = Value::Object(Arc::new(vec![("a".into(), Some(Value::Boolean(true))), ("b".into(), None)]));
    let list = Value::List(Arc::new(vec![None, Some(Value::Float(-0.5)), Some(Value::text("ü")), Some(object)]));
    for value in [None, Some(list), Some(Value::Timestamp(Timestamp(-1))), Some(Value::Integer(i64::MIN))] {
        let mut bytes = Vec::new();
        put_value(value.as_ref(), &mut bytes);
        assert_eq!(Cursor::new(&bytes).value(), Ok(value));
    }
    assert!(Cursor::new(&[7, 1].repeat(100_000)).value().is_err());
    assert!(Cursor::new(&[7, 0xff, 0xff, 0xff, 0xff, 0x0f]).value().is_err());
    assert!(Cursor::new(&[1, 2, 0xff, 0xff]).value().is_err());
}
