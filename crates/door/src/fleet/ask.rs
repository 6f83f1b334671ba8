//! What every node knows alone, asked of all others at once: small answers, such as what shippers told them.
//!
//! ```text
//! request   POST to the path, when it was asked (ns since the epoch, as text), its code in a header
//! answer    the bytes, their code in a header
//! ```

use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use storage::{NodeStatus, Store};
use tokio::time::timeout;
use types::{Timestamp, ensure};

use super::link::{CODE_HEADER, FleetLink, cause_of};
use crate::problem::{Problem, Result};

/// How long a node may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// How old a question may be: who has heard one cannot ask it again later.
const QUESTION_AGE_MAX_NS: i64 = Timestamp::MINUTE;

/// Why somebody is not answered who does not know the secret of the fleet.
pub fn not_a_node() -> Problem {
    let problem = Problem::forbidden("not-a-node", "only nodes of this fleet may ask this");
    problem.hint("nodes need the same [fleet] secret_file")
}

impl FleetLink {
    /// Asks all other nodes that have a role for what they know at a path; returns their answers, or why there is none, by
    /// the names of the nodes.
    pub async fn ask_all(
        &self,
        store: &Store,
        role: &str,
        path: &str,
        now: Timestamp,
    ) -> Vec<(String, Result<Vec<u8>, String>)> {
        let mut nodes = self.alive(store);
        nodes.retain(|node| node.does(role));
        let asked = nodes.into_iter().map(|node| async move {
            let answered = timeout(ANSWER_TIMEOUT, self.ask(&node, path, now)).await;
            let silent = |_| Err(format!("it has not answered for {} s", ANSWER_TIMEOUT.as_secs()));
            (node.name, answered.unwrap_or_else(silent))
        });
        join_all(asked).await
    }

    async fn ask(&self, node: &NodeStatus, path: &str, now: Timestamp) -> Result<Vec<u8>, String> {
        ensure!(!node.address.is_empty(), "it has no address".into());
        let question = now.0.to_string();
        let code = self.code("ask", &[path.as_bytes(), question.as_bytes()]);
        let url = format!("{}{path}", node.address.trim_end_matches('/'));
        let request = self.client.post(url).header(CODE_HEADER, HEXLOWER.encode(&code)).body(question);
        let mut response = request.send().await.map_err(|error| cause_of(&error))?;
        ensure!(response.status().is_success(), format!("it answered {}", response.status()));
        let headers = response.headers().clone();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause_of(&error))? {
            answer.extend_from_slice(&chunk);
            ensure!(answer.len() <= ANSWER_BYTES_MAX, format!("its answer is larger than {ANSWER_BYTES_MAX} bytes"));
        }
        let is_right = self.is_from_node(&headers, "told", &[&code[..], &answer[..]]);
        if is_right { Ok(answer) } else { Err("its answer is not authentic, or damaged".into()) }
    }

    /// Answers a question that a node asked at a path with what `tell` gives.
    ///
    /// # Errors
    /// If nobody asked who knows the secret, or it was asked too long ago.
    pub fn answer(
        &self,
        path: &str,
        (headers, question): (&HeaderMap, &[u8]),
        now: Timestamp,
        tell: impl FnOnce() -> Vec<u8>,
    ) -> Result<Response> {
        let parts = [path.as_bytes(), question];
        ensure!(self.is_from_node(headers, "ask", &parts), not_a_node());
        let asked = std::str::from_utf8(question).ok().and_then(|text| text.parse::<i64>().ok());
        if asked.is_none_or(|asked| now.0.saturating_sub(asked).saturating_abs() > QUESTION_AGE_MAX_NS) {
            let message = "the question is more than a minute old, or the clocks of the nodes differ by as much";
            return Err(Problem::bad_request("old-question", message));
        }
        let answer = tell();
        let code = self.code("told", &[&self.code("ask", &parts)[..], &answer[..]]);
        Ok(([(CODE_HEADER, HEXLOWER.encode(&code))], answer).into_response())
    }
}
