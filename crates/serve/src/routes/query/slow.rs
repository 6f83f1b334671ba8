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

#[cfg(test)]
mod tests {
    use query::{Answer, ParseOptions, parse_insights};
    use serde_json::{Map, Value};
    use tokio::sync::oneshot;
    use types::Timestamp;

    use super::*;
    use crate::queries::Queries;

    fn begin() -> (oneshot::Sender<Result<Answered, Problem>>, axum::body::BodyDataStream) {
        let (finish, finished) = oneshot::channel();
        let work: Work = Box::pin(async move { finished.await.unwrap_or_else(|_| Err(Problem::closing())) });
        let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
        let plan = parse_insights("stats count(*) as n", &options).expect("a valid query");
        let running = Queries::default().start("", Timestamp(0)).running.clone();
        (finish, respond(work, running, &columns(&plan)).into_body().into_data_stream())
    }

    async fn line(stream: &mut axum::body::BodyDataStream) -> String {
        let piece = stream.next().await.expect("the stream goes on").expect("without an error");
        String::from_utf8(piece.to_vec()).expect("answers are UTF-8")
    }

    #[tokio::test]
    async fn columns_come_first_then_progress_then_rows() {
        let (finish, mut stream) = begin();
        let first: Value = serde_json::from_str(&line(&mut stream).await).expect("JSON");
        assert_eq!(first, json!({"columns": [{"name": "n", "type": "any"}]}));
        assert!(line(&mut stream).await.starts_with("{\"progress\":{"));
        let answer = Answer { rows: vec![vec![Some(types::Value::Integer(7))]], ..Answer::default() };
        assert!(finish.send(Ok((answer, Map::new()))).is_ok());
        let rest = line(&mut stream).await;
        assert!(rest.starts_with("[7]\n{") && rest.contains("\"partial\":false"), "{rest}");
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn an_error_in_mid_stream_is_a_line_and_a_client_gone_ends_the_work() {
        let (finish, mut stream) = begin();
        line(&mut stream).await;
        line(&mut stream).await;
        assert!(finish.send(Err(Problem::busy("too much"))).is_ok());
        assert!(line(&mut stream).await.starts_with("{\"error\":{\"code\":\"busy\""));

        let (mut finish, stream) = begin();
        drop(stream);
        finish.closed().await;
    }
}
