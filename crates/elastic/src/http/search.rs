//! `_search`, `_msearch`, `_count`: questions in, hits and aggregations out.

use std::time::Instant;

use crate::{Asker, Folded, run_aggregations};
use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use chrono_tz::Tz;
use execute::{Answer, PartialReason};
use ingest::decode;
use language::SearchError;
use language::dsl::Selection;
use plan::Plan;
use serde_json::{Map, Value as Json_, json};
use storage::Snapshot;
use types::{GroupPattern, TimeRange, Timestamp, Value};

use super::checked_parameters::CheckedParameters;
use super::hits::{self, Hit};
use super::indices::{self, Leniency};
use super::pit::PointInTime;
use super::request::{Search, Total};
use super::{filter, made, mappings, problem_json, scroll};
use crate::http::Shared;
use crate::http::reading::{Reading, read};
use door::headers::encoding;
use door::parameters::Parameters;
use door::problem::Problem;
use door::reading::Scope;

/// Largest body of a question.
const BODY_BYTES_MAX: usize = 8 << 20;

/// Most searches of one `_msearch`.
const SEARCHES_MAX: usize = 500;

/// Reads a body, unpacked.
pub(super) async fn body_of(server: &Shared, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let encoding = encoding(headers)?;
    let bytes_max = server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
    let received = server.bodies.read(body, bytes_max).await?;
    Ok(decode(received.bytes(), encoding, bytes_max)?.into_owned())
}

/// A body as JSON; an empty one asks for nothing in particular.
pub(super) fn json_of(bytes: &[u8]) -> Result<Json_, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let unreadable = |error: serde_json::Error| {
        Problem::bad_request("parsing_exception", format!("the body is no JSON that can be read: {error}"))
    };
    serde_json::from_slice(bytes).map_err(unreadable)
}

/// Searches everything.
pub(super) async fn all(
    server: Shared,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    one(server, String::new(), parameters, headers, body).await
}

/// Searches the indices of the address.
pub(super) async fn of_index(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    one(server, index, parameters, headers, body).await
}

async fn one(
    server: Shared,
    index: String,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let filter = filter::Paths::of(&parameters);
    Ok(Json(filter.shown(answer(server, index, parameters, headers, body).await?)))
}

/// The answer to one search.
pub(super) async fn answer(
    server: Shared,
    index: String,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json_, Problem> {
    let bytes = body_of(&server, &headers, body).await?;
    let body = json_of(&bytes)?;
    let now = server.now();
    let begins_scroll = parameters.get("scroll").is_some();
    let (groups, search) = prepared(&server, &index, &body, &parameters, Leniency::of_parameters(&parameters)?, now)?;
    if begins_scroll {
        scroll::check(&search, &body)?;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let of_scroll = server.clone();
    read(&server, &text, move |reading| {
        let found = run(reading, groups, &search, now)?;
        let id =
            begins_scroll.then(|| scroll::first(&of_scroll, (&index, &body, &parameters), now, &found)).transpose()?;
        let mut answer = found.answer;
        if let Some(id) = id {
            answer["_scroll_id"] = id.into();
        }
        if let Some(pit) = body.get("pit").filter(|pit| !pit.is_null()) {
            answer["pit_id"] = pit["id"].clone();
        }
        Ok(answer)
    })
    .await
}

/// A search, and the groups that it is about.
fn prepared(
    server: &Shared,
    index: &str,
    body: &Json_,
    parameters: &Parameters,
    leniency: Leniency,
    now: Timestamp,
) -> Result<(Option<Vec<GroupPattern>>, Search), Problem> {
    let pit = PointInTime::of_search(body, index)?;
    let groups = match &pit {
        // What was there when it was opened may have been deleted since.
        Some(pit) => indices::resolve(server, &pit.index, Leniency { ignores_missing: true, ..leniency })?,
        None => indices::resolve(server, index, leniency)?,
    };
    let mut search = Search::read(body, parameters, now, &mappings::schema(server, groups.as_deref())?)?;
    search.selection.operators.extend(pit.map(|pit| pit.condition()));
    Ok((groups, search))
}

/// Counts the events of everything.
pub(super) async fn count_all(
    server: Shared,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    count(server, String::new(), parameters, headers, body).await
}

/// Counts the events of the indices of the address.
pub(super) async fn count_of_index(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    count(server, index, parameters, headers, body).await
}

async fn count(
    server: Shared,
    index: String,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let bytes = body_of(&server, &headers, body).await?;
    let body = json_of(&bytes)?;
    if let Some(other) = body.as_object().and_then(|members| members.keys().find(|name| *name != "query")) {
        return Err(SearchError::parsing("_count", format!("request does not support [{other}]")).into());
    }
    let now = server.now();
    let groups = indices::resolve(&server, &index, Leniency::of_parameters(&parameters)?)?;
    let mut search = Search::read(&body, &parameters, now, &mappings::schema(&server, groups.as_deref())?)?;
    (search.size, search.total) = (0, Total::All);
    (search.total_as_number, search.typed_keys) = (true, false);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let answer = read(&server, &text, move |reading| Ok(run(reading, groups, &search, now)?.answer)).await?;
    let count = json!({"count": answer["hits"]["total"], "_shards": answer["_shards"]});
    Ok(Json(filter::Paths::of(&parameters).shown(count)))
}

/// Several searches of everything, unless each says otherwise.
pub(super) async fn many(
    server: Shared,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    several(server, String::new(), parameters, headers, body).await
}

/// Several searches of the indices of the address, unless each says otherwise.
pub(super) async fn many_of_index(
    server: Shared,
    Path(index): Path<String>,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    several(server, index, parameters, headers, body).await
}

async fn several(
    server: Shared,
    index: String,
    parameters: CheckedParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Json_>, Problem> {
    let bytes = body_of(&server, &headers, body).await?;
    let (searches, filter) = (pairs(&bytes)?, filter::Paths::of(&parameters));
    let (now, started) = (server.now(), Instant::now());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let responses = read(&server, &text, move |reading| {
        let mut responses = Vec::with_capacity(searches.len());
        for (header, body) in searches {
            let answered = header.and_then(|header| {
                let body = body?;
                let index = indices::of_header(&header).unwrap_or_else(|| index.clone());
                let leniency = Leniency::of_parameters(&parameters)?.or_header(&header);
                let (groups, search) = prepared(reading.server, &index, &body, &parameters, leniency, now)?;
                Ok(run(reading, groups, &search, now)?.answer)
            });
            responses.push(match answered {
                Ok(mut answer) => {
                    answer["status"] = json!(200);
                    answer
                }
                // What ends one for want of time or right ends all.
                Err(problem) if problem.status.is_server_error() || problem.status == 401 => return Err(problem),
                Err(problem) => problem_json(&problem).1,
            });
        }
        Ok(responses)
    })
    .await?;
    Ok(Json(filter.shown(json!({"took": started.elapsed().as_millis() as u64, "responses": responses}))))
}

/// A line of `_msearch` as JSON, or what is wrong with it.
type Line = Result<Json_, Problem>;

/// Headers and bodies by turns, a line each. An empty header says nothing.
fn pairs(bytes: &[u8]) -> Result<Vec<(Line, Line)>, Problem> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Problem::bad_request("parse_exception", "the body is no UTF-8"))?;
    let mut lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if lines.is_empty() {
        return Err(Problem::bad_request(
            "action_request_validation_exception",
            "Validation Failed: 1: no requests added;",
        ));
    }
    let mut searches = Vec::new();
    let mut lines = lines.into_iter();
    while let Some(header) = lines.next() {
        let Some(body) = lines.next() else {
            let message = format!("line {} is a header without a body behind it", searches.len() * 2 + 1);
            return Err(Problem::bad_request("illegal_argument_exception", message));
        };
        if searches.len() >= SEARCHES_MAX {
            let message = format!("more than {SEARCHES_MAX} searches in one request");
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
        searches.push((json_of(header.as_bytes()), json_of(body.as_bytes())));
    }
    Ok(searches)
}

/// What a search came to.
pub(super) struct Found {
    /// The answer without what belongs to scrolling.
    pub(super) answer: Json_,
    /// The last hit, where scrolling goes on.
    pub(super) last: Option<Hit>,
    /// How many events there are, where it was counted.
    pub(super) total: Option<u64>,
}

/// Runs a search over groups; without any, nothing is found.
pub(super) fn run(
    reading: &Reading<'_>,
    groups: Option<Vec<GroupPattern>>,
    search: &Search,
    now: Timestamp,
) -> Result<Found, Problem> {
    let started = Instant::now();
    let mut selection = search.selection.clone();
    let has_groups = groups.as_ref().is_some_and(|groups| reaches_any(reading.server, groups));
    let groups = groups.unwrap_or_else(|| {
        // No group has an empty name.
        selection.range = TimeRange { from: selection.range.from, to: selection.range.from };
        vec![GroupPattern::new("")]
    });
    let snapshot = reading.snapshot(&groups, selection.range);
    let mut asking = Asking { reading, snapshot: &snapshot, groups, now, reasons: Vec::new() };
    let mut of_hits = selection.clone();
    of_hits.operators.extend(search.post_filter.iter().flat_map(|post| post.operators.clone()));
    let found = match search.size {
        0 => Vec::new(),
        _ => hits::find(&mut asking, of_hits.clone(), search)?,
    };
    let mut total = search.known_total.or_else(|| total_of_hits(search, found.len()));
    let counts_all = total.is_none() && search.total != Total::None;
    let counts_apart = counts_all && search.post_filter.is_some();
    let mut folded = Folded::default();
    if !search.aggregations.is_empty() || (counts_all && !counts_apart) {
        folded = run_aggregations(&search.aggregations, &selection, counts_all && !counts_apart, &mut asking)?;
    }
    if counts_apart {
        folded.total = run_aggregations(&Default::default(), &of_hits, true, &mut asking)?.total;
    }
    if counts_all {
        total = folded.total;
    }
    let last = found.last().map(Hit::place);
    let reasons = std::mem::take(&mut asking.reasons);
    let has_scores = search.order.is_empty();
    let mut members = Map::new();
    if search.total != Total::None {
        members.insert("total".into(), search.total.shown(total.unwrap_or(0), search.total_as_number));
    }
    members.insert("max_score".into(), if has_scores && !found.is_empty() { json!(1.0) } else { Json_::Null });
    members.insert("hits".into(), found.into_iter().map(|hit| hit.json).collect());
    let mut answer = json!({
        "took": started.elapsed().as_millis() as u64,
        "timed_out": reasons.iter().any(|reason| reason.code == "timeout"),
        "_shards": shards(&reasons),
        "hits": members,
    });
    // Without an index there is nothing that could be aggregated.
    if !search.aggregations.is_empty() && has_groups {
        let aggregations = folded.aggregations;
        let shown = if search.typed_keys { search.aggregations.typed(aggregations) } else { aggregations };
        answer["aggregations"] = shown.into();
    }
    Ok(Found { answer, last, total })
}

/// Whether a group that these patterns mean exists for the caller, or an index of one was made.
fn reaches_any(server: &Shared, groups: &[GroupPattern]) -> bool {
    let is_meant = |name: &str| groups.is_empty() || GroupPattern::any_matches(groups, name);
    server.groups().iter().any(|group| is_meant(group.name.as_str()))
        || made::empty(server).is_ok_and(|made| made.iter().any(|group| is_meant(group.as_str())))
}

/// The number of events, where the hits tell: fewer were found than were asked for, and none was collapsed.
fn total_of_hits(search: &Search, n_found: usize) -> Option<u64> {
    let is_whole =
        search.cursor.is_none() && search.size > 0 && n_found < search.size && (n_found > 0 || search.from == 0);
    let is_whole = is_whole && search.collapse.is_none();
    is_whole.then_some((search.from + n_found) as u64)
}

/// One shard, which failed where something is missing.
fn shards(reasons: &[PartialReason]) -> Json_ {
    let damages: Vec<Json_> = reasons
        .iter()
        .map(|reason| json!({"shard": 0, "reason": {"type": "exception", "reason": reason.message}}))
        .collect();
    let failed = usize::from(!damages.is_empty());
    let mut shards = json!({"total": 1, "successful": 1 - failed, "skipped": 0, "failed": failed});
    if failed > 0 {
        shards["failures"] = damages.into();
    }
    shards
}

/// Runs the plans of one search over one snapshot.
pub(super) struct Asking<'a> {
    reading: &'a Reading<'a>,
    pub(super) snapshot: &'a Snapshot,
    groups: Vec<GroupPattern>,
    pub(super) now: Timestamp,
    reasons: Vec<PartialReason>,
}

impl Asking<'_> {
    /// The answer of a plan.
    pub(super) fn ask(&mut self, plan: &Plan, range: TimeRange, zone: Tz) -> Result<Answer, Problem> {
        let scope = Scope { groups: self.groups.clone(), limit: None, time_zone: zone, now: self.now };
        let mut answer = self.reading.execute_on(self.snapshot, plan, &scope, range)?;
        self.note(std::mem::take(&mut answer.partial_reasons));
        Ok(answer)
    }

    fn note(&mut self, reasons: Vec<PartialReason>) {
        for reason in reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

impl Asker for Asking<'_> {
    type Error = Problem;

    fn rows(&mut self, plan: &Plan, range: TimeRange, zone: Tz) -> Result<Vec<Vec<Option<Value>>>, Problem> {
        Ok(self.ask(plan, range, zone)?.rows)
    }

    fn background_rows(&mut self, plan: &Plan, zone: Tz) -> Result<Vec<Vec<Option<Value>>>, Problem> {
        let snapshot = self.reading.snapshot(&self.groups, TimeRange::ALL);
        let scope = Scope { groups: self.groups.clone(), limit: None, time_zone: zone, now: self.now };
        let mut answer = self.reading.execute_on(&snapshot, plan, &scope, TimeRange::ALL)?;
        self.note(std::mem::take(&mut answer.partial_reasons));
        Ok(answer.rows)
    }

    fn hits(&mut self, selection: Selection, body: &Json_, at: &str) -> Result<Json_, Problem> {
        let schema = mappings::schema(self.reading.server, Some(&self.groups))?;
        let search = Search::of_top_hits(body, selection.clone(), at, &schema)?;
        let found = hits::find(self, selection.clone(), &search)?;
        let total = match total_of_hits(&search, found.len()) {
            Some(total) => total,
            None => run_aggregations(&Default::default(), &selection, true, self)?.total.unwrap_or(0),
        };
        let hits: Vec<Json_> = found.into_iter().map(|hit| hit.json).collect();
        Ok(json!({"hits": {"total": {"value": total, "relation": "eq"}, "max_score": null, "hits": hits}}))
    }
}
