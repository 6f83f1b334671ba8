//! The same events in lines, tables and Parquet.

mod drawn;
mod written;

use std::path::Path;
use std::sync::Arc;

use execute::{Feed, FeedRequest};
use parse::{ArrivalContext, Projection, Zone};
use types::{Limits, RowSet, ScanError, TimeRange, Timestamp, Value};

use crate::{FileFeed, inputs};

/// An event: its time, and what was asked for.
type Asked = (Timestamp, Vec<Option<Value>>);

/// Reads what is named of all events of the files, in order of time; and what is wrong with them.
fn read(paths: &[&Path], names: &[&str], range: TimeRange) -> (Vec<Asked>, Vec<ScanError>) {
    read_as(paths, names, range, None)
}

fn read_as(
    paths: &[&Path],
    names: &[&str],
    range: TimeRange,
    untimed: Option<TimeRange>,
) -> (Vec<Asked>, Vec<ScanError>) {
    let limits = Limits::default();
    let at = Timestamp::parse_iso8601("2026-12-24T00:00:00Z").expect("a time");
    let received = ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
    let found = (0..).zip(inputs(&paths).expect("the files are there").into_iter().map(Arc::new)).collect();
    let wanted = Projection::of(names.iter().map(|name| Arc::from(*name)));
    let feed = FileFeed::new(found, received, range, FeedRequest { screen: None, wanted, untimed }, Arc::default());
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    loop {
        let run = match feed.next() {
            Ok(None) => break,
            Ok(Some(run)) => run,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for block in 0..run.n_blocks() {
            let rows = RowSet::all(run.block_rows(block));
            let of_block: Vec<&str> = ["@timestamp"].into_iter().chain(names.iter().copied()).collect();
            let columns = run.read(block, &of_block, &rows).expect("a run in memory");
            for row in 0..rows.n_rows() {
                let Some(Value::Timestamp(time)) = columns[0].value(row) else { panic!("an event has a time") };
                events.push((time, columns[1..].iter().map(|column| column.value(row)).collect()));
            }
        }
    }
    events.retain(|(time, _)| range.contains(*time));
    events.sort_by_key(|event| (event.0, format!("{event:?}")));
    (events, problems)
}

#[test]
fn addresses_name_whole_parts_of_keys_and_patterns() {
    let named = |address: &str, key: &str| crate::names_object(Path::new(address), "logs", key);
    for (address, yes, no) in [
        ("s3://logs", "a/b.gz", ""),
        ("s3://logs/app", "app/b.gz", "app2/b.gz"),
        ("s3://logs/app/", "app/c/b.gz", "other/app/b.gz"),
        ("s3://logs/app/b.gz", "app/b.gz", "app/b.gz2"),
        ("s3://logs/app/**/*.gz", "app/c/d/b.gz", "app/c/b.json"),
        ("s3://logs/*/b.gz", "app/b.gz", "app/c/b.gz"),
    ] {
        assert!(named(address, yes), "{address} {yes}");
        assert!(no.is_empty() || !named(address, no), "{address} {no}");
    }
    assert!(!named("s3://other/app", "app/b.gz"));
}
