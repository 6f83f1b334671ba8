//! The order of the lines of an answer, and answers that end in mid-stream.

use execute::Answer;
use language::{ParseOptions, parse_insights};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_stream::StreamExt;
use types::Timestamp;

use super::*;
use door::queries::Queries;
use door::{Problem, Ticket};

struct PendingAnswer {
    finish: oneshot::Sender<Result<Outcome, Problem>>,
    rows: Arc<Rows>,
    ticket: Ticket,
    pieces: axum::body::BodyDataStream,
}

fn begin(form: Form) -> PendingAnswer {
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
    PendingAnswer { finish, rows, ticket, pieces }
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
    let PendingAnswer { finish, rows, ticket, mut pieces } = begin(Form::Ndjson);
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
    let PendingAnswer { finish, mut pieces, .. } = begin(Form::Ndjson);
    while !line(&mut pieces).await.starts_with("{\"progress") {}
    assert!(finish.send(Err(Problem::busy("too much"))).is_ok());
    assert!(line(&mut pieces).await.starts_with("{\"error\":{\"code\":\"busy\""));

    let PendingAnswer { mut finish, rows, ticket, pieces } = begin(Form::Ndjson);
    drop(pieces);
    finish.closed().await;
    let thread = tokio::task::spawn_blocking(move || rows.take(seven(), &ticket.running));
    assert!(!thread.await.expect("no panic"));
}

#[tokio::test]
async fn a_table_that_is_not_whole_is_broken_off() {
    for is_whole in [true, false] {
        let PendingAnswer { finish, mut pieces, .. } = begin(Form::Csv(plan::Formulas::Disarmed));
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
