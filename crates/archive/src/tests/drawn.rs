//! Drawn events, written in all formats.

use std::fmt::Write;
use std::path::Path;

use parquet::basic::{Compression, ZstdLevel};
use proptest::prelude::*;
use types::{TimeRange, Timestamp, Value, write_json_string};

use super::written::{Cells, WrittenColumn, nanos, write};
use super::{Asked, read, read_as};

#[derive(Clone, Debug)]
struct Drawn {
    /// Milliseconds behind the first one.
    time: i64,
    level: Option<&'static str>,
    message: Option<String>,
    n: Option<i64>,
    d: Option<f64>,
    ok: Option<bool>,
}

const NAMES: [&str; 5] = ["level", "n", "d", "ok", "timestamp"];

fn drawn() -> impl Strategy<Value = Drawn> {
    let text = prop_oneof!["[a-z ,\"\\\\\n{}]{0,12}", Just("ERROR failed".to_owned()), Just("it's fine".to_owned())];
    let level = prop_oneof![Just(None), Just(Some("error")), Just(Some("info")), Just(Some("none of them"))];
    let decimal = (-9_999i64..9_999, 1u32..4).prop_map(|(number, scale)| number as f64 / 10f64.powi(scale as i32));
    let numbers = (prop::option::of(-1_000i64..1_000), prop::option::of(decimal), prop::option::of(any::<bool>()));
    (0i64..400_000_000, level, prop::option::weighted(0.9, text), numbers).prop_map(
        |(time, level, message, (n, d, ok))| {
            // A whole decimal is a whole number in lines.
            let d = d.filter(|number| number.fract() != 0.0);
            Drawn { time, level, message: message.filter(|text| !text.trim().is_empty()), n, d, ok }
        },
    )
}

fn time_of(event: &Drawn) -> Timestamp {
    Timestamp(nanos("2026-11-30T06:00:00Z") + event.time * Timestamp::MILLISECOND)
}

fn json(text: &str) -> String {
    let mut json = String::new();
    write_json_string(text, &mut json);
    json
}

fn lines(events: &[Drawn]) -> String {
    let mut text = String::new();
    for event in events {
        let mut time = String::new();
        time_of(event).write_rfc3339(3, &mut time);
        let _ = write!(text, "{{\"timestamp\":\"{time}\"");
        let mut member = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = write!(text, ",\"{name}\":{value}");
            }
        };
        member("level", event.level.map(json));
        member("message", event.message.as_deref().map(json));
        member("n", event.n.map(|number| number.to_string()));
        member("d", event.d.map(|number| number.to_string()));
        member("ok", event.ok.map(|truth| truth.to_string()));
        text.push_str("}\n");
    }
    text
}

fn table(events: &[Drawn]) -> String {
    let mut text = String::from("timestamp,level,message,n,d,ok\n");
    for event in events {
        let mut time = String::new();
        time_of(event).write_rfc3339(3, &mut time);
        let message = event.message.as_ref().map_or(String::new(), |text| format!("\"{}\"", text.replace('"', "\"\"")));
        let number = |number: Option<String>| number.unwrap_or_default();
        let (n, d) = (number(event.n.map(|n| n.to_string())), number(event.d.map(|d| d.to_string())));
        let ok = number(event.ok.map(|ok| ok.to_string()));
        let _ = writeln!(text, "{time},{},{message},{n},{d},{ok}", event.level.unwrap_or_default());
    }
    text
}

fn parquet(path: &Path, events: &[Drawn], compression: Compression) {
    let schema = "message schema { required int64 timestamp (TIMESTAMP(MILLIS, true)); optional binary level (STRING);
        optional binary message (STRING); optional int64 n; optional double d; optional boolean ok; }";
    let groups: Vec<Vec<WrittenColumn>> = events.chunks(7).map(columns).collect();
    write(path, schema, compression, &groups);
}

fn columns(events: &[Drawn]) -> Vec<WrittenColumn> {
    fn present<T>(events: &[Drawn], value: impl Fn(&Drawn) -> Option<T>) -> (Vec<T>, Vec<i16>) {
        (events.iter().filter_map(&value).collect(), events.iter().map(|event| value(event).is_some().into()).collect())
    }
    let times = events.iter().map(|event| time_of(event).0 / Timestamp::MILLISECOND).collect();
    let (levels, has_level) = present(events, |event| event.level.map(str::to_owned));
    let (messages, has_message) = present(events, |event| event.message.clone());
    let (n, has_n) = present(events, |event| event.n);
    let (d, has_d) = present(events, |event| event.d);
    let (ok, has_ok) = present(events, |event| event.ok);
    vec![
        WrittenColumn(Cells::Longs(times), vec![], vec![]),
        WrittenColumn(Cells::Texts(levels), has_level, vec![]),
        WrittenColumn(Cells::Texts(messages), has_message, vec![]),
        WrittenColumn(Cells::Longs(n), has_n, vec![]),
        WrittenColumn(Cells::Doubles(d), has_d, vec![]),
        WrittenColumn(Cells::Booleans(ok), has_ok, vec![]),
    ]
}

fn packed(path: &Path, text: &str) {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("memory takes it");
    let bytes = match path.extension().is_some_and(|extension| extension == "gz") {
        true => gzip.finish().expect("memory takes it"),
        false => zstd::encode_all(text.as_bytes(), 1).expect("memory takes it"),
    };
    std::fs::write(path, bytes).expect("scratch is writable");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Lines, tables and Parquet give the same events, whatever is asked for and however they are packed.
    #[test]
    fn all_formats_say_the_same(
        events in prop::collection::vec(drawn(), 1..40),
        asked in prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()),
        has_level in any::<bool>(),
        (from, length) in (0i64..400_000_000, 1i64..400_000_000),
    ) {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = |name: &str| scratch.path().join(name);
        let names: Vec<&str> = asked.into_iter().chain(has_level.then_some("@level")).collect();
        std::fs::write(path("a.ndjson"), lines(&events)).expect("scratch is writable");
        packed(&path("b.ndjson.gz"), &lines(&events));
        packed(&path("c.csv.gz"), &table(&events));
        packed(&path("d.csv.zst"), &table(&events));
        let list = lines(&events).trim_end().replace('\n', ",\n ");
        std::fs::write(path("e.json"), format!("[{list}]")).expect("scratch is writable");
        let compressions = [Compression::SNAPPY, Compression::GZIP(Default::default()), Compression::ZSTD(ZstdLevel::default()), Compression::LZ4_RAW];
        for (compression, name) in compressions.into_iter().zip(["f", "g", "h", "i"]) {
            parquet(&path(&format!("{name}.parquet")), &events, compression);
        }
        let begin = nanos("2026-11-30T06:00:00Z");
        let at = |ms: i64| Timestamp(begin + ms * Timestamp::MILLISECOND);
        for range in [TimeRange::ALL, TimeRange { from: at(from), to: at(from + length) }] {
            let (expected, problems) = read(&[&path("a.ndjson")], &names, range);
            prop_assert_eq!(problems, vec![]);
            let n_expected = events.iter().filter(|event| range.contains(time_of(event))).count();
            prop_assert_eq!(expected.len(), n_expected);
            for name in ["b.ndjson.gz", "c.csv.gz", "d.csv.zst", "e.json", "f.parquet", "g.parquet", "h.parquet", "i.parquet"] {
                let (events, problems) = read(&[&path(name)], &names, range);
                prop_assert_eq!(problems, vec![], "{}", name);
                prop_assert_eq!(&events, &expected, "{} {:?}", name, names);
            }
            // Without their times, as long as these are not what is asked for.
            let values = |mut events: Vec<Asked>| {
                events.sort_by_key(|(_, values)| format!("{values:?}"));
                events.into_iter().map(|(_, values)| values).collect::<Vec<_>>()
            };
            // What is given may be of a longer time than what is asked about.
            for given in [range, TimeRange::ALL] {
                let (mut found, problems) = read_as(&[&path("f.parquet")], &names, given, Some(range));
                found.retain(|(time, _)| range.contains(*time));
                prop_assert_eq!(problems, vec![]);
                prop_assert_eq!(values(found), values(expected.clone()));
            }
            // The message of a record is its text; what has none is shown as a whole, of tables and of Parquet alike.
            let with_message: Vec<&str> = names.iter().copied().chain(["@message"]).collect();
            let (of_table, _) = read(&[&path("c.csv.gz")], &with_message, range);
            let (of_columns, _) = read(&[&path("f.parquet")], &with_message, range);
            prop_assert_eq!(&of_table, &of_columns);
            let texts = events.iter().filter(|event| range.contains(time_of(event))).filter_map(|event| event.message.clone());
            let shown: Vec<Option<Value>> = of_columns.into_iter().filter_map(|(_, mut values)| values.pop()).collect();
            for text in texts {
                prop_assert!(shown.contains(&Some(Value::text(&*text))), "{}", text);
            }
        }
    }
}
