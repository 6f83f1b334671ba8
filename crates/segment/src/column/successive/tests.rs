//! Numbers as differences come back bit by bit, whole and in part; series that hardly change take little.

use proptest::prelude::*;
use types::Value;

use super::super::dictionary::RunDictionary;
use super::super::{decode, encode as encode_column};
use super::{
    BlockColumn, Column, DECIMALS, INTEGERS, RowSet, SUCCESSIVE, VALUES, by_series, restore, series_of, shorten,
    source_of,
};

fn value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        6 => (-100_000i64..100_000).prop_map(|n| Some(Value::Float(n as f64 / 100.0))),
        2 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| Some(Value::Float(f))),
        1 => Just(Some(Value::Float(-0.0))),
        1 => Just(Some(Value::text("stale"))),
        1 => Just(None),
        1 => any::<i64>().prop_map(|n| Some(Value::Integer(n))),
    ]
}

/// Encodes values of series, of which each has several, and reads them back as a query would.
fn check(series: &[u32], values: Vec<Option<Value>>) -> Option<usize> {
    let n = values.len();
    let names: Vec<Value> =
        (0..=series.iter().max().copied().unwrap_or(0)).map(|code| Value::text(format!("{{{code}}}"))).collect();
    let streams = Column::Dictionary { codes: series.to_vec(), values: names.into() };
    let column = Column::of_values(values.clone());
    let (mut of_streams, mut of_values) = (RunDictionary::of_series(), RunDictionary::of_series());
    let present = column.presence();
    let section = encode_column(&column, &present, &mut of_values);
    let mut columns = vec![
        Some(BlockColumn {
            present: RowSet::all(n),
            section: encode_column(&streams, &RowSet::all(n), &mut of_streams),
        }),
        (!section.is_empty()).then(|| BlockColumn { present: present.clone(), section }),
    ];
    shorten(&mut columns, &[&streams, &column], 0);
    let source = columns[0].as_ref().expect("streams");
    let stored = columns[1].as_ref()?;
    if stored.section[0] != SUCCESSIVE {
        return None;
    }
    assert_eq!(source_of(&stored.section), Ok(Some(0)));
    let restored = restore(&stored.section, &present, &source.section, &source.present).expect("just written");
    for wanted in [RowSet::all(n), RowSet::of(n, |row| row % 3 == 1), RowSet::of(n, |row| row % 40 == 1)] {
        let codes = series_of(&source.section, &present, &source.present).expect("just written");
        let direct = super::decode(&stored.section, &codes, &present, &wanted).expect("just written");
        let back = decode(&restored, &present, &wanted, None).expect("just written");
        if let Some(direct) = direct {
            assert_eq!(format!("{direct:?}"), format!("{back:?}"));
        }
        let back: Vec<Option<Value>> = (0..back.n_rows()).map(|row| back.value(row)).collect();
        let expected: Vec<Option<Value>> = wanted.iter().map(|row| values[row].clone()).collect();
        assert_eq!(format!("{back:?}"), format!("{expected:?}"));
    }
    let codes = series_of(&source.section, &RowSet::all(n), &source.present).expect("just written");
    check_by_series(&stored.section, &codes, &values);
    Some(stored.section.len())
}

/// Numbers and texts by place of their series, each with its time.
#[derive(Default)]
struct SampleList(Vec<(usize, i64, String)>);

impl types::TakeSamples for SampleList {
    fn floats(&mut self, place: usize, times: &[i64], values: &[f64]) {
        self.0.extend(times.iter().zip(values).map(|(time, value)| (place, *time, format!("{value:?}"))));
    }

    fn text(&mut self, place: usize, time: i64, text: &str) {
        self.0.push((place, time, text.to_owned()));
    }
}

/// Reads every second series by itself.
fn check_by_series(section: &[u8], series: &[u32], values: &[Option<Value>]) {
    let present = RowSet::of(values.len(), |row| values[row].is_some());
    let times: Vec<i64> = (0..values.len() as i64).map(|row| row * 5 - 100).collect();
    let directory = by_series::directory(section, 0, &present, (series, &times)).expect("just written");
    let chosen: Vec<u32> = (0..1000).filter(|code| code % 2 == 1).collect();
    let mut taken = SampleList::default();
    if !by_series::read(section, 0, &directory, &chosen, &mut taken).expect("just written") {
        assert_eq!(taken.0, []);
        return;
    }
    let expected = (0..values.len()).filter(|row| series[*row] % 2 == 1).map(|row| {
        let text = match values[row].as_ref().expect("no series without a value") {
            Value::String(text) => text.to_string(),
            Value::Integer(number) => format!("{:?}", *number as f64),
            Value::Float(number) => format!("{number:?}"),
            other => panic!("{other:?}"),
        };
        (series[row] as usize / 2, times[row], text)
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    taken.0.sort();
    assert_eq!(taken.0, expected);
}

proptest! {
    #[test]
    fn any_values_come_back(rows in prop::collection::vec((0u32..5, value()), 1..200)) {
        let (series, values): (Vec<u32>, Vec<_>) = rows.into_iter().unzip();
        check(&series, values);
    }

    #[test]
    fn damaged_sections_never_panic(
        mut bytes in prop::collection::vec(0u8..20, 3..80), codes in prop::collection::vec(0u8..4, 1..30), tag in 0usize..3,
    ) {
        bytes[0] = SUCCESSIVE;
        bytes[2] = [INTEGERS, DECIMALS, VALUES][tag];
        let mut source = vec![0, 0, 1];
        source.extend(&codes);
        let rows = RowSet::all(codes.len());
        let _ = restore(&bytes, &rows, &source, &rows);
        if let Ok(codes) = series_of(&source, &rows, &rows) {
            let _ = super::decode(&bytes, &codes, &rows, &RowSet::of(codes.len(), |row| row == 0));
            let times: Vec<i64> = (0..codes.len() as i64).collect();
            if let Ok(directory) = by_series::directory(&bytes, 0, &rows, (&codes, &times)) {
                let _ = by_series::read(&bytes, 0, &directory, &[0, 2, 3, 9], &mut SampleList::default());
            }
        }
    }
}

#[test]
fn series_that_hardly_change_take_little() {
    let n = 16_000;
    let series: Vec<u32> = (0..n).map(|row| row % 400).collect();
    let of = |value: &dyn Fn(u32, u32) -> f64| -> Vec<Option<Value>> {
        (0..n).map(|row| Some(Value::Float(value(row % 400, row / 400)))).collect()
    };
    // Counters of seconds with two digits, each at a rate of its own; and numbers that no scale holds.
    let counters =
        check(&series, of(&|series, step| f64::from(series * 12_345 + step * (series % 7)) / 100.0)).expect("numbers");
    assert!(counters < n as usize * 2, "{counters}");
    let constants = check(&series, of(&|series, _| f64::from(series + 1).sqrt())).expect("numbers");
    assert!(constants < n as usize, "{constants}");
    let with_ends: Vec<Option<Value>> = (0..n)
        .map(|row| Some(if row % 401 == 0 { Value::text("stale") } else { Value::Float(f64::from(row % 400)) }))
        .collect();
    assert!(check(&series, with_ends).expect("numbers") < n as usize);
}

#[test]
fn few_values_of_many_series_stay_as_they_are() {
    let values = (0..300).map(|row| Some(Value::Float(f64::from(row)))).collect();
    assert_eq!(check(&(0..300).collect::<Vec<u32>>(), values), None);
}
