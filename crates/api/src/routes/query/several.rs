//! `/api/v1/query/several`: several questions in one request, as the panels of a dashboard ask them. Each answer is a line, written
//! when it is found; a question that fails takes no other with it.

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer;
use crate::answer::Form;
use crate::ask::Ask;
use crate::json_body::JsonBody;
use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, Result};

/// Limit on the questions of a request.
const QUESTIONS_MAX: usize = 50;

/// Limit on the bytes of a request.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;

/// Limit on the bytes of an answer, which is held until it is a line.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Questions of a request that are worked on at the same time. Each uses all processors.
const AT_ONCE: usize = 4;

const BODY: JsonBody =
    JsonBody { noun: "list of query requests", example: r#"{"queries":[{"query":"…","from":"now-1h"}]}"# };

/// A request, as it was sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions<'b> {
    #[serde(borrow)]
    queries: Vec<&'b RawValue>,
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let now = server.now();
    let asks: Vec<Result<Ask>> = questions(body.bytes())?
        .queries
        .into_iter()
        .map(|question| Ask::of_json(question.get().as_bytes(), now))
        .collect();
    let lines = stream::iter(asks.into_iter().enumerate()).map(move |(number, ask)| {
        let server = server.clone();
        async move {
            let answered = match ask {
                Ok(ask) => answer(&server, ask, Form::Json).await,
                Err(problem) => Err(problem),
            };
            line(number, answered.unwrap_or_else(IntoResponse::into_response)).await
        }
    });
    Ok(Reply::content(Form::Ndjson.content_type(), Body::from_stream(lines.buffer_unordered(AT_ONCE))))
}

fn questions(body: &[u8]) -> Result<Questions<'_>> {
    let questions: Questions<'_> = serde_json::from_slice(body).map_err(|error| BODY.bad(error))?;
    match questions.queries.len() {
        0 => Err(BODY.bad("it has no queries")),
        n if n > QUESTIONS_MAX => Err(BODY.bad(format!("it has {n} queries; {QUESTIONS_MAX} are the most"))),
        _ => Ok(questions),
    }
}

/// Writes an answer, which is JSON without line breaks, as a line.
async fn line(number: usize, answered: Response) -> Result<Vec<u8>, axum::Error> {
    let (mut status, mut body) = (answered.status(), to_bytes(answered.into_body(), ANSWER_BYTES_MAX).await);
    if body.is_err() {
        let message = format!("the answer has more than {ANSWER_BYTES_MAX} bytes, which is too large beside others");
        let problem = Problem::bad_request("answer-too-large", message).hint("send it to /api/v1/query by itself");
        let refused = problem.into_response();
        (status, body) = (refused.status(), to_bytes(refused.into_body(), ANSWER_BYTES_MAX).await);
    }
    let mut line = format!(r#"{{"query":{number},"status":{},"answer":"#, status.as_u16()).into_bytes();
    line.extend_from_slice(&body?);
    line.extend_from_slice(b"}\n");
    Ok(line)
}
