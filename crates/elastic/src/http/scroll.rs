//! Scrolling: page after page of one search.
//!
//! An id contains the search, the position of the next page, and the key of its scroll. The server stores the progress of
//! each scroll, so that any of its ids continues there, whichever the client sends. Without that, as after a restart, the
//! position in the id counts, unless it is the first id: its client may have had any number of pages, and gets an error. An
//! id grants no rights: its search runs with those of the caller. Each event is returned once, and no event that was
//! accepted after the first page.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use types::{Hold, Timestamp, ensure};

use super::body::json_of;
use super::checked_parameters::without;
use super::execution::{SearchResult, run};
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::pit::document_of;
use super::request::Search;
use super::scroll_registry::{Last, Progress};
use super::search_run::query;
use super::state::{Call, Shared};
use super::{mappings, pit};
use door::{Outcome, Parameters, Problem, Reply, Result};

/// Longest id of a scroll.
const ID_BYTES_MAX: usize = 1 << 20;

/// Parameters of the first page only, or of each request.
const OF_FIRST_PAGE: [&str; 8] =
    ["scroll", "from", "filter_path", "rest_total_hits_as_int", "pretty", "human", "error_trace", "typed_keys"];

/// The contents of an id.
#[derive(Debug, Deserialize, Serialize)]
struct Place {
    /// Names of indices.
    index: String,
    /// The body of the search.
    body: Json_,
    /// The parameters of its address.
    #[serde(default)]
    parameters: Vec<(String, String)>,
    /// The time of the search in nanoseconds, which remains its `now`.
    now: i64,
    last: Last,
    /// How many events there are.
    total: Option<u64>,
    /// The key of the scroll, the same in all of its ids.
    #[serde(default)]
    key: String,
    /// The number of pages before the one with this id.
    #[serde(default)]
    page: u64,
}

impl Place {
    fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(id: &str) -> Result<Self> {
        let unreadable = || Problem::bad_request("illegal_argument_exception", "Cannot parse scroll id");
        document_of(id, ID_BYTES_MAX).ok_or_else(unreadable)
    }
}

/// Refuses searches that cannot be scrolled.
pub(super) fn check(search: &Search, body: &Json_) -> Result<()> {
    let wrong = if search.size == 0 {
        "[size] cannot be [0] in a scroll context"
    } else if search.from > 0 {
        "using [from] is not allowed in a scroll context"
    } else if search.cursor.is_some() {
        "`search_after` cannot be used in a scroll context."
    } else if search.collapse.is_some() {
        "cannot use `collapse` in a scroll context"
    } else if body.get("pit").is_some() {
        "using [point in time] is not allowed in a scroll context"
    } else {
        return Ok(());
    };
    Err(Problem::bad_request("action_request_validation_exception", format!("Validation Failed: 1: {wrong};")))
}

/// Begins a scroll after its first page, and returns its id.
pub(super) fn first(
    server: &Shared,
    index: &str,
    body: &Json_,
    parameters: &Parameters,
    now: Timestamp,
    result: &SearchResult,
) -> Result<String> {
    let mut body = body.clone();
    // Shown with the first page alone, as in Elasticsearch.
    if let Some(members) = body.as_object_mut() {
        ["aggs", "aggregations", "from", "search_after"].iter().for_each(|name| _ = members.remove(*name));
    }
    let last = result.last.as_ref().map(|hit| (hit.sort.clone(), hit.id.clone()));
    let key = BASE64URL_NOPAD.encode(&door::random::<16>()?);
    server.state.scrolls.scroll(&key, Some(Progress { last: last.clone(), page: 0 }));
    let Parameters(parameters) = without(parameters, &OF_FIRST_PAGE);
    let place =
        Place { index: index.to_owned(), body, parameters, now: now.0, last, total: result.total, key, page: 0 };
    Ok(place.encode())
}

/// Answers `_search/scroll`: the next page.
pub(super) fn next(call: Call, bytes: Vec<u8>) -> Outcome {
    let id = match (call.parameters.get("scroll_id"), json_of(&bytes)) {
        (Some(id), _) => id.to_owned(),
        (None, Ok(body)) => {
            check_members(&body)?;
            body["scroll_id"].as_str().unwrap_or_default().to_owned()
        }
        // Older clients send the id alone.
        (None, Err(problem)) => match std::str::from_utf8(&bytes).map(str::trim) {
            Ok(id) if Place::decode(id).is_ok() => id.to_owned(),
            _ => return Err(problem),
        },
    };
    page(call, &id)
}

fn check_members(body: &Json_) -> Result<()> {
    let unknown = body
        .as_object()
        .and_then(|members| members.keys().find(|name| !matches!(name.as_str(), "scroll_id" | "scroll")));
    match unknown {
        Some(name) => {
            let message = format!("Unknown parameter [{name}] in request body or parameter is of the wrong type");
            Err(Problem::bad_request("illegal_argument_exception", message))
        }
        None => Ok(()),
    }
}

/// Answers `_search/scroll/{id}`: the next page.
pub(super) fn next_of(mut call: Call) -> Outcome {
    let id = call.variable();
    page(call, &id)
}

fn page(Call { server, parameters, .. }: Call, id: &str) -> Outcome {
    if id.is_empty() {
        let message = "Validation Failed: 1: scrollId is missing;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    }
    let mut place = Place::decode(id)?;
    let filter = Paths::of(&parameters);
    let known = Progress { last: place.last.take(), page: place.page };
    let scroll = server.state.scrolls.scroll(&place.key, (place.page > 0).then_some(known)).ok_or_else(missing)?;
    let mut of_address = place.parameters.clone();
    if parameters.flag_or_bare("rest_total_hits_as_int") {
        of_address.push(("rest_total_hits_as_int".into(), "true".into()));
    }
    let now = Timestamp(place.now);
    // The first page has checked the names.
    let leniency = Leniency::of_parameters(&Parameters(vec![("ignore_unavailable".into(), "true".into())]))?;
    let groups = indices::resolve(&server, &place.index, leniency)?;
    let schema = mappings::schema(&server, groups.as_deref())?;
    let mut search = Search::read(&place.body, &Parameters(of_address), now, &schema)?;
    search.known_total = place.total;
    search.selection.operators.push(pit::accepted_until(now));
    query(&server, "scroll", move |reading| {
        let mut progress = scroll.progress.hold();
        ensure!(!scroll.is_closed.load(Ordering::Acquire), missing());
        let mut groups = groups;
        match progress.last.clone() {
            Some((values, id)) => {
                let unreadable = || Problem::bad_request("illegal_argument_exception", "Cannot parse scroll id");
                search.cursor = Some(search.order.behind(values, &id).ok_or_else(unreadable)?);
            }
            None => groups = None,
        }
        let found = run(reading, groups, &search, now)?;
        progress.last = found.last.as_ref().map(|hit| (hit.sort.clone(), hit.id.clone()));
        progress.page += 1;
        (place.last, place.page) = (progress.last.clone(), progress.page);
        let mut answer = found.answer;
        answer["_scroll_id"] = place.encode().into();
        filter.reply(answer)
    })
}

/// Returns the error for a scroll that does not exist, or no longer.
fn missing() -> Problem {
    let message = "No search context found for this scroll id: it was cleared, or the server no longer knows how far it \
                   had come; search again";
    Problem::new(StatusCode::NOT_FOUND, "search_context_missing_exception", message)
}

/// Answers `DELETE _search/scroll`: closes the scrolls of the ids in the body.
pub(super) fn clear(call: Call, bytes: Vec<u8>) -> Outcome {
    let mut ids: Vec<String> = call.parameters.all("scroll_id").map(str::to_owned).collect();
    if ids.is_empty() {
        let body = json_of(&bytes)?;
        match body.get("scroll_id") {
            Some(Json_::String(id)) => ids.push(id.clone()),
            Some(Json_::Array(list)) => ids.extend(list.iter().filter_map(Json_::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    Ok(clear_all(&call.server, &ids))
}

/// Answers `DELETE _search/scroll/{id}`: closes the scrolls of the ids in the address.
pub(super) fn clear_of(mut call: Call) -> Outcome {
    let ids = call.variable();
    Ok(clear_all(&call.server, &ids.split(',').map(str::to_owned).collect::<Vec<_>>()))
}

fn clear_all(server: &Shared, ids: &[String]) -> Reply {
    let mut n_freed = 0;
    for place in ids.iter().filter_map(|id| Place::decode(id).ok()) {
        // A closed scroll stays in the registry, so that none of its ids continues.
        let scroll = server.state.scrolls.scroll(&place.key, Some(Progress::default()));
        let was_open = scroll.is_some_and(|scroll| !scroll.is_closed.swap(true, Ordering::AcqRel));
        n_freed += u64::from(was_open);
    }
    let status =
        if n_freed == 0 && !ids.is_empty() && ids != ["_all"] { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Reply::json(&json!({"succeeded": true, "num_freed": n_freed})).with_status(status)
}
