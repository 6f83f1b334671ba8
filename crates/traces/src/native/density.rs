//! `/api/v1/traces/density`: all traces that a search finds, counted by start and duration.

use axum::Json;
use axum::body::Body;
use serde_json::{Value, json};
use types::Timestamp;

use door::answer::{reason_json, stats_json};
use door::problem::Problem;
use door::query_run::read;
use door::server::Shared;

use super::search::{BODY_BYTES_MAX, search};
use crate::density::{DensityCell, ROWS_PER_DECADE, density};
use crate::read::Reading;
use crate::span::milliseconds;

pub(crate) async fn post(server: Shared, body: Body) -> Result<Json<Value>, Problem> {
    let received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let text = String::from_utf8_lossy(received.bytes()).into_owned();
    let search = search(received.bytes(), server.now())?;
    read(&server, &format!("count traces {text}"), move |run| {
        let mut reading = Reading::default();
        let counted = density(&search, run, &mut reading)?;
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
        Ok(Json(json!({
            "from": search.range.from.to_string(), "to": search.range.to.to_string(),
            "width_ms": milliseconds(counted.width_ns), "traces": counted.n_traces, "errors": counted.n_failed,
            "cells": counted.cells.iter().map(cell).collect::<Vec<_>>(),
            "partial": !reading.partial_reasons.is_empty(),
            "partial_reasons": reading.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "stats": stats_json(&reading.stats),
        })))
    })
    .await
}
