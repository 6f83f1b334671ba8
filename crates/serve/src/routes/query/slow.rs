//! The stream of a query that takes its time: columns at once, then progress, then rows (DESIGN.md §15).
//!
//! The columns' names are known from the plan, their types only from the values: until then they are `any`. The
//! query ends when the client goes away.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use query::plan::{Operator, Plan};
use query::{ColumnInfo, ColumnKind};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::Answered;
use crate::answer::{Form, Pieces, columns_json, stats_json};
use crate::problem::Problem;
use crate::queries::Running;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(1);

/// Pieces that wait for the connection.
const PIECES_WAITING_MAX: usize = 4;

/// The answer on its way.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Answered, Problem>> + Send>>;

/// The names of a plan's columns, before anything is known of their values.
pub(super) fn columns(plan: &Plan) -> Vec<ColumnInfo> {
    let Some(Operator::Project { columns, .. }) = plan.operators.last() else { return Vec::new() };
    let column = |name: &str| ColumnInfo { name: name.to_owned(), kind: ColumnKind::Any, approximate: false };
    columns.iter().map(|(name, _)| column(name)).collect()
}

/// Begins to answer while the query is under way.
pub(super) fn respond(work: Work, running: Arc<Running>, columns: &[ColumnInfo]) -> Response {
    let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
    let head = format!("{{\"columns\":{}}}\n", columns_json(columns));
    tokio::spawn(async move {
        let closed = sender.clone();
        tokio::select! {
            () = closed.closed() => {}
            () = feed(work, &running, head, &sender) => {}
        }
    });
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>));
    ([(header::CONTENT_TYPE, Form::Ndjson.content_type())], body).into_response()
}

/// Sends everything; ends early where nobody listens any more.
async fn feed(mut work: Work, running: &Running, head: String, sender: &mpsc::Sender<Bytes>) {
    if sender.send(head.into()).await.is_err() {
        return;
    }
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let answered = loop {
        tokio::select! {
            answered = &mut work => break answered,
            _ = ticks.tick() => {
                let line = format!("{}\n", json!({"progress": stats_json(&running.progress())}));
                if sender.send(line.into()).await.is_err() {
                    return;
                }
            }
        }
    };
    match answered {
        Ok((answer, extra)) => {
            for piece in Pieces::new(Form::Ndjson, answer, extra).without_head() {
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        }
        Err(problem) => {
            let line = format!("{}\n", json!({"error": problem.to_json()}));
            // Nobody may listen any more; then there is nobody to tell.
            let _ = sender.send(line.into()).await;
        }
    }
}
