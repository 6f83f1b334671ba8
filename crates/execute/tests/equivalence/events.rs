//! Random events, and what the language reference says their fields are: written down by the one who makes them, so
//! that nothing that reads events is trusted.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Timestamp, Value};

use crate::random::Random;

/// When events arrive and queries are asked: 2026-11-20T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_176_000 * Timestamp::SECOND;

/// An event as it is sent and as it is understood.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The line of JSON.
    pub(crate) line: String,
    pub(crate) time: i64,
    pub(crate) message: String,
    pub(crate) level: Option<&'static str>,
    /// Which of the events sent it is.
    pub(crate) sequence: usize,
    /// Fields by path; lists whole.
    pub(crate) fields: BTreeMap<String, Value>,
}

const WORDS: [&str; 12] = [
    "connection", "refused", "user", "Über", "took", "disk", "naïve", "日本", "10.1.2.3", "/var/log/x", "a_b", "u4711",
];

const LEVELS: [(&str, &str); 9] = [
    ("error", "error"),
    ("ERR", "error"),
    ("Warning", "warn"),
    ("warn", "warn"),
    ("info", "info"),
    ("NOTICE", "info"),
    ("debug", "debug"),
    ("panic", "fatal"),
    ("trace", "trace"),
];

pub(crate) const TEXTS: [&str; 10] = ["h0", "h1", "h2", "H1", "", "Müller", "200", "2e2", "日本語 text", "true"];

/// What one member of the line is, as JSON and as a value.
fn scalar(random: &mut Random) -> (String, Value) {
    let text = |text: &str| (serde_json::to_string(text).expect("text is JSON"), Value::text(text));
    match random.below(12) {
        0..4 => {
            let n = random.below(24) as i64 - 4;
            (n.to_string(), Value::Integer(n))
        }
        4 | 5 => {
            let n = (random.below(40) as f64 - 4.0) / 2.0;
            (format!("{n:?}"), Value::Float(n))
        }
        6 => text(random.of(&["007", "-1.5", "5e0", "12", "1e3", " 1", "0x10", "3."])),
        7..10 => text(random.of(&TEXTS)),
        10 => {
            let truth = random.once_in(2);
            (truth.to_string(), Value::Boolean(truth))
        }
        _ => big(random),
    }
}

/// Numbers at and beyond the ends of 64 bits; those beyond are kept as text.
fn big(random: &mut Random) -> (String, Value) {
    let digits = random.of(&[
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775806",
        "9007199254740993",
        "9223372036854775808",
        "123456789012345678901234567890",
        "-9223372036854775809",
    ]);
    match digits.parse() {
        Ok(number) => (digits.to_owned(), Value::Integer(number)),
        Err(_) => (digits.to_owned(), Value::text(digits)),
    }
}

fn list(random: &mut Random) -> (String, Value) {
    let (mut json, mut items) = (Vec::new(), Vec::new());
    for _ in 0..random.below(4) {
        if random.once_in(6) {
            json.push("null".to_owned());
            items.push(None);
        } else if random.once_in(6) {
            let (id, name) = (random.below(5) as i64, random.of(&TEXTS));
            json.push(format!("{{\"id\":{id},\"name\":{}}}", serde_json::to_string(name).expect("text is JSON")));
            let members = vec![("id".into(), Some(Value::Integer(id))), ("name".into(), Some(Value::text(name)))];
            items.push(Some(Value::Object(Arc::new(members))));
        } else {
            let (shown, value) = scalar(random);
            json.push(shown);
            items.push(Some(value));
        }
    }
    (format!("[{}]", json.join(",")), Value::List(Arc::new(items)))
}

fn message(random: &mut Random) -> String {
    let mut message = match random.below(3) {
        0 => format!("user u{} took {}ms for step {}", random.below(9), random.below(2000), random.below(40)),
        1 => format!("[{}] worker-{}: {} refused", random.of(&TEXTS), random.below(7), random.of(&WORDS)),
        _ => (0..1 + random.below(6)).map(|_| random.of(&WORDS)).collect::<Vec<_>>().join(" "),
    };
    if random.once_in(12) {
        message += &format!("\nat line {}\t\"quoted\" \\ end", random.below(100));
    }
    message
}

/// The members of a line that are fields.
struct Members {
    json: Vec<String>,
    fields: BTreeMap<String, Value>,
}

impl Members {
    fn add(&mut self, name: &str, (json, value): (String, Value)) {
        self.json.push(format!("\"{name}\":{json}"));
        self.fields.insert(name.to_owned(), value);
    }

    /// The usual fields, each there or not, of its usual type or another.
    fn add_some(&mut self, random: &mut Random) {
        let text = |text: &str| (serde_json::to_string(text).expect("text is JSON"), Value::text(text));
        if !random.once_in(4) {
            let n = random.below(30) as i64 - 5;
            self.add("n", (n.to_string(), Value::Integer(n)));
        }
        if !random.once_in(5) {
            self.add("host", text(random.of(&["h0", "h1", "h2", "h3", "H1"])));
        }
        if random.once_in(2) {
            let millis = random.below(8000) as f64 / 8.0 + 0.0625;
            self.add("dur", (millis.to_string(), Value::Float(millis)));
        }
        if random.once_in(2) {
            let status = random.of(&[200i64, 204, 404, 500, 503]);
            let as_text = random.once_in(5);
            self.add(
                "code",
                if as_text { text(&status.to_string()) } else { (status.to_string(), Value::Integer(status)) },
            );
        }
        if random.once_in(2) {
            self.add("mixed", scalar(random));
        }
        if random.once_in(6) {
            self.add("big", big(random));
        }
        if random.once_in(3) {
            self.add("tags", list(random));
        }
        if random.once_in(3) {
            let truth = random.once_in(2);
            self.add("ok", (truth.to_string(), Value::Boolean(truth)));
        }
        if random.once_in(3) {
            self.add("user", text(&format!("{}{}", random.of(&WORDS), random.below(6))));
        }
        if random.once_in(4) {
            self.request(random);
        }
        if random.once_in(5) {
            let user = random.of(&["ann", "bob", "-"]);
            let bytes = random.of(&["512", "-", "0"]);
            let (path, status) = (random.of(&["/a", "/b?c=d"]), random.of(&["200", "404", "500"]));
            let line = format!(
                "10.0.0.{} - {user} [20/Nov/2026:06:00:00 +0000] \"GET {path} HTTP/1.1\" {status} {bytes}",
                random.below(4)
            );
            self.add("access", text(if random.once_in(6) { "no access line" } else { &line }));
        }
        if random.once_in(5) {
            let (user, took) = (random.of(&["ann", "Bob"]), random.below(50));
            self.add("pairs", text(&format!("user={user} took={took} note=\"a b\" done=true")));
        }
    }

    /// Members of an object: written as one, or with dots in their names.
    fn request(&mut self, random: &mut Random) {
        let (id, path) = (random.below(50) as i64, format!("/api/v{}/items", random.below(3)));
        if random.once_in(2) {
            self.json.push(format!("\"req\":{{\"id\":{id},\"path\":\"{path}\"}}"));
        } else {
            self.json.push(format!("\"req.id\":{id},\"req.path\":\"{path}\""));
        }
        self.fields.insert("req.id".to_owned(), Value::Integer(id));
        self.fields.insert("req.path".to_owned(), Value::text(path));
    }
}

/// One event.
pub(crate) fn event(random: &mut Random) -> Event {
    // Few instants, so that many events share one; some in between by nanoseconds.
    let second = NOW / Timestamp::SECOND - 3 * 86_400 + random.below(200) as i64 * 1171;
    let nanos = if random.once_in(3) { random.below(4) as i64 * 250_000_001 } else { 0 };
    let time = second * Timestamp::SECOND + nanos;
    let mut members = Members { json: Vec::new(), fields: BTreeMap::new() };
    members.json.push(format!("\"@timestamp\":\"{}\"", Timestamp(time)));
    let message = (!random.once_in(8)).then(|| message(random));
    if let Some(message) = &message {
        let json = serde_json::to_string(message).expect("text is JSON");
        match random.below(3) {
            // A system field only.
            0 => members.json.push(format!("\"@message\":{json}")),
            1 => members.add("message", (json, Value::text(message.as_str()))),
            _ => members.add("msg", (json, Value::text(message.as_str()))),
        }
    }
    let level = (!random.once_in(4)).then(|| random.of(&LEVELS));
    if let Some((spelled, _)) = level {
        members.add("level", (format!("\"{spelled}\""), Value::text(spelled)));
    }
    members.add_some(random);
    let line = format!("{{{}}}", members.json.join(","));
    let message = message.unwrap_or_else(|| line.clone());
    Event { line, time, message, level: level.map(|(_, level)| level), sequence: 0, fields: members.fields }
}

/// Events in the order in which they are sent.
pub(crate) fn events(random: &mut Random, n_events: usize) -> Vec<Event> {
    (0..n_events).map(|sequence| Event { sequence, ..event(random) }).collect()
}

/// Uploaded tables: their columns and rows.
pub(crate) fn table(name: &str) -> (Vec<&'static str>, Vec<Vec<Option<Value>>>) {
    let text = |text: &str| (!text.is_empty()).then(|| Value::text(text));
    match name {
        "hosts" => {
            let row = |(host, rack, zone): &(&str, &str, &str)| vec![text(host), text(rack), text(zone)];
            let rows = [
                ("h0", "1", "north"),
                ("h1", "02", "south"),
                ("h1", "3", "never"),
                ("H1", "", "east"),
                ("200", "4", ""),
                ("", "5", "nobody"),
            ];
            (vec!["host", "rack", "zone"], rows.iter().map(row).collect())
        }
        _ => {
            let row = |(number, name): &(Value, &str)| vec![Some(number.clone()), text(name)];
            let rows = [
                (Value::Integer(3), "three"),
                (Value::text("007"), "seven"),
                (Value::Float(12.0), "twelve"),
                (Value::text("9223372036854775808"), "two to the 63"),
                (Value::Integer(i64::MAX), "one less"),
                (Value::Float(9_223_372_036_854_775_808.0), "never"),
                (Value::Boolean(true), "true"),
                (Value::text("error"), "wrong"),
                (Value::text("5e0"), "five"),
            ];
            (vec!["number", "name"], rows.iter().map(row).collect())
        }
    }
}
