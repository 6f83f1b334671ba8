//! Sections of numbers that come back, their size, and damage.

use proptest::prelude::*;

use super::*;

/// Writes and reads back; returns the bytes.
fn check(columns: &[(Vec<i64>, Option<i64>)], time_of: impl Fn(usize) -> i64) -> Vec<u8> {
    let times: Vec<Vec<i64>> = columns.iter().map(|(values, _)| (0..values.len()).map(&time_of).collect()).collect();
    let made: Vec<Numbers<'_>> = columns
        .iter()
        .zip(&times)
        .map(|((values, unit_ns), times)| Numbers { values, times, durations: &[], unit_ns: *unit_ns })
        .collect();
    let mut out = Vec::new();
    put(&mut out, &made, 0);
    let expected: Vec<ColumnShape> =
        columns.iter().map(|(values, unit_ns)| expected_of(values.len(), *unit_ns)).collect();
    let has_times = bases_of(&out, &expected).expect("just written").iter().any(|base| base.has_times);
    let all_times = if has_times { times.concat() } else { Vec::new() };
    let mut cursor = Cursor::new(&out);
    let back = take(&mut cursor, &expected, &all_times).expect("just written");
    assert!(cursor.is_at_end());
    assert_eq!(back, columns.iter().flat_map(|(values, _)| values.clone()).collect::<Vec<_>>());
    for chosen in 0..columns.len() {
        check_alone(&out, &expected, chosen, &all_times, columns);
    }
    out
}

fn expected_of(n_values: usize, unit_ns: Option<i64>) -> ColumnShape {
    ColumnShape { n_values, unit_ns, is_wanted: true }
}

/// Reads one column alone, with no times but its own.
fn check_alone(out: &[u8], all: &[ColumnShape], chosen: usize, times: &[i64], columns: &[(Vec<i64>, Option<i64>)]) {
    let mut expected = all.to_vec();
    expected.iter_mut().enumerate().for_each(|(place, column)| column.is_wanted = place == chosen);
    let bases = bases_of(out, &expected).expect("just written");
    let from: usize = all[..chosen].iter().map(|column| column.n_values).sum();
    let place = from..from + all[chosen].n_values;
    let mut own = vec![0; times.len()];
    if bases[chosen].has_times {
        own[place.clone()].copy_from_slice(&times[place.clone()]);
    }
    let mut cursor = Cursor::new(out);
    let back = take(&mut cursor, &expected, &own).expect("just written");
    assert!(cursor.is_at_end());
    assert_eq!(back[place], columns[chosen].0);
}

fn bytes_of(values: impl Iterator<Item = i64>, unit_ns: Option<i64>) -> usize {
    let second = 1_000_000_000;
    check(&[(values.collect(), unit_ns)], |row| row as i64 * 7 * second + 1_700_000_000 * second).len()
}

#[test]
fn what_follows_a_rule_takes_next_to_nothing() {
    assert!(bytes_of((0..1000).map(|_| 1 << 60), None) < 20);
    assert!(bytes_of((0..1000).map(|row| row * 1_000_003), None) < 20);
    let seconds = (0..1000).map(|row| row * 7 + 1_700_000_000);
    assert!(bytes_of(seconds.clone().map(|s| s + 3600), Some(1_000_000_000)) < 20);
    assert!(bytes_of(seconds.clone(), None) < 20);
    assert!(bytes_of(seconds.map(|s| s * 1000 + 1), None) < 20);
    assert!(bytes_of((0..1000).map(|row| [i64::MIN, i64::MAX, 99][row % 7 % 3]), None) < 1050);
}

#[test]
fn numbers_of_durations_come_back_without_them_in_other_columns() {
    let durations: Vec<i64> = (0..100).map(|row| row * row * 977_431).collect();
    let [wholes, rests]: [Vec<i64>; 2] =
        [7, 8].map(|tag| durations.iter().map(|ns| part_of(tag, *ns) + i64::from(*ns % 31 == 0)).collect());
    let others: Vec<i64> = (0..100).map(|row| row % 7).collect();
    let column = |values| Numbers { values, times: &[], durations: &durations, unit_ns: None };
    let mut out = Vec::new();
    put(&mut out, &[column(&wholes), column(&rests), column(&others)], 300);
    let expected = vec![expected_of(100, None); 3];
    let bases = bases_of(&out, &expected).expect("just written");
    assert_eq!(bases.iter().map(|base| base.durations).collect::<Vec<_>>(), [Some(300), Some(300), None]);
    let all = [&durations[..], &durations, &[0; 100]].concat();
    let back = take(&mut Cursor::new(&out), &expected, &all).expect("just written");
    assert_eq!(back, [&wholes[..], &rests, &others].concat());
    assert!(take(&mut Cursor::new(&out), &expected, &[]).is_err());
}

proptest! {
    #[test]
    fn columns_round_trip(
        columns in proptest::collection::vec(
            (proptest::collection::vec(any::<i64>(), 1..60), 0usize..5, 0usize..3), 1..6),
        times in any::<(i64, i32)>(),
    ) {
        let narrowed = |(values, shape, unit): &(Vec<i64>, usize, usize)| {
            let values = values.iter().enumerate().map(|(row, value)| match shape {
                0 => *value,
                1 => value % 300,
                2 => row as i64 * 1000 + value % 3,
                3 => [7, i64::MAX, i64::MIN][value.rem_euclid(3) as usize],
                _ => times.0 / 1_000_000_000 + row as i64,
            });
            (values.collect(), [None, Some(1_000_000_000), Some(1)][*unit])
        };
        let columns: Vec<_> = columns.iter().map(narrowed).collect();
        check(&columns, |row| times.0.wrapping_add(row as i64 * i64::from(times.1)));
    }

    #[test]
    fn damaged_sections_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        lengths in proptest::collection::vec(1usize..40, 1..4),
    ) {
        let expected: Vec<ColumnShape> =
            lengths.iter().map(|n| expected_of(*n, None)).collect();
        let _ = take(&mut Cursor::new(&bytes), &expected, &vec![5; lengths.iter().sum()]);
        let _ = take(&mut Cursor::new(&bytes), &expected, &[]);
    }
}
