//! Events that were tried, as text for people: one block each, and a summary.
//!
//! ```text
//! 3   syslog  error  → web
//!     @message    <11>Nov 20 06:47:13 web-1 shop: no tea
//!     @timestamp  2026-11-20T06:47:13Z  "Nov 20 06:47:13" in the text
//!     @level      error  field severity
//!     appname     shop
//!     web/2       mask: masked, user: ann → ***
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;

use super::summary::Summary;
use crate::output::{harmless, level_colour, plain};
use types::{counted, verb_for};

/// Longest value that is shown whole, in characters.
const VALUE_CHARS_MAX: usize = 160;

const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// Steps that changed nothing are not worth a line.
const NOTHING_DONE: &str = "nothing";

pub(super) fn print(out: &mut impl Write, events: &[Value], summary: &Summary, is_coloured: bool) -> io::Result<()> {
    let paint = Paint { is_coloured };
    for event in events {
        print_event(out, event, paint)?;
    }
    print_summary(out, summary, paint)
}

#[derive(Clone, Copy)]
struct Paint {
    is_coloured: bool,
}

impl Paint {
    fn with(self, colour: &str, text: &str) -> String {
        if self.is_coloured && !text.is_empty() { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }
}

fn print_event(out: &mut impl Write, event: &Value, paint: Paint) -> io::Result<()> {
    let recognised = &event["recognised"];
    let fate = event["fate"].as_str().unwrap_or_default();
    let level = event["event"]["@level"].as_str().unwrap_or_default();
    let shape = text_of(&recognised["as"]);
    let head = [paint.with(BOLD, &shape), paint.with(level_colour(level), level), destination(event, fate)];
    let head: Vec<&str> = head.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    writeln!(out, "{:<4}{}", text_of(&event["line"]), head.join("  "))?;
    let rows = rows(event);
    let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    for (name, value, because) in rows {
        let gap = if value.is_empty() || because.is_empty() { "" } else { "  " };
        let padded = paint.with(DIM, &format!("{name:<width$}"));
        writeln!(out, "    {padded}  {value}{gap}{}", paint.with(DIM, &because))?;
    }
    Ok(())
}

/// Returns where an event goes, or why it goes nowhere.
fn destination(event: &Value, fate: &str) -> String {
    if fate == "kept" { format!("→ {}", text_of(&event["event"]["@log"])) } else { fate.to_owned() }
}

/// Name, value and reason of everything that is said of an event.
fn rows(event: &Value) -> Vec<(String, String, String)> {
    let (made, recognised) = (&event["event"], &event["recognised"]);
    let mut rows = Vec::new();
    if let Some(error) = event.get("error") {
        rows.push(("error".to_owned(), text_of(error), String::new()));
    }
    if let Some(members) = made.as_object() {
        rows.push(("@message".to_owned(), text_of(&made["@message"]), String::new()));
        rows.push(("@timestamp".to_owned(), text_of(&made["@timestamp"]), text_of(&recognised["time"])));
        if made.get("@level").is_some() {
            rows.push(("@level".to_owned(), text_of(&made["@level"]), text_of(&recognised["level"])));
        }
        let shown_already = ["@message", "@timestamp", "@level", "@log", "@logStream"];
        let others = members.iter().filter(|(name, _)| !shown_already.contains(&name.as_str()));
        rows.extend(others.map(|(name, value)| (harmless(name, false), text_of(value), String::new())));
    }
    for step in event["steps"].as_array().into_iter().flatten() {
        rows.extend(row_of_step(step));
    }
    rows
}

/// Prints a step that acted or failed: `pipeline/number  kind: done, field: before → after`.
fn row_of_step(step: &Value) -> Option<(String, String, String)> {
    let done = step["done"].as_str().filter(|done| *done != NOTHING_DONE)?;
    let mut said = format!("{}: {done}", text_of(&step["kind"]));
    for change in step["changes"].as_array().into_iter().flatten() {
        let side = |name: &str| if change[name].is_null() { "nothing".to_owned() } else { text_of(&change[name]) };
        said.push_str(&format!(", {}: {} → {}", text_of(&change["field"]), side("before"), side("after")));
    }
    let name = format!("{}/{}", text_of(&step["pipeline"]), text_of(&step["step"]));
    Some((name, said, text_of(&step["because"])))
}

/// Returns a value on one line, cut where it is long.
fn text_of(value: &Value) -> String {
    let text = harmless(&plain(&value.to_string()), false);
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text;
    }
    text.chars().take(VALUE_CHARS_MAX - 1).chain(['…']).collect()
}

fn print_summary(out: &mut impl Write, summary: &Summary, paint: Paint) -> io::Result<()> {
    if summary.n_events > 0 {
        writeln!(out)?;
    }
    let more = if summary.has_more { " (there are more)" } else { "" };
    let head = format!("{}{more}, {}", counted(summary.n_lines, "line"), counted(summary.n_events, "event"));
    writeln!(out, "{}{}", paint.with(BOLD, &head), listed(": ", &summary.fates))?;
    let rows = [("shapes", &summary.shapes), ("levels", &summary.levels), ("groups", &summary.groups)];
    for (name, counts) in rows.into_iter().filter(|(_, counts)| !counts.is_empty()) {
        writeln!(out, "    {}{}", paint.with(DIM, &format!("{name:<8}")), listed("", counts))?;
    }
    let (without, have) = (counted(summary.without_time, "event"), verb_for(summary.without_time, "has", "have"));
    let is_missing = format!("{without} {have} no timestamp");
    writeln!(out, "    {}{is_missing}", paint.with(DIM, "times   "))
}

/// Counts, the largest first.
fn listed(before: &str, counts: &BTreeMap<String, usize>) -> String {
    let mut sorted: Vec<(&String, &usize)> = counts.iter().collect();
    sorted.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let listed: Vec<String> = sorted.into_iter().map(|(name, n)| format!("{n} {}", harmless(name, false))).collect();
    if listed.is_empty() { String::new() } else { format!("{before}{}", listed.join(", ")) }
}
