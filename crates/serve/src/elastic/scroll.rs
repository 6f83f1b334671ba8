//! Scrolling: page after page of one search.
//!
//! A scroll is nothing that the server keeps: its id holds the search and the place where the next page begins. So it
//! needs no memory, never expires, and goes on after a restart; and since whoever hands it in asks with their own rights,
//! it opens nothing. Each event comes once at most. What arrives meanwhile and belongs before that place is not seen.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use types::Timestamp;

use super::filter::Paths;
use super::indices::{self, Leniency};
use super::request::Search;
use super::search::{Found, body_of, json_of, run};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reading::read;
use crate::server::Shared;

/// Longest search that can be scrolled, as text.
const ID_BYTES_MAX: usize = 1 << 20;

/// What an id holds.
#[derive(Debug, Deserialize, Serialize)]
struct Place {
    /// Names of indices.
    index: String,
    /// The search as it was asked.
    body: Json_,
    /// When it was, in nanoseconds: `now` stays that.
    now: i64,
    /// Sort values and id of the last hit; without one there are no more.
    last: Option<(Vec<Json_>, String)>,
    /// How many events there are.
    total: Option<u64>,
}

impl Place {
    fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(id: &str) -> Result<Self, Problem> {
        let unreadable = || Problem::bad_request("illegal_argument_exception", "Cannot parse scroll id");
        if id.len() > ID_BYTES_MAX {
            return Err(unreadable());
        }
        let bytes = BASE64URL_NOPAD.decode(id.as_bytes()).map_err(|_| unreadable())?;
        serde_json::from_slice(&bytes).map_err(|_| unreadable())
    }
}

/// The id of a scroll whose first page was found.
pub(super) fn first(index: &str, body: &Json_, now: Timestamp, found: &Found) -> String {
    let mut body = body.clone();
    // Shown with the first page alone, as in Elasticsearch.
    if let Some(members) = body.as_object_mut() {
        ["aggs", "aggregations", "from", "search_after"].iter().for_each(|name| _ = members.remove(*name));
    }
    let last = found.last.as_ref().map(|hit| (hit.sort.clone(), hit.id.clone()));
    Place { index: index.to_owned(), body, now: now.0, last, total: found.total }.encode()
}

/// The next page.
pub(super) async fn next(
    server: Shared,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let bytes = body_of(&server, &headers, body).await?;
    let id = match parameters.get("scroll_id") {
        Some(id) => id.to_owned(),
        None => json_of(&bytes)?["scroll_id"].as_str().unwrap_or_default().to_owned(),
    };
    page(server, id, parameters).await
}

/// The next page of the id in the address.
pub(super) async fn next_of(
    server: Shared,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Json<Json_>, Problem> {
    page(server, id, parameters).await
}

async fn page(server: Shared, id: String, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let mut place = Place::decode(&id)?;
    let now = Timestamp(place.now);
    let filter = Paths::of(&parameters);
    let of_address = parameters.0.into_iter().filter(|(name, _)| name == "rest_total_hits_as_int");
    let mut search = Search::read(&place.body, &Parameters(of_address.collect()), now)?;
    search.known_total = place.total;
    // What is lenient about names was decided with the first page.
    let leniency = Leniency::of_parameters(&Parameters(vec![("ignore_unavailable".into(), "true".into())]))?;
    let mut groups = indices::resolve(&server, &place.index, leniency)?;
    match place.last.take() {
        Some((values, id)) => {
            let cursor = search.order.behind(values, &id);
            let unreadable = || Problem::bad_request("illegal_argument_exception", "Cannot parse scroll id");
            search.cursor = Some(cursor.ok_or_else(unreadable)?);
        }
        None => groups = None,
    }
    let answer = read(&server, "scroll", move |reading| {
        let found = run(reading, groups, &search, now)?;
        place.last = found.last.as_ref().map(|hit| (hit.sort.clone(), hit.id.clone()));
        let mut answer = found.answer;
        answer["_scroll_id"] = place.encode().into();
        Ok(answer)
    })
    .await?;
    Ok(Json(filter.shown(answer)))
}

/// There is nothing to free.
pub(super) async fn clear() -> Json<Json_> {
    Json(json!({"succeeded": true, "num_freed": 1}))
}
