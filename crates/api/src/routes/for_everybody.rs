//! `/api/v1/for/{name}`: how a group or service is, for people who know no query: is it up, is it slow, what went wrong, who is
//! on it, how last month was. With the links by which people without a key see it.
//!
//! `wrong` lists what is wrong, and every answer follows from it: while an entry is open, the subject is not well.

mod concerning;
mod known;
mod measured;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dashboard::derive::Subject;
use serde::Deserialize;
use serde_json::{Value, json};
use types::{GroupName, Timestamp};

use crate::state::{Api, Shared};
use crate::{ask, links};
use door::{FamilyState, HandlerServer, Parameters, PathName, Problem, Role, SentJson, Table, blocking};

/// The header that a link's token comes in: it is never part of an address that a server writes down.
const LINK: &str = "x-catat-link";

/// How long a link lasts unless it is said, and at least and at most.
const LINK_LASTS: i64 = 7 * Timestamp::DAY;
const LINK_LASTS_MIN: i64 = 5 * Timestamp::MINUTE;
const LINK_LASTS_MAX: i64 = 366 * Timestamp::DAY;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkOrder {
    expires_in: Option<String>,
}

/// Returns the routes of the page for everybody.
pub(crate) fn add(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/for/{name}", Role::Read, get)
        .get("/api/v1/for/{name}/by-link", Role::None, get_by_link)
        .get("/api/v1/for/{name}/links", Role::Operate, blocking(list_links))
        .post("/api/v1/for/{name}/links", Role::Operate, blocking(post_link))
        .delete("/api/v1/for/{name}/links/{id}", Role::Operate, blocking(delete_link))
}

async fn get(server: Shared, PathName(name): PathName, parameters: Parameters) -> Result<Response, Problem> {
    let mut answer = how(&server, &name, &parameters).await?;
    answer["may_share"] = server.caller.may(Role::Operate).into();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Answers a request that has a link instead of a key.
async fn get_by_link(
    server: Shared,
    PathName(name): PathName,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = headers.get(LINK).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let subject = name.clone();
    let work = move |server: &Shared| links::caller_of(server.settings(), &token, &subject, server.now());
    let caller = server.look_up(work).await??;
    let answer = how(&server.as_caller(caller.into()), &name, &parameters).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Returns how something is, as the caller may know it.
async fn how(server: &Shared, name: &str, parameters: &Parameters) -> Result<Value, Problem> {
    parameters.check_names(&["time_zone"])?;
    let zone = ask::time_zone(parameters.get("time_zone"))?;
    let (subject, now) = (subject_of(server, name), server.now());
    let asked = subject.clone();
    let measured = server.read(name, move |run| measured::measure(run, &asked, now)).await?;
    if measured.last.is_none() {
        let message = format!("nothing is known of {:?}", subject.name());
        let problem = Problem::not_found(message);
        return Err(problem.hint("there is no group or service of this name with lines of the last week"));
    }
    let (asked, alerts) = (subject.clone(), measured.alerts.clone());
    let known = server.look_up(move |server| known::find(server, &asked, &alerts, (now, zone))).await??;
    let wrong = wrong(&measured, &known, now);
    Ok(json!({
        "name": subject.name(), "kind": subject.kind(), "at": now.to_string(),
        "up": up(&measured, &known, now), "speed": measured.speed.to_json(),
        "open": wrong.iter().any(|one| one["open"] == true), "wrong": wrong,
        "people": known.people, "month": known.month, "partial": measured.is_partial,
    }))
}

/// Returns what a name means: `group:NAME`, `service:NAME`, else a group of this name, else a service.
fn subject_of(server: &Shared, name: &str) -> Subject {
    match Subject::parse(name) {
        Some(subject @ (Subject::Group(_) | Subject::Service(_))) => return subject,
        Some(Subject::Host(_)) | None => {}
    }
    let is_group = GroupName::new(name).is_some_and(|group| server.store().has_group(&group));
    if is_group { Subject::Group(name.to_owned()) } else { Subject::Service(name.to_owned()) }
}

/// Returns whether it works, in one word, since when, and what that is known by.
fn up(measured: &measured::Measured, known: &known::Knowledge, now: Timestamp) -> Value {
    let failed = measured.requests.failed_of_100();
    let (state, since) = if measured.requests.is_down() {
        ("down", measured.requests.since)
    } else if measured.requests.is_troubled() {
        ("trouble", measured.requests.since)
    } else if known.open_since.is_some() {
        ("trouble", known.open_since)
    } else if measured.is_silent(now) {
        ("silent", measured.last)
    } else if failed.is_none() && measured.rising_since().is_some() {
        ("trouble", measured.rising_since())
    } else {
        ("up", None)
    };
    json!({
        "state": state, "since": since.map(|at| at.to_string()), "last": measured.last.map(|at| at.to_string()),
        "failed_of_100": failed, "known_by": if failed.is_some() { "requests" } else { "lines" },
    })
}

/// Returns what went wrong: what is not over, then the rest; of each the newest first.
fn wrong(measured: &measured::Measured, known: &known::Knowledge, now: Timestamp) -> Vec<Value> {
    let sign = |is_so: bool, kind: &str, since: Option<Timestamp>| is_so.then(|| known::entry(kind, None, since, None));
    let requests = &measured.requests;
    let signs = [
        sign(requests.is_troubled(), "requests", requests.since),
        sign(measured.speed.is_slower(), "slow", None),
        sign(measured.is_silent(now), "silent", measured.last),
        measured.errors_json(known.n_issues),
    ];
    let mut all: Vec<Value> = known.wrong.iter().cloned().chain(signs.into_iter().flatten()).collect();
    all.sort_by_key(|one| {
        let since = one["since"].as_str().and_then(Timestamp::parse_rfc3339).map_or(0, |at| at.0);
        (one["open"] != true, std::cmp::Reverse(since))
    });
    all
}

fn list_links(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"links": links::list(server.settings(), &server.caller, &name, server.now())?})))
}

fn post_link(
    server: &Shared,
    PathName(name): PathName,
    body: SentJson<{ 64 << 10 }>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let order: LinkOrder = body.read()?;
    let bad =
        |message: String| Problem::bad_request("bad-link", message).hint("write a duration such as 7d, 5m to 366d");
    let lasts = match &order.expires_in {
        None => LINK_LASTS,
        Some(text) => types::parse_duration_ns(text).map_err(|error| bad(format!("expires_in: {error}")))?,
    };
    if !(LINK_LASTS_MIN..=LINK_LASTS_MAX).contains(&lasts) {
        return Err(bad("expires_in: a link lasts 5m to 366d".to_owned()));
    }
    let now = server.now();
    let expires = Timestamp(now.0.saturating_add(lasts));
    let made = links::make(server.settings(), &server.caller, &name, (now, expires))?;
    let expires = made.expires.to_string();
    server.audit_own("link made", &json!({"link": made.id, "for": name, "expires": expires}));
    let answer = json!({"id": made.id, "token": made.token, "expires": expires});
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)))
}

fn delete_link(server: &Shared, Path((name, id)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    links::remove(server.settings(), &server.caller, &name, &id)?;
    server.audit_own("link withdrawn", &json!({"link": id, "for": name}));
    Ok(Json(json!({"deleted": true})))
}
