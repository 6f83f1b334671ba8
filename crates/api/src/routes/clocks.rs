//! Sources whose clock or time zone is off: for `/api/v1/status`, `/-/ready`, `/metrics`, and answers beside which newer
//! events lie.

use std::sync::Arc;

use ingest::ClockView;
use plan::Warning;
use serde_json::{Value, json};
use types::{GroupPattern, RowSet, Run, TimeRange, Timestamp, format_duration_ns};

use crate::ask::Question;
use door::exposition::Kind::Gauge;
use door::exposition::Page;
use door::{QueryRun, Role, Server, Shared};

/// Most sources that a warning names by themselves.
const NAMED_MAX: usize = 10;

/// An answer whose range ends within this time of now is meant to hold the newest events.
const NOW_NS: i64 = 61 * Timestamp::SECOND;

/// Sources that the caller may see, those furthest off first.
fn views(server: &Shared) -> Vec<ClockView> {
    let mut views = server.app.intake.clocks.views(server.now());
    views.retain(|view| server.caller.scope.admits(view.offset.group.as_str()));
    views
}

/// Returns the warnings; without names for a caller without a key.
pub(crate) fn warnings(server: &Shared) -> Vec<String> {
    let views = views(server);
    if views.is_empty() {
        return Vec::new();
    }
    if server.caller.role == Role::None {
        return vec![format!("{} sources have clocks that are off; /api/v1/status names them", views.len())];
    }
    let more = views.len().saturating_sub(NAMED_MAX);
    let more = (more > 0).then(|| format!("{more} more sources have clocks that are off; /api/v1/status names them"));
    views.iter().take(NAMED_MAX).map(text_of).chain(more).collect()
}

/// Returns the problem and its fix.
fn text_of(view: &ClockView) -> String {
    let offset = &view.offset;
    let group = offset.group.as_str();
    let side = if offset.offset_ns > 0 { "ahead of" } else { "behind" };
    let span = format_duration_ns(offset.offset_ns.abs());
    let stream = if offset.stream.is_empty() { String::new() } else { format!(", stream {}", offset.stream) };
    let why = match (&view.time_zone, view.is_certain) {
        (Some(zone), _) => format!(
            "their times name no zone; `catat groups set {group} --time-zone {zone}`, or zone = \"{zone}\" in the input \
             that ships them, reads them in that zone from now on"
        ),
        (None, true) => "set the clock or the time zone of the sender".to_owned(),
        (None, false) => "they come late, or the clock of the sender is wrong".to_owned(),
    };
    format!("group {group}{stream}: events are dated {span} {side} their arrival: {why}")
}

pub(crate) fn describe(server: &Shared) -> Value {
    let view = |view: &ClockView| {
        json!({
            "group": view.offset.group.as_str(), "stream": &*view.offset.stream,
            "offset_seconds": view.offset.offset_ns / Timestamp::SECOND, "certain": view.is_certain,
            "zoneless": view.is_zoneless, "time_zone": view.time_zone, "last": view.last.to_string(),
            "message": text_of(view),
        })
    };
    views(server).iter().map(view).collect()
}

pub(crate) fn write(server: &Server, page: &mut Page) {
    let views = server.app.intake.clocks.views(server.now());
    let help = "Seconds that the events of a source are dated ahead of their arrival, where that is steady.";
    page.family("catat_source_clock_offset_seconds", Gauge, help);
    for view in &views {
        let labels = [("group", view.offset.group.as_str()), ("stream", &*view.offset.stream)];
        page.sample("catat_source_clock_offset_seconds", &labels, view.offset.offset_ns as f64 / 1e9);
    }
}

/// Returns a warning if a range ends now and events lie after it because a clock or a time zone is ahead.
pub(crate) fn ahead(reading: &QueryRun<'_>, question: &Question, newest: Timestamp) -> Option<Warning> {
    let (to, now) = (question.range.to, question.scope.now);
    if newest < to || (to.0 - now.0).abs() > NOW_NS {
        return None;
    }
    let range = TimeRange { from: to, to: Timestamp(newest.0.saturating_add(1)) };
    let n_events = count(&reading.snapshot(&question.scope.groups, range).runs, range);
    let of_source = views(reading.server).into_iter().find(|view| {
        let groups: &[GroupPattern] = &question.scope.groups;
        view.offset.offset_ns > 0
            && (groups.is_empty() || GroupPattern::any_matches(groups, view.offset.group.as_str()))
    });
    // Whole sentences, since the page looks up their translations.
    let message = match n_events {
        1 => format!("1 event of these groups is dated after {to}, the newest {newest}"),
        _ => format!("{n_events} events of these groups are dated after {to}, the newest {newest}"),
    };
    let hint = of_source.map_or_else(
        || format!("ask with to={newest}; the clock or the time zone of their sender is ahead"),
        |view| format!("ask with to={newest}; {}", text_of(&view)),
    );
    (n_events > 0).then_some(Warning { code: "events-ahead", message, line: None, column: None, hint: Some(hint) })
}

/// Counts the events of a range. Only blocks at its edges are read; one that cannot be read counts nothing.
fn count(runs: &[Arc<dyn Run>], range: TimeRange) -> usize {
    let blocks = runs.iter().flat_map(|run| (0..run.n_blocks()).map(move |block| (run, block)));
    blocks.map(|(run, block)| count_in_block(&**run, block, range)).sum()
}

fn count_in_block(run: &dyn Run, block: usize, range: TimeRange) -> usize {
    let ((first, last), n_rows) = (run.block_times(block), run.block_rows(block));
    if last < range.from || first >= range.to {
        return 0;
    }
    if first >= range.from && last < range.to {
        return n_rows;
    }
    let columns = run.read(block, &["@timestamp"], &RowSet::all(n_rows)).unwrap_or_default();
    let is_inside = |row: &usize| match columns.first().and_then(|column| column.value(*row)) {
        Some(types::Value::Timestamp(time)) => time >= range.from && time < range.to,
        _ => false,
    };
    (0..n_rows).filter(is_inside).count()
}
