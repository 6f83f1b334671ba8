//! The stream of a query that takes its time: columns at once, then rows as they are found, with progress in between.
//!
//! The columns' names are known from the plan, their types only from the values: at first they are `any`; the last line
//! of NDJSON has them as `schema` (not as `columns`, by which a first line is known). The query ends when the client
//! goes away. A table has no place for an error or for what is missing: its transfer is broken off, so that nobody takes
//! it for whole.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use execute::{ColumnInfo, ColumnKind, Stats};
use plan::{Expr, Operator, Plan};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::wrappers::ReceiverStream;

use super::outcome::Outcome;
use super::rows::{Piece, Row, Rows};
use crate::answer::{Form, Pieces, columns_json, write_row};
use door::{Result, RunningQuery, stats_json};

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(500);

/// The answer on its way.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Outcome>> + Send>>;

/// Returns the names of a plan's columns, before anything is known of their values.
pub(super) fn columns(plan: &Plan) -> Vec<ColumnInfo> {
    let Some(Operator::Project { columns, .. }) = plan.operators().last() else { return Vec::new() };
    let kind = |expr: &Expr| match expr {
        Expr::Field(name) if matches!(&**name, "@timestamp" | "@ingestionTime") => ColumnKind::Timestamp,
        _ => ColumnKind::Any,
    };
    let column =
        |(name, expr): &(plan::Name, Expr)| ColumnInfo { name: name.to_string(), kind: kind(expr), approximate: false };
    columns.iter().map(column).collect()
}

/// A stream, and what it is made from.
pub(super) struct Stream {
    pub(super) form: Form,
    pub(super) work: Work,
    pub(super) rows: Arc<Rows>,
    pub(super) running: Arc<RunningQuery>,
    pub(super) columns: Vec<ColumnInfo>,
}

/// Begins to answer while the query is under way.
pub(super) fn respond(stream: Stream, receiver: mpsc::Receiver<Piece>) -> Response {
    let form = stream.form;
    let (rows, closed) = (stream.rows.clone(), stream.rows.sender.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = closed.closed() => {}
            _ = feed(stream) => {}
        }
        rows.give_up();
    });
    let body = Body::from_stream(ReceiverStream::new(receiver));
    (form.headers(), body).into_response()
}

/// Nobody listens any more.
struct Gone;

async fn send(rows: &Rows, piece: impl Into<Bytes>) -> Result<(), Gone> {
    rows.sender.send(Ok(piece.into())).await.map_err(|_| Gone)
}

/// Sends everything; ends early where nobody listens any more.
async fn feed(stream: Stream) -> Result<(), Gone> {
    let Stream { form, mut work, rows, running, columns } = stream;
    send(&rows, form.head(&columns)).await?;
    while let Some(held) = rows.begin() {
        for piece in rows.pieces(held) {
            send(&rows, piece).await?;
        }
    }
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let answered = loop {
        tokio::select! {
            answered = &mut work => break answered,
            () = rows.has_partial.notified(), if form == Form::Ndjson => {
                if let Some(partial) = rows.take_partial() {
                    send(&rows, progress(&running.progress(), Some(&partial))).await?;
                }
            }
            _ = ticks.tick() => {
                if form == Form::Ndjson {
                    send(&rows, progress(&running.progress(), None)).await?;
                }
            }
        }
    };
    end(form, answered, &rows).await
}

/// Returns a line of progress, with the rows that an aggregation has so far.
fn progress(stats: &Stats, partial: Option<&[Row]>) -> String {
    let mut line = format!("{{\"progress\":{}", stats_json(stats));
    if let Some(partial) = partial {
        // They are members of the same object.
        line.pop();
        line.push_str(",\"rows\":[");
        for (at, row) in partial.iter().enumerate() {
            line.push_str(if at > 0 { "," } else { "" });
            write_row(Form::Json, &[], row, &mut line);
        }
        line.push_str("]}");
    }
    line.push_str("}\n");
    line
}

/// Sends what follows the rows.
async fn end(form: Form, answered: Result<Outcome>, rows: &Rows) -> Result<(), Gone> {
    match answered {
        Ok(Outcome { answer, mut extra }) => {
            let is_partial = !answer.partial_reasons.is_empty();
            extra.insert("schema".into(), columns_json(&answer.columns));
            for piece in Pieces::new(form, answer, extra).without_head() {
                send(rows, piece).await?;
            }
            if is_partial && form.is_bare() {
                break_off("the answer is partial", rows).await;
            }
        }
        Err(problem) if form.is_bare() => break_off(&problem.message, rows).await,
        Err(problem) => send(rows, format!("{}\n", json!({"error": problem.to_json()}))).await?,
    }
    Ok(())
}

async fn break_off(reason: &str, rows: &Rows) {
    // Where nobody listens any more there is nobody to tell.
    let _ = rows.sender.send(Err(std::io::Error::other(reason.to_owned()))).await;
}

#[cfg(test)]
mod tests;
