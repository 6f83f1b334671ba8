//! `shapes.txt`: lines as programs write them, and what becomes of each: shape, time, level, fields.
//!
//! The file is what a user reads to know what is recognised. `SHAPES=write cargo test -p parse --test shapes` writes
//! what is found in place of what is expected; read the difference.

use std::fmt::Write as _;

use parse::{ArrivalContext, EventParser, Extras, Zone};
use types::{BatchBuilder, Limits, Timestamp};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shapes.txt");

/// What becomes of a text: its shape, time and level on one line, its fields on the next.
fn shown(text: &str) -> String {
    let limits = Limits::default();
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    let received = ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    let mut parser = EventParser::new(received);
    let mut builder = BatchBuilder::new();
    let event = parser.read_text(text.as_bytes());
    let form = if event.is_object() { Some("json") } else { event.shape().map(parse::Shape::name).or(event.format()) };
    let shape = match (event.runtime(), form) {
        (Some(runtime), Some(form)) => format!("{runtime}+{form}"),
        (Some(runtime), None) => runtime.to_owned(),
        (None, form) => form.filter(|form| *form != "json").unwrap_or("-").to_owned(),
    };
    let is_unwrapped = event.runtime().is_some();
    event.add_to(&Extras::default(), &mut builder);
    let has_time = parser.previous().is_some();
    let batch = builder.finish();
    let message = batch.messages.get(0);
    assert!(is_unwrapped || message == text, "the text stays as it was: {text}");
    let time = if has_time { Timestamp(batch.timestamps.get(0)).to_string() } else { "-".into() };
    let level = types::Level::of_code(batch.levels.get(0)).map_or("-", |level| level.name());
    let mut block = format!("    {shape}  {time}  {level}\n");
    // A field that is the event's time is in no column of its own.
    let mut names: Vec<&str> =
        batch.fields.iter().map(|(name, _)| &**name).chain(["time", "ts", "timestamp", "log"]).collect();
    names.sort_unstable();
    names.dedup();
    let fields: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let value = batch.field(name).value(0)?;
            let mut shown = String::new();
            value.write_json(&mut shown);
            Some(format!("{name}={shown}"))
        })
        .collect();
    if is_unwrapped {
        writeln!(block, "    @message={message:?}").expect("a string takes any text");
    }
    if !fields.is_empty() {
        writeln!(block, "    {}", fields.join(" ")).expect("a string takes any text");
    }
    block
}

#[test]
fn every_line_of_the_table_becomes_what_it_says() {
    let table = std::fs::read_to_string(PATH).expect("the table");
    let (mut found, mut n_lines) = (String::new(), 0);
    for line in table.lines() {
        if line.starts_with("    ") {
            continue;
        }
        found.push_str(line);
        found.push('\n');
        if !line.is_empty() && !line.starts_with("# ") {
            n_lines += 1;
            found.push_str(&shown(&line.replace("\\n", "\n").replace("\\t", "\t").replace("\\e", "\u{1b}")));
        }
    }
    if std::env::var_os("SHAPES").is_some_and(|mode| mode == "write") {
        std::fs::write(PATH, &found).expect("the table is written");
        return;
    }
    assert!(n_lines >= 80, "{n_lines} lines");
    for (at, (found, expected)) in found.lines().zip(table.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of shapes.txt", at + 1);
    }
    assert_eq!(found.lines().count(), table.lines().count());
}
