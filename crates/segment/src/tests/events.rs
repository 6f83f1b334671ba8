//! Random events, and everything that a run says of its events.
//!
//! The tests of `storage` include this file too.

use std::sync::Arc;

use proptest::prelude::*;
use types::{Batch, BatchBuilder, GroupName, Level, RowSet, Run, ScanError, TimeForm, Timestamp, Value};

pub(crate) fn group() -> GroupName {
    GroupName::new("app/web").expect("a valid name")
}

/// Returns everything a run says, row by row, in order of time.
pub(crate) fn dump(run: &dyn Run) -> Result<Vec<String>, ScanError> {
    let mut names: Vec<String> = ["@timestamp", "@ingestionTime", "@message", "@level", "@log", "@logStream", "@id"]
        .iter()
        .map(|name| name.to_string())
        .collect();
    names.extend(run.fields()?.into_iter().map(|field| field.name.to_string()));
    names.push("absent".into());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for block in 0..run.n_blocks() {
        let columns = run.read(block, &names, &RowSet::all(run.block_rows(block)))?;
        for row in 0..run.block_rows(block) {
            let cells = columns.iter().zip(&names).map(|(column, name)| format!("{name}={:?}", column.value(row)));
            rows.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    Ok(rows)
}

fn field_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(Value::text),
        "u[1-9][0-9]{0,3}".prop_map(Value::text),
        any::<i64>().prop_map(Value::Integer),
        (-50i64..50).prop_map(|n| Value::Float(n as f64 / 4.0)),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::List(Arc::new(vec![Some(Value::Integer(1)), None]))),
    ]
}

#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) time: i64,
    pub(crate) message: String,
    pub(crate) level: u8,
    pub(crate) stream: &'static str,
    pub(crate) keys: u8,
    pub(crate) fields: Vec<(&'static str, Value)>,
}

pub(crate) fn event() -> impl Strategy<Value = Made> {
    let name = prop_oneof![Just("a"), Just("b.c"), Just("msg"), Just("zone")];
    let message = prop_oneof![
        "(get|put) /[a-z]{1,4}/[0-9]{1,4} took [0-9]{1,3}ms from 10\\.0\\.[0-9]\\.[1-9]",
        "\\PC{0,30}",
        "[a-f0-9\u{11}\u{14} ]{0,20}",
    ];
    (
        (-3_000_000_000i64..3_000_000_000),
        message,
        0u8..7,
        prop_oneof![Just(""), Just("host:1")],
        0u8..4,
        proptest::collection::vec((name, field_value()), 0..5),
    )
        .prop_map(|(time, message, level, stream, keys, fields)| Made {
            time,
            message,
            level,
            stream,
            keys,
            fields,
        })
}

pub(crate) fn batch(events: &[Made], first_sequence: u64) -> Arc<Batch> {
    let mut builder = BatchBuilder::new();
    for event in events {
        event.fields.iter().for_each(|(name, value)| builder.field_value(name, value.clone()));
        builder.set_timestamp(Timestamp(event.time));
        builder.set_message(&event.message);
        builder.set_level(Level::of_code(event.level));
        builder.set_stream(event.stream);
        if event.keys & 1 == 1 {
            builder.set_text_key("msg");
        }
        if event.keys & 2 == 2 {
            builder.set_time_key("ts", TimeForm::Epoch { unit_ns: 1 });
        }
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (0..batch.len() as u64).map(|row| first_sequence + row).collect();
    batch.ingestion_times = vec![5_000_000_000; batch.len()].into();
    Arc::new(batch)
}
