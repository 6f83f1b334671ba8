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
use door::answer::stats_json;
use door::problem::Problem;
use door::queries::RunningQuery;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(500);

/// The answer on its way.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Outcome, Problem>> + Send>>;

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
async fn end(form: Form, answered: Result<Outcome, Problem>, rows: &Rows) -> Result<(), Gone> {
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
mod tests {
    use execute::Answer;
    use language::{ParseOptions, parse_insights};
    use serde_json::{Map, Value};
    use tokio::sync::oneshot;
    use tokio_stream::StreamExt;
    use types::Timestamp;

    use super::*;
    use door::queries::{Queries, Ticket};

    struct Begun {
        finish: oneshot::Sender<Result<Outcome, Problem>>,
        rows: Arc<Rows>,
        ticket: Ticket,
        pieces: axum::body::BodyDataStream,
    }

    fn begin(form: Form) -> Begun {
        let (finish, finished) = oneshot::channel();
        let work: Work = Box::pin(async move { finished.await.unwrap_or_else(|_| Err(Problem::closing())) });
        let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
        let plan = parse_insights("fields n", &options).expect("a valid query");
        let ticket = Queries::default().start_for("", "", Timestamp(0));
        let (rows, receiver) = Rows::new(form, crate::answer::names_of(&columns(&plan)));
        let rows = Arc::new(rows);
        assert!(rows.take(vec![vec![Some(types::Value::Integer(5))]], &ticket.running));
        let (running, columns) = (ticket.running.clone(), columns(&plan));
        let stream = Stream { form, work, rows: rows.clone(), running, columns };
        let pieces = respond(stream, receiver).into_body().into_data_stream();
        Begun { finish, rows, ticket, pieces }
    }

    async fn line(stream: &mut axum::body::BodyDataStream) -> String {
        let piece = stream.next().await.expect("the stream goes on").expect("without an error");
        String::from_utf8(piece.to_vec()).expect("answers are UTF-8")
    }

    fn seven() -> Vec<Vec<Option<types::Value>>> {
        vec![vec![Some(types::Value::Integer(7))]]
    }

    #[tokio::test]
    async fn columns_come_first_then_rows_held_then_progress_then_rows_as_they_come() {
        let Begun { finish, rows, ticket, mut pieces } = begin(Form::Ndjson);
        let first: Value = serde_json::from_str(&line(&mut pieces).await).expect("JSON");
        assert_eq!(first, json!({"columns": [{"name": "n", "type": "any"}]}));
        assert_eq!(line(&mut pieces).await, "[5]\n");
        assert!(line(&mut pieces).await.starts_with("{\"progress\":{"));
        rows.put_partial(seven());
        let partial: Value = serde_json::from_str(&line(&mut pieces).await).expect("JSON");
        assert_eq!(partial["progress"]["rows"], json!([[7]]));
        assert_eq!(partial["progress"]["events_scanned"], 0);
        let thread = tokio::task::spawn_blocking(move || rows.take(seven(), &ticket.running));
        assert_eq!(line(&mut pieces).await, "[7]\n");
        assert!(thread.await.expect("no panic"));
        let columns = vec![ColumnInfo { name: "n".into(), kind: ColumnKind::Integer, approximate: true }];
        let answer = Answer { rows: seven(), columns, ..Answer::default() };
        assert!(finish.send(Ok(Outcome { answer, extra: Map::new() })).is_ok());
        let rest = line(&mut pieces).await;
        let last: Value = serde_json::from_str(rest.strip_prefix("[7]\n").expect("the row first")).expect("JSON");
        assert_eq!(last["partial"], false);
        assert_eq!(last["schema"], json!([{"name": "n", "type": "integer", "approximate": true}]));
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn an_error_in_mid_stream_is_a_line_and_a_client_gone_ends_the_work() {
        let Begun { finish, mut pieces, .. } = begin(Form::Ndjson);
        while !line(&mut pieces).await.starts_with("{\"progress") {}
        assert!(finish.send(Err(Problem::busy("too much"))).is_ok());
        assert!(line(&mut pieces).await.starts_with("{\"error\":{\"code\":\"busy\""));

        let Begun { mut finish, rows, ticket, pieces } = begin(Form::Ndjson);
        drop(pieces);
        finish.closed().await;
        let thread = tokio::task::spawn_blocking(move || rows.take(seven(), &ticket.running));
        assert!(!thread.await.expect("no panic"));
    }

    #[tokio::test]
    async fn a_table_that_is_not_whole_is_broken_off() {
        for is_whole in [true, false] {
            let Begun { finish, mut pieces, .. } = begin(Form::Csv(plan::Formulas::Disarmed));
            assert_eq!(line(&mut pieces).await, "n\r\n");
            assert_eq!(line(&mut pieces).await, "5\r\n");
            let reason = execute::PartialReason { code: "damaged", message: "a.seg".into() };
            let partial_reasons = if is_whole { Vec::new() } else { vec![reason] };
            let answer = Answer { partial_reasons, ..Answer::default() };
            assert!(finish.send(Ok(Outcome { answer, extra: Map::new() })).is_ok());
            let mut is_broken = false;
            while let Some(piece) = pieces.next().await {
                is_broken |= piece.is_err();
            }
            assert_eq!(is_broken, !is_whole);
        }
    }
}
