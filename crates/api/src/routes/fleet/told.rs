//! What shippers told other nodes of the fleet of themselves.

use door::fleet::{SOURCES_PATH, not_a_node};
use door::{Outcome, Reply};
use execute::PartialReason;
use ingest::ToldSources;

use crate::state::Call;

/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 64;

/// Returns what other nodes know of shippers, and why some of it may be missing.
pub(crate) async fn ask(server: &door::server::Shared) -> (Vec<ToldSources>, Vec<PartialReason>) {
    let (mut told, mut missing) = (Vec::new(), Vec::new());
    let store = server.whole_store();
    if let Some(link) = &server.app.fleet {
        for (node, answer) in link.ask_all(store, "ingest", SOURCES_PATH, server.now()).await {
            let read = |json: Vec<u8>| serde_json::from_slice::<ToldSources>(&json).map_err(|error| error.to_string());
            match answer.and_then(read) {
                Ok(of_node) => told.push(of_node),
                // What went wrong tells of addresses, which are not for everybody.
                Err(problem) => {
                    tracing::warn!(node, problem, "sources of another node not read");
                    let message = format!("what shippers tell the node {node} may be missing: it does not answer");
                    missing.push(PartialReason { code: "node-silent", message });
                }
            }
        }
    } else if store.nodes().is_some_and(|(own, nodes)| nodes.iter().any(|node| node.epoch != own)) {
        let message = "what shippers tell other nodes is missing: nodes ask each other with [fleet] secret_file";
        missing.push(PartialReason { code: "nodes-not-asked", message: message.to_owned() });
    }
    (told, missing)
}

/// Answers another node's question for what is known here.
pub(crate) fn post(Call { server, parts, .. }: Call) -> Outcome {
    let link = server.app.fleet.clone().ok_or_else(not_a_node)?;
    Ok(Reply::body(QUESTION_BYTES_MAX, move |body| {
        let now = server.now();
        let answer = link.answer(SOURCES_PATH, (&parts.headers, body.bytes()), now, || {
            serde_json::to_vec(&server.app.intake.sources.told(now)).expect("texts and numbers are JSON")
        });
        answer.map(Reply::Whole)
    }))
}
