//! Rows of several batches.

use proptest::prelude::*;

use super::*;

/// A column of each form, with gaps, of `n_rows` values that depend on `seed`.
fn column(form: u8, seed: u64, n_rows: usize) -> Option<Column> {
    let value = |row: usize| -> Option<Value> {
        let n = seed.wrapping_mul(31).wrapping_add(row as u64);
        if n.is_multiple_of(5) {
            return None;
        }
        Some(match form {
            0 => Value::Integer(n as i64 % 7),
            1 if n.is_multiple_of(3) => Value::Integer(n as i64),
            1 => Value::Float(n as f64 / 4.0),
            2 => Value::text(format!("unique {seed} {row}")),
            3 => Value::text(format!("value {}", n % 3)),
            4 if n.is_multiple_of(2) => Value::Boolean(n.is_multiple_of(4)),
            4 => Value::text("text"),
            _ if n.is_multiple_of(2) => Value::text("mixed"),
            _ => Value::Integer(n as i64),
        })
    };
    (form < 6).then(|| Column::of_values((0..n_rows).map(value).collect()))
}

proptest! {
    #[test]
    fn every_row_keeps_its_value(
        forms in proptest::collection::vec((0u8..7, any::<u64>(), prop_oneof![Just(3usize), Just(70), Just(1500)]), 1..4),
        picks in proptest::collection::vec((any::<u32>(), any::<u32>(), 1u32..90), 0..30),
    ) {
        let columns: Vec<Option<Column>> = forms.iter().map(|(form, seed, n)| column(*form, *seed, *n)).collect();
        let borrowed: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let mut rows = Vec::new();
        for (batch, from, n) in picks {
            let batch = batch % forms.len() as u32;
            let n_rows = forms[batch as usize].2 as u32;
            rows.extend((from % n_rows..n_rows).take(n as usize).map(|row| (batch, row)));
        }
        let gathered = gather_column(&borrowed, &spans_of(&rows), rows.len());
        prop_assert_eq!(gathered.n_rows(), rows.len());
        for (at, (batch, row)) in rows.iter().enumerate() {
            let value = columns[*batch as usize].as_ref().and_then(|column| column.value(*row as usize));
            prop_assert_eq!(gathered.value(at), value);
        }
    }
}

#[test]
fn a_field_that_none_of_the_rows_has_is_not_named() {
    let mut builder = crate::BatchBuilder::new();
    for n in 0..3 {
        if n == 1 {
            builder.field_integer("integer", 5);
            builder.field_float("float", 2.5);
            builder.field_text("text", "only here");
            builder.field_value("list", Value::List(Arc::new(Vec::new())));
        }
        builder.field_text("all", "x");
        builder.commit();
    }
    let batch = builder.finish();
    let names = |rows: &[(u32, u32)]| {
        gather(&[&batch], rows).fields.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[(0, 0), (0, 2)]), ["all"]);
    assert_eq!(names(&[(0, 1)]).len(), 5);
}
