//! `POST /api/v1/fleet/part`: works out a part of another node's query. Only nodes may ask: a code over the part shows that
//! they know the secret of the fleet.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use door::fleet::{ANSWER, FAILED, UNDER_WAY, not_a_node};
use door::query_run::work_out;
use door::{Outcome, Problem, Reply, RequestBody};
use execute::Part;
use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_stream::wrappers::ReceiverStream;

use crate::state::Call;

/// Bytes of a part: its operators and the names of its runs.
const PART_BYTES_MAX: usize = 16 << 20;

/// Interval between two signs of life to the node that asked.
const SIGN_OF_LIFE: Duration = Duration::from_millis(200);

pub(crate) fn post(call: Call) -> Outcome {
    call.server.app.fleet.as_ref().ok_or_else(not_a_node)?;
    call.read(PART_BYTES_MAX, work)
}

fn work(Call { server, parts, .. }: Call, body: RequestBody) -> Outcome {
    let link = server.app.fleet.clone().ok_or_else(not_a_node)?;
    types::ensure!(link.is_from_node(&parts.headers, "part", &[body.bytes()]), not_a_node());
    let of_part = link.code("part", &[body.bytes()]);
    let part = Part::read(body.bytes()).map_err(|error| Problem::bad_request("bad-part", error.to_string()))?;
    drop(body);
    let (sender, frames) = mpsc::channel::<io::Result<Bytes>>(2);
    tokio::spawn(async move {
        let ticket = server.start_query("part of a query of another node");
        let running = ticket.running.clone();
        let mut signs = interval(SIGN_OF_LIFE);
        let mut work = std::pin::pin!(work_out(&server, ticket, part));
        let worked = loop {
            tokio::select! {
                worked = &mut work => break worked,
                _ = signs.tick() => {
                    let mut frame = vec![UNDER_WAY];
                    frame.extend_from_slice(&running.progress().events_scanned.to_le_bytes());
                    if sender.send(Ok(frame.into())).await.is_err() {
                        // Nobody wants the answer any more; the work ends with this task.
                        return;
                    }
                }
            }
        };
        let frame = match worked {
            Ok(answer) => {
                let code = link.code("answer", &[&of_part, &answer]);
                [&[ANSWER], &answer[..], &code].concat()
            }
            Err(problem) => [&[FAILED], problem.sentence().as_bytes()].concat(),
        };
        let _ = sender.send(Ok(frame.into())).await;
    });
    Ok(Reply::Whole(Response::new(Body::from_stream(ReceiverStream::new(frames)))))
}
