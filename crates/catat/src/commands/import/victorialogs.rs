//! VictoriaLogs: hits and queries by spans of time (its documentation, *Querying*), records with their fields.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use types::{GroupName, Timestamp, group_name_of_outside};

use super::side::{Side, quoted};
use super::source::{PIECE_BYTES, Piece, Source, Stored};
use crate::arguments::FromVictoriaLogs;
use crate::commands::spans::{Range, Width};
use crate::failure::Failure;

/// Events that are asked for at once; an answer may have any number.
const SPAN_EVENTS: u64 = 20_000;

/// What it makes of the fields of a stream, which are there themselves.
const DERIVED: &str = "_stream, _stream_id";

pub(super) struct VictoriaLogs {
    filter: String,
    group: GroupName,
    from: Option<String>,
}

impl VictoriaLogs {
    pub(super) fn new(from: &FromVictoriaLogs) -> Self {
        let group = group_name_of_outside(&from.group);
        Self { filter: from.filter.clone(), group, from: from.from.clone() }
    }

    /// The filter in a range, both ends included: an end with fewer digits would be all instants that begin with them.
    fn within(&self, (from, to): Range) -> String {
        let [from, to] = [from, to].map(|end| {
            let mut text = String::new();
            end.write_rfc3339(9, &mut text);
            text
        });
        format!("_time:[{from}, {to}] ({})", self.filter)
    }
}

impl Source for VictoriaLogs {
    fn about(&self, from: &Side<'_>, _range: Range) -> Result<Vec<String>, Failure> {
        Ok(vec![format!("VictoriaLogs at {}: {} → group {}", from.name, self.filter, self.group)])
    }

    fn asked(&self) -> Value {
        json!({"filter": self.filter, "group": self.group.as_str(), "from": self.from})
    }

    fn most(&self) -> u64 {
        SPAN_EVENTS
    }

    fn counts(&self, at: &Side<'_>, range: Range, (width, _): Width) -> Result<Vec<(Timestamp, u64)>, Failure> {
        if at.is_server {
            return at.counts(&self.group, range, width);
        }
        let parameters = [("query", &*self.within(range)), ("step", width)];
        let answer: Value = at.ask(at.request(Method::GET, "/select/logsql/hits").query(&parameters))?;
        let not_understood = || Failure::other(format!("{}: no counts in {}", at.name, quoted(&answer)));
        let hits = answer["hits"].as_array().ok_or_else(not_understood)?;
        let mut counts = Vec::new();
        for hit in hits {
            let (times, values) =
                hit["timestamps"].as_array().zip(hit["values"].as_array()).ok_or_else(not_understood)?;
            for (time, n) in times.iter().zip(values) {
                let count = time.as_str().and_then(Timestamp::parse_rfc3339).zip(n.as_u64());
                counts.push(count.ok_or_else(not_understood)?);
            }
        }
        counts.retain(|(_, n)| *n > 0);
        counts.sort_unstable();
        Ok(counts)
    }

    fn read(&self, from: &Side<'_>, range: Range) -> Result<Vec<Piece>, Failure> {
        let query = format!("{} | delete {DERIVED}", self.within(range));
        let text = from.send(from.request(Method::GET, "/select/logsql/query").query(&[("query", query)]))?;
        let lines: Result<Vec<String>, _> = text.lines().map(record).collect();
        let mut lines = lines.map_err(|error| Failure::other(format!("{}: {error}", from.name)))?;
        // Events come in any order.
        lines.sort_unstable();
        let mut pieces: Vec<Piece> = Vec::new();
        for line in lines {
            let full = |piece: &Piece| piece.body.len() + line.len() > PIECE_BYTES;
            if pieces.last().is_none_or(full) {
                pieces.push(Piece::default());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.body.extend_from_slice(line.as_bytes());
                piece.body.push(b'\n');
                piece.events += 1;
            }
        }
        Ok(pieces)
    }

    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure> {
        let parameters = [("group", self.group.as_str()), ("stream", "victorialogs")];
        let request = to.request(Method::POST, "/api/v1/ingest").query(&parameters).header("X-Catat-Batch", id);
        let answer: Value = to.ask(request.body(piece.body))?;
        let rejected = answer["rejected"].as_array().into_iter().flatten();
        let refused: Vec<String> = rejected.map(|line| line["error"].to_string()).collect();
        let n_refused = refused.len() as u64 + answer["rejected_unnamed"].as_u64().unwrap_or(0);
        Ok(Stored { events: piece.events.saturating_sub(n_refused), n_refused, refused })
    }
}

/// An event as a record, the same however its fields are ordered: its time and its text have names before which no other is taken for them.
fn record(line: &str) -> serde_json::Result<String> {
    let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(line)?;
    for (theirs, ours) in [("_time", "@timestamp"), ("_msg", "@message")] {
        if let Some(value) = fields.remove(theirs) {
            fields.insert(ours, value);
        }
    }
    serde_json::to_string(&fields)
}
