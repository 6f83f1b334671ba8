//! Values as bytes whose order is that of the values, so that records on disk are compared without reading them.
//!
//! ```text
//! value     kind u8 · number (of numbers and times) or text (of the others) · tie
//!   kind      0 text and what sorts as text | 1 number, and text that reads as one | 2 time | 3 missing
//!   number    nearest decimal, 8 bytes · sign u8 of what is missing to the whole number · that, 16 bytes, unless zero
//!   text      bytes, 0 as 0 255 · 0 0
//!   tie       type u8 · text, where the number does not say it: what tells values apart that sort as equal
//! level     0 · severity u8 · value, or 1 · value
//! key       of a sort: 0 · value without tie, each byte inverted where it is descending; 1 for a missing value
//! ```

use std::cmp::Ordering;

use plan::number::Number;
use plan::{Expr, SortKey};

use crate::columns::cell::{Cell, severity};
use crate::columns::place::Place;

/// Appends a value of a group column: the order of the bytes is that of the rows of groups, and equal bytes are one group.
pub(crate) fn put_group_key(expr: &Expr, cell: Cell<'_>, out: &mut Vec<u8>) {
    if plan::fields::is_field(expr, "@level") {
        match severity(cell) {
            Some(level) => out.extend_from_slice(&[0, level.code()]),
            None => out.push(1),
        }
    }
    put_value(cell, out);
    match cell {
        Cell::Integer(_) => out.push(0),
        Cell::Float(_) => out.push(1),
        Cell::Boolean(_) => out.push(2),
        Cell::Time(_) => out.push(3),
        Cell::Text(text) => {
            out.push(4);
            if cell.plain_number().is_some() {
                put_text(text.as_bytes(), out);
            }
        }
        Cell::Nested(_) => out.push(5),
        Cell::Missing => out.push(6),
    }
}

/// Appends the values of sort keys: the order of the bytes is that of the rows.
pub(crate) fn put_sort_keys<'c>(keys: &[SortKey], cells: impl Iterator<Item = Cell<'c>>, out: &mut Vec<u8>) {
    for (key, cell) in keys.iter().zip(cells) {
        if !cell.is_present() {
            // Last either way.
            out.push(1);
            continue;
        }
        out.push(0);
        let begin = out.len();
        put_value(cell, out);
        if key.descending {
            out[begin..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

/// Appends a place such that later ones come first, as rows do.
pub(crate) fn put_place_descending(place: &Place, out: &mut Vec<u8>) {
    out.extend_from_slice(&(!(place.time.cast_unsigned() ^ (1 << 63))).to_be_bytes());
    out.extend_from_slice(&(!place.group).to_be_bytes());
    out.extend_from_slice(&(!place.sequence).to_be_bytes());
    // A part is a reversed number.
    out.extend_from_slice(&place.part.0.to_be_bytes());
}

/// Appends a value such that the order of the bytes is that of `sort_order`.
fn put_value(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Missing => out.push(3),
        Cell::Time(nanos) => {
            out.push(2);
            put_number(Number::Integer(nanos.into()), out);
        }
        other => match other.plain_number() {
            Some(number) => {
                out.push(1);
                put_number(number, out);
            }
            None => {
                out.push(0);
                put_text(other.text().unwrap_or_default().as_bytes(), out);
            }
        },
    }
}

fn put_number(number: Number, out: &mut Vec<u8>) {
    // Zero has one form, whatever its sign.
    let nearest = number.as_float() + 0.0;
    let bits = nearest.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    out.extend_from_slice(&ordered.to_be_bytes());
    // A whole number of more digits than a decimal has differs from the nearest one; decimals do not.
    let missing = match number {
        // The nearest decimal to the greatest number is beyond all of them: the difference wraps to what is meant.
        Number::Integer(whole) if nearest >= i128::MAX as f64 => whole.wrapping_sub(i128::MIN),
        Number::Integer(whole) => whole - nearest as i128,
        Number::Float(_) => 0,
    };
    match missing.cmp(&0) {
        Ordering::Less => out.push(0),
        Ordering::Equal => return out.push(1),
        Ordering::Greater => out.push(2),
    }
    out.extend_from_slice(&missing.to_be_bytes());
}

fn put_text(text: &[u8], out: &mut Vec<u8>) {
    for part in text.split_inclusive(|byte| *byte == 0) {
        out.extend_from_slice(part);
        if part.last() == Some(&0) {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::sync::Arc;

    use proptest::prelude::*;
    use types::{Timestamp, Value};

    use super::*;
    use crate::columns::cell::{sort_order, strict_order};
    use crate::columns::key::canonical;

    fn value() -> impl Strategy<Value = Option<Value>> {
        let whole = prop_oneof![any::<i64>(), -5i64..5, Just(i64::MAX), Just(1 << 53), Just((1 << 53) + 1)];
        let float = prop_oneof![
            any::<f64>().prop_filter("finite", |number| number.is_finite()),
            (-5i8..5).prop_map(f64::from),
            Just(-0.0),
            Just(9.007_199_254_740_992e15),
            Just(9.3e18),
        ];
        let text = prop_oneof![
            "[a-c\\x00]{0,3}",
            "-?[0-9]{1,3}(\\.[0-9]{1,2})?",
            "-?[0-9]{18,38}",
            "17014118346046923173168730371588410572[0-9]",
            "0{0,2}7(e1)?",
            any::<String>(),
        ];
        prop_oneof![
            Just(None),
            whole.prop_map(|whole| Some(Value::Integer(whole))),
            float.prop_map(|float| Some(Value::Float(float))),
            any::<bool>().prop_map(|truth| Some(Value::Boolean(truth))),
            (-3i64..3).prop_map(|nanos| Some(Value::Timestamp(Timestamp(nanos)))),
            text.prop_map(|text| Some(Value::text(text))),
            Just(Some(Value::List(Arc::new(vec![Some(Value::Integer(1))])))),
        ]
    }

    fn group_key(value: Option<&Value>) -> Vec<u8> {
        let mut key = Vec::new();
        put_group_key(&Expr::Field("f".into()), Cell::of(value), &mut key);
        key
    }

    fn sort_key(value: Option<&Value>, descending: bool) -> Vec<u8> {
        let mut key = Vec::new();
        let keys = [SortKey { expr: Expr::Field("f".into()), descending }];
        put_sort_keys(&keys, [Cell::of(value)].into_iter(), &mut key);
        key
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn bytes_are_in_the_order_of_the_values(a in value(), b in value()) {
            // Groups hold values in one form: `3.0` is `3`.
            let (canonical_a, canonical_b) = (a.clone().map(canonical), b.clone().map(canonical));
            let order = strict_order(Cell::of(canonical_a.as_ref()), Cell::of(canonical_b.as_ref()));
            prop_assert_eq!(group_key(canonical_a.as_ref()).cmp(&group_key(canonical_b.as_ref())), order);
            let order = match (&a, &b) {
                (None, _) | (_, None) => a.is_none().cmp(&b.is_none()),
                (Some(_), Some(_)) => sort_order(Cell::of(a.as_ref()), Cell::of(b.as_ref())),
            };
            prop_assert_eq!(sort_key(a.as_ref(), false).cmp(&sort_key(b.as_ref(), false)), order);
            let order = if a.is_some() && b.is_some() { order.reverse() } else { order };
            prop_assert_eq!(sort_key(a.as_ref(), true).cmp(&sort_key(b.as_ref(), true)), order);
        }

        #[test]
        fn no_key_is_the_beginning_of_another(a in value(), b in value()) {
            // Otherwise the next column of a group would decide where this one does.
            let (a, b) = (a.map(canonical), b.map(canonical));
            let (key_a, key_b) = (group_key(a.as_ref()), group_key(b.as_ref()));
            prop_assert!(key_a == key_b || !key_b.starts_with(&key_a));
        }

        #[test]
        fn places_come_in_the_order_of_rows(
            a in (-3i64..3, 0u32..3, 0u64..3, 0u32..3), b in (-3i64..3, 0u32..3, 0u64..3, 0u32..3),
        ) {
            let [a, b] = [a, b].map(|(time, group, sequence, part)| Place { time, group, sequence, part: Reverse(part) });
            let key = |place: &Place| { let mut key = Vec::new(); put_place_descending(place, &mut key); key };
            prop_assert_eq!(key(&a).cmp(&key(&b)), b.cmp(&a));
        }
    }
}
