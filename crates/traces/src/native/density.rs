//! `/api/v1/traces/density`: all traces that a search finds, counted by start and duration.

use serde_json::json;
use types::Timestamp;

use door::{Outcome, Reply, Shared, reason_json, stats_json};

use super::search::{BODY_BYTES_MAX, search};
use crate::density::{DensityCell, ROWS_PER_DECADE, density};
use crate::read::query;
use crate::span::milliseconds;
use crate::state::Call;

pub(crate) fn post(Call { server, .. }: Call) -> Outcome {
    Ok(Reply::body(BODY_BYTES_MAX, move |body| answer(&server, body.bytes())))
}

fn answer(server: &Shared, body: &[u8]) -> Outcome {
    let search = search(body, server.now())?;
    query(server, &format!("count traces {}", String::from_utf8_lossy(body)), move |run, reading| {
        let counted = density(&search, run, reading)?;
        let start =
            |column: i64| Timestamp(search.range.from.0.saturating_add(column.saturating_mul(counted.width_ns)));
        let bound = |row: i32| 10_f64.powf(f64::from(row) / f64::from(ROWS_PER_DECADE));
        let id = |key: Option<u128>| key.map(|key| format!("{key:032x}"));
        let cell = |(place, cell): (&(i64, i32), &DensityCell)| {
            json!({
                "at": start(place.0).to_string(), "min_ms": bound(place.1), "max_ms": bound(place.1 + 1),
                "traces": cell.n_traces, "errors": cell.n_failed,
                "example": id(cell.examples[0]), "error_example": id(cell.examples[1]),
            })
        };
        Ok(Reply::json(&json!({
            "from": search.range.from.to_string(), "to": search.range.to.to_string(),
            "width_ms": milliseconds(counted.width_ns), "traces": counted.n_traces, "errors": counted.n_failed,
            "cells": counted.cells.iter().map(cell).collect::<Vec<_>>(),
            "partial": !reading.partial_reasons.is_empty(),
            "partial_reasons": reading.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "stats": stats_json(&reading.stats),
        })))
    })
}
