//! What shippers have reported of their scrapes to any node of the fleet. A shipper reports to one node, and later perhaps to
//! another one: its last report counts.

use door::fleet::{SCRAPES_PATH, not_a_node};
use door::{Outcome, Reply, Shared};
use ingest::{ReportedScrapes, SourceScrapes, visible_scrapes};

use crate::metadata::Call;

/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 64;

/// Answers with what `then` makes of the scrapes that the caller may see, and of why some may be missing.
pub(crate) fn with_scrapes(
    server: &Shared,
    then: impl FnOnce(Vec<SourceScrapes>, Vec<String>) -> Outcome + Send + 'static,
) -> Outcome {
    let server = server.clone();
    Ok(Reply::later(async move {
        let (scrapes, missing) = scrapes(&server).await;
        then(scrapes, missing)
    }))
}

async fn scrapes(server: &Shared) -> (Vec<SourceScrapes>, Vec<String>) {
    let now = server.now();
    let mut reports = server.app.intake.sources.reported_scrapes(now);
    let mut missing = Vec::new();
    let store = server.whole_store();
    if let Some(link) = &server.app.fleet {
        for (node, told) in link.ask_all(store, "ingest", SCRAPES_PATH, now).await {
            let read = |json: Vec<u8>| {
                serde_json::from_slice::<Vec<ReportedScrapes>>(&json).map_err(|error| error.to_string())
            };
            match told.and_then(read) {
                Ok(of_node) => reports.extend(of_node),
                // What went wrong tells of addresses, which are not for everybody.
                Err(problem) => {
                    tracing::warn!(node, problem, "targets of another node not read");
                    missing.push(format!("targets of shippers that report to the node {node} may be missing"));
                }
            }
        }
    } else if store.nodes().is_some_and(|(own, nodes)| nodes.iter().any(|node| node.epoch != own)) {
        let message =
            "targets of shippers that report to other nodes are missing: nodes ask each other with [fleet] secret_file";
        missing.push(message.to_owned());
    }
    (visible_scrapes(reports, &server.caller.scope), missing)
}

/// Answers another node's question for what was reported here.
pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let link = server.app.fleet.clone().ok_or_else(not_a_node)?;
    Ok(Reply::body(QUESTION_BYTES_MAX, move |body| {
        let now = server.now();
        let answer = link.answer(SCRAPES_PATH, (&parts.headers, body.bytes()), now, || {
            serde_json::to_vec(&server.app.intake.sources.reported_scrapes(now)).expect("texts and numbers are JSON")
        });
        answer.map(Reply::Whole)
    }))
}
