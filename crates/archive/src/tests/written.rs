//! Files of Parquet with columns of all kinds, and broken ones.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use types::{TimeRange, Timestamp, Value, hexadecimal};

use super::read;

/// Values of a column with what stands where there are none, lists included.
pub(super) enum Cells {
    Booleans(Vec<bool>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Int96s(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Texts(Vec<String>),
    Binary(Vec<Vec<u8>>),
    Fixed(Vec<Vec<u8>>),
}

/// A column: its values, how deep each row is defined, and where rows begin, where that is not the same for all.
pub(super) struct WrittenColumn(pub(super) Cells, pub(super) Vec<i16>, pub(super) Vec<i16>);

/// Writes row groups of columns.
pub(super) fn write(path: &Path, schema: &str, compression: Compression, groups: &[Vec<WrittenColumn>]) {
    write_as(path, schema, WriterProperties::builder().set_compression(compression).build(), groups);
}

fn write_as(path: &Path, schema: &str, properties: WriterProperties, groups: &[Vec<WrittenColumn>]) {
    let (schema, properties) = (Arc::new(parse_message_type(schema).expect("a schema")), Arc::new(properties));
    let file = File::create(path).expect("scratch is writable");
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    for columns in groups {
        let mut group = writer.next_row_group().expect("a row group");
        for WrittenColumn(cells, definitions, repetitions) in columns {
            let mut column = group.next_column().expect("it can be written").expect("a column");
            let definitions = (!definitions.is_empty()).then_some(&definitions[..]);
            let repetitions = (!repetitions.is_empty()).then_some(&repetitions[..]);
            macro_rules! put {
                ($writer:expr, $values:expr) => {
                    $writer.write_batch(&$values.collect::<Vec<_>>(), definitions, repetitions).map(drop)
                };
            }
            let put = match (column.untyped(), cells) {
                (ColumnWriter::BoolColumnWriter(to), Cells::Booleans(values)) => put!(to, values.iter().copied()),
                (ColumnWriter::Int32ColumnWriter(to), Cells::Ints(values)) => put!(to, values.iter().copied()),
                (ColumnWriter::Int64ColumnWriter(to), Cells::Longs(values)) => put!(to, values.iter().copied()),
                (ColumnWriter::Int96ColumnWriter(to), Cells::Int96s(values)) => {
                    put!(to, values.iter().map(|nanos| int96(*nanos)))
                }
                (ColumnWriter::FloatColumnWriter(to), Cells::Floats(values)) => put!(to, values.iter().copied()),
                (ColumnWriter::DoubleColumnWriter(to), Cells::Doubles(values)) => put!(to, values.iter().copied()),
                (ColumnWriter::ByteArrayColumnWriter(to), Cells::Texts(values)) => {
                    put!(to, values.iter().map(|text| ByteArray::from(text.as_str())))
                }
                (ColumnWriter::ByteArrayColumnWriter(to), Cells::Binary(values)) => {
                    put!(to, values.iter().map(|bytes| ByteArray::from(bytes.clone())))
                }
                (ColumnWriter::FixedLenByteArrayColumnWriter(to), Cells::Fixed(values)) => {
                    put!(to, values.iter().map(|bytes| FixedLenByteArray::from(bytes.clone())))
                }
                _ => panic!("the schema has another type"),
            };
            put.expect("it can be written");
            column.close().expect("it can be written");
        }
        group.close().expect("it can be written");
    }
    writer.close().expect("it can be written");
}

fn int96(nanos: i64) -> Int96 {
    let (days, of_day) = (nanos.div_euclid(Timestamp::DAY) + 2_440_588, nanos.rem_euclid(Timestamp::DAY));
    Int96::from(vec![of_day as u32, (of_day >> 32) as u32, days as u32])
}

pub(super) fn nanos(text: &str) -> i64 {
    Timestamp::parse_iso8601(text).expect("a time").0
}

fn texts(texts: &[&str]) -> Cells {
    Cells::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn of_all(path: &Path, names: &[&str]) -> Vec<Vec<Option<Value>>> {
    let (events, problems) = read(&[path], names, TimeRange::ALL);
    assert_eq!(problems, []);
    events.into_iter().map(|(_, values)| values).collect()
}

const KINDS: &str = "message schema {
    required int64 when (TIMESTAMP(NANOS, true));
    optional int32 day (DATE);
    optional int64 paid (DECIMAL(12, 2));
    optional fixed_len_byte_array(16) id (UUID);
    optional int32 small (UINT_32);
    optional boolean ok;
    optional float f;
    optional double d;
    optional group user { optional binary name (STRING); optional int64 age; }
    optional group tags (LIST) { repeated group list { optional binary element (STRING); } }
}";

fn kinds(path: &Path) {
    let time = nanos("2026-11-30T06:00:00.000000001Z");
    let columns = vec![
        WrittenColumn(Cells::Longs(vec![time, time + 1]), vec![], vec![]),
        WrittenColumn(Cells::Ints(vec![20_787]), vec![1, 0], vec![]),
        WrittenColumn(Cells::Longs(vec![-1234]), vec![1, 0], vec![]),
        WrittenColumn(Cells::Fixed(vec![(0..16).collect()]), vec![1, 0], vec![]),
        WrittenColumn(Cells::Ints(vec![-1]), vec![1, 0], vec![]),
        WrittenColumn(Cells::Booleans(vec![true]), vec![1, 0], vec![]),
        WrittenColumn(Cells::Floats(vec![0.1, f32::NAN]), vec![1, 1], vec![]),
        WrittenColumn(Cells::Doubles(vec![2.5]), vec![1, 0], vec![]),
        WrittenColumn(texts(&["ann"]), vec![2, 1], vec![]),
        WrittenColumn(Cells::Longs(vec![40]), vec![2, 0], vec![]),
        WrittenColumn(texts(&["a", "b"]), vec![3, 3, 0], vec![0, 1, 0]),
    ];
    write(path, KINDS, Compression::SNAPPY, &[columns]);
}

#[test]
fn rows_are_lines_with_the_same_fields() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let [path, as_lines] = ["a.parquet", "a.ndjson"].map(|name| scratch.path().join(name));
    kinds(&path);
    let input = Arc::new(crate::inputs(std::slice::from_ref(&path)).expect("it is there").remove(0));
    let mut lines = String::new();
    let source = crate::open_lines(&input, Arc::default()).expect("it can be read");
    source.expect("it was named").read_to_string(&mut lines).expect("lines of JSON");
    std::fs::write(&as_lines, &lines).expect("scratch is writable");
    let names = ["when", "day", "paid", "id", "small", "ok", "f", "d", "user.name", "user.age", "tags.list.0.element"];
    assert_eq!(of_all(&as_lines, &names), of_all(&path, &names), "{lines}");
}

#[test]
fn columns_of_all_kinds_are_fields() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let path = scratch.path().join("a.parquet");
    kinds(&path);
    let names = ["when", "day", "paid", "id", "small", "ok", "f", "d", "user.name", "user.age"];
    let expected = vec![
        Some(Value::text("2026-11-30T06:00:00.000000001Z")),
        Some(Value::text("2026-11-30")),
        Some(Value::Float(-12.34)),
        Some(Value::text("00010203-0405-0607-0809-0a0b0c0d0e0f")),
        Some(Value::Integer(u32::MAX.into())),
        Some(Value::Boolean(true)),
        Some(Value::Float(0.1)),
        Some(Value::Float(2.5)),
        Some(Value::text("ann")),
        Some(Value::Integer(40)),
    ];
    let mut without = vec![None; names.len()];
    without[0] = Some(Value::text("2026-11-30T06:00:00.000000002Z"));
    assert_eq!(of_all(&path, &names), [expected.clone(), without.clone()]);
    // With a list the same rows are read as lines.
    let with_list: Vec<&str> = names.into_iter().chain(["tags"]).collect();
    let tags = Value::List(Arc::new(vec![Some(Value::text("a")), Some(Value::text("b"))]));
    let with = |mut values: Vec<Option<Value>>, tags| {
        values.push(tags);
        values
    };
    assert_eq!(of_all(&path, &with_list), [with(expected, Some(tags)), with(without, None)]);
    // Without a text of its own the whole row is the message.
    let message = of_all(&path, &["@message"]).remove(0).remove(0);
    let Some(Value::String(message)) = message else { panic!("an event has a message") };
    assert!(message.contains("\"user.name\":\"ann\"") && message.contains("\"tags\":[\"a\",\"b\"]"), "{message}");
}

#[test]
fn times_of_all_units_and_of_int96_are_read() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let time = nanos("2026-11-30T06:00:00.123Z");
    let kinds = [
        ("required int64 ts (TIMESTAMP(MILLIS, true));", Cells::Longs(vec![time / 1_000_000])),
        ("required int64 created (TIMESTAMP(MICROS, false));", Cells::Longs(vec![time / 1_000])),
        ("required int64 eventTime (TIMESTAMP_MILLIS);", Cells::Longs(vec![time / 1_000_000])),
        ("required int96 anything;", Cells::Int96s(vec![time])),
        ("required int64 time;", Cells::Longs(vec![time / 1_000_000])),
        ("required binary timestamp (STRING);", texts(&["2026-11-30 06:00:00.123Z"])),
    ];
    for (place, (column, cells)) in kinds.into_iter().enumerate() {
        let path = scratch.path().join(format!("{place}.parquet"));
        write(
            &path,
            &format!("message schema {{ {column} }}"),
            Compression::UNCOMPRESSED,
            &[vec![WrittenColumn(cells, vec![], vec![])]],
        );
        let (events, problems) = read(&[&path], &["@level"], TimeRange::ALL);
        assert_eq!((events, problems), (vec![(Timestamp(time), vec![None])], vec![]), "{column}");
    }
}

#[test]
fn a_column_that_is_called_the_time_is_it_whatever_its_type() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let path = scratch.path().join("a.parquet");
    let schema = "message schema { required int64 created (TIMESTAMP(MILLIS, true)); required binary time (STRING);
        required int32 date (DATE); }";
    let columns = vec![
        WrittenColumn(Cells::Longs(vec![0]), vec![], vec![]),
        WrittenColumn(texts(&["2026-11-30T06:00:00Z"]), vec![], vec![]),
        WrittenColumn(Cells::Ints(vec![0]), vec![], vec![]),
    ];
    write(&path, schema, Compression::UNCOMPRESSED, &[columns]);
    let (events, problems) = read(&[&path], &["date"], TimeRange::ALL);
    let expected = (Timestamp(nanos("2026-11-30T06:00:00Z")), vec![Some(Value::text("1970-01-01"))]);
    assert_eq!((events, problems), (vec![expected], vec![]));
}

/// Three row groups of two rows each, an hour apart.
fn hours(path: &Path) {
    let schema = "message schema {
        optional int64 timestamp (TIMESTAMP(MICROS, true)); required binary message (STRING); required int32 n; }";
    let group = |hour: i64| {
        let time = (nanos("2026-11-30T06:00:00Z") + hour * Timestamp::HOUR) / 1_000;
        let message = format!("message {hour} {}", "x".repeat(1_000));
        vec![
            WrittenColumn(Cells::Longs(vec![time, time + 1]), vec![1, 1], vec![]),
            WrittenColumn(texts(&[&message, &message]), vec![], vec![]),
            WrittenColumn(Cells::Ints(vec![hour as i32, hour as i32]), vec![], vec![]),
        ]
    };
    write(path, schema, Compression::UNCOMPRESSED, &[group(0), group(1), group(2)]);
}

fn damaged(scratch: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let path = scratch.join("damaged.parquet");
    hours(&path);
    let mut bytes = std::fs::read(&path).expect("it was written");
    damage(&mut bytes);
    std::fs::write(&path, bytes).expect("scratch is writable");
    path
}

#[test]
fn a_broken_row_group_is_named_and_the_others_go_through_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let path = damaged(scratch.path(), |bytes| {
        let at = bytes.windows(9).position(|window| window == b"message 1").expect("it is not packed");
        bytes[at - 20..at].fill(0xa5);
    });
    let whole = scratch.path().join("whole.parquet");
    hours(&whole);
    let (events, problems) = read(&[&path, &whole], &["n", "@message"], TimeRange::ALL);
    let numbers: Vec<_> = events.iter().map(|(_, values)| values[0].clone()).collect();
    let expected = [0, 0, 0, 0, 1, 1, 2, 2, 2, 2].map(|n| Some(Value::Integer(n)));
    assert_eq!(numbers, expected, "{problems:?}");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].file.ends_with("damaged.parquet") && problems[0].problem.starts_with("row group 2 of 3"),
        "{problems:?}"
    );
}

#[test]
fn a_file_that_ends_early_or_is_none_is_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(4),
        |bytes| {
            let n_bytes = bytes.len();
            bytes[n_bytes - 60..n_bytes - 8].fill(0xff);
        },
    ];
    for damage in damages {
        let (events, problems) = read(&[&damaged(scratch.path(), damage)], &["n"], TimeRange::ALL);
        assert_eq!((events.len(), problems.len()), (0, 1), "{problems:?}");
    }
}

#[test]
fn any_byte_of_a_file_may_be_wrong() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let path = scratch.path().join("a.parquet");
    kinds(&path);
    let n_bytes = std::fs::read(&path).expect("it was written").len();
    for at in 4..n_bytes {
        let mut bytes = std::fs::read(&path).expect("it was written");
        bytes[at] ^= 0xff;
        let other = scratch.path().join("other.parquet");
        std::fs::write(&other, bytes).expect("scratch is writable");
        let (events, _) = read(&[&other], &["user.name", "tags", "d"], TimeRange::ALL);
        assert!(events.len() <= 2, "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Texts are the same whether their codes come in runs or packed, in pages of both versions, with and without rows that
    /// have none, without a dictionary, as bytes that are no text, and where one becomes too large in the middle of a row group.
    #[test]
    fn texts_are_read_alike_however_their_pages_are_written(
        runs in prop::collection::vec((prop::option::weighted(0.8, 0u16..300), 1usize..40), 1..60),
        is_optional in any::<bool>(),
        is_second in any::<bool>(),
        page_rows in 1usize..400,
        dictionary_bytes in prop_oneof![Just(None), Just(Some(1usize << 20)), (1usize..800).prop_map(Some)],
        slice in 1usize..500,
        has_halves in any::<bool>(),
    ) {
        // Halves of a character are one where they stand beside each other, and none by themselves.
        let bytes_of = |n: u16| match n % 20 {
            0 if has_halves => vec![0xc3],
            1 if has_halves => vec![0xa9],
            _ => format!("text {}", u32::from(n) * 7919).into_bytes(),
        };
        let texts: Vec<Option<Vec<u8>>> = runs.into_iter()
            .map(|(text, n)| (text.or((!is_optional).then_some(0)).map(bytes_of), n))
            .flat_map(|(text, n)| std::iter::repeat_n(text, n))
            .collect();
        let properties = WriterProperties::builder()
            .set_writer_version(if is_second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 })
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(page_rows.min(64))
            .set_dictionary_enabled(dictionary_bytes.is_some())
            .set_dictionary_page_size_limit(dictionary_bytes.unwrap_or(1))
            .build();
        let begin = nanos("2026-11-30T06:00:00Z");
        let of_group = |texts: &[Option<Vec<u8>>], first: usize| vec![
            WrittenColumn(Cells::Longs((first..first + texts.len()).map(|row| begin + row as i64).collect()), vec![], vec![]),
            WrittenColumn(
                Cells::Binary(texts.iter().flatten().cloned().collect()),
                if is_optional { texts.iter().map(|text| text.is_some().into()).collect() } else { vec![] },
                vec![],
            ),
        ];
        let groups: Vec<_> = texts.chunks(slice).zip((0..).step_by(slice)).map(|(texts, first)| of_group(texts, first)).collect();
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = scratch.path().join("a.parquet");
        let kind = if is_optional { "optional" } else { "required" };
        let schema = format!("message schema {{ required int64 timestamp (TIMESTAMP(NANOS, true)); {kind} binary name (STRING); }}");
        write_as(&path, &schema, properties, &groups);
        let shown = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|error| hexadecimal(error.as_bytes()));
        let expected: Vec<_> = texts.into_iter().map(|text| vec![text.map(shown).map(Value::text)]).collect();
        prop_assert_eq!(of_all(&path, &["name"]), expected);
    }
}
