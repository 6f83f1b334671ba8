//! Few shapes, which are numbered, and many, which are kept by column.

use super::*;

fn check(n_rows: usize, n_columns: usize, has: impl Fn(usize, usize) -> bool) {
    let presence: Vec<Option<RowSet>> = (0..n_columns)
        .map(|column| Some(RowSet::of(n_rows, |row| has(row, column))).filter(|set| !set.is_empty()))
        .collect();
    let origins: Vec<u32> = (0..n_rows as u32).map(|row| row % 3).collect();
    let mut table = ShapeTable::new(n_columns).expect("randomness");
    let block = table.encode_block(n_rows, &origins, &presence);
    let shapes = Shapes::decode(&table.encode(), n_columns, 3).expect("just written");
    let block = BlockShapes::decode(&block, n_rows, n_columns, 3, &shapes).expect("just written");
    for (column, set) in presence.into_iter().enumerate() {
        assert_eq!(block.rows_with(column as u32, &shapes), set.unwrap_or_else(|| RowSet::none(n_rows)));
    }
    assert_eq!(block.origins(&RowSet::all(n_rows), &shapes), origins);
}

#[test]
fn few_shapes_are_numbered_and_many_are_kept_by_column() {
    check(1000, 5, |row, column| row % (column + 1) == 0);
    check(10_000, 20, |row, column| row.wrapping_mul(2_654_435_761) >> column & 1 == 1);
    check(2000, 3000, |row, column| column % 700 == row % 700 || column == 2);
    check(1, 0, |_, _| false);
}
