//! `/api/v1/for/{name}`: how a group or service is, for people who know no query: is it up, is it slow, what went wrong, who is
//! on it, how last month was. With the links by which people without a key see it.
//!
//! `wrong` lists what is wrong, and every answer follows from it: while an entry is open, the subject is not well.

mod concerning;
mod known;
mod measured;

use axum::http::StatusCode;
use dashboard::derive::Subject;
use serde::Deserialize;
use serde_json::{Value, json};
use types::{GroupName, Timestamp, ensure};

use crate::state::{Call, Routes, Shared};
use crate::{ask, links};
use door::{Outcome, Parameters, Problem, Reply, RequestBody, Role};

/// The header that a link's token comes in: it is never part of an address that a server writes down.
const LINK: &str = "x-catat-link";

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

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
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/for/{name}", Role::Read, get)
        .get("/api/v1/for/{name}/by-link", Role::None, |call| call.look_up(get_by_link))
        .get("/api/v1/for/{name}/links", Role::Operate, |call| call.look_up(list_links))
        .post("/api/v1/for/{name}/links", Role::Operate, |call| call.json()?.look_up_with(BODY_BYTES_MAX, post_link))
        .delete("/api/v1/for/{name}/links/{id}", Role::Operate, |call| call.look_up(delete_link))
}

fn get(Call { server, path: [name, _], parameters, .. }: Call) -> Outcome {
    let may_share = server.caller.may(Role::Operate);
    how(server, &name, &parameters, Some(may_share))
}

/// Answers a request that has a link instead of a key.
fn get_by_link(Call { server, path: [name, _], parameters, parts }: &Call) -> Outcome {
    let token = parts.headers.get(LINK).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let caller = links::caller_of(server.settings(), token, name, server.now())?;
    how(server.as_caller(caller.into()), name, parameters, None)
}

/// Answers how something is, as the caller may know it, and whether they may share it.
fn how(server: Shared, name: &str, parameters: &Parameters, may_share: Option<bool>) -> Outcome {
    parameters.check_names(&["time_zone"])?;
    let zone = ask::time_zone(parameters.get("time_zone"))?;
    let (subject, now) = (subject_of(&server, name), server.now());
    Ok(Reply::query(&server.clone(), name, move |run| {
        let measured = measured::measure(run, &subject, now)?;
        if measured.last.is_none() {
            let message = format!("nothing is known of {:?}", subject.name());
            let problem = Problem::not_found(message);
            return Err(problem.hint("there is no group or service of this name with lines of the last week"));
        }
        Ok(Reply::look_up(&server.clone(), move || {
            let known = known::find(&server, &subject, &measured.alerts, (now, zone))?;
            let wrong = wrong(&measured, &known, now);
            let mut answer = json!({
                "name": subject.name(), "kind": subject.kind(), "at": now.to_string(),
                "up": up(&measured, &known, now), "speed": measured.speed.to_json(),
                "open": wrong.iter().any(|one| one["open"] == true), "wrong": wrong,
                "people": known.people, "month": known.month, "partial": measured.is_partial,
            });
            if let Some(may_share) = may_share {
                answer["may_share"] = may_share.into();
            }
            Ok(Reply::json(&answer).not_stored())
        }))
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

fn list_links(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    Ok(Reply::json(&json!({"links": links::list(server.settings(), &server.caller, name, server.now())?})))
}

fn post_link(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let order: LinkOrder = body.json()?;
    let bad =
        |message: String| Problem::bad_request("bad-link", message).hint("write a duration such as 7d, 5m to 366d");
    let lasts = match &order.expires_in {
        None => LINK_LASTS,
        Some(text) => types::parse_duration_ns(text).map_err(|error| bad(format!("expires_in: {error}")))?,
    };
    ensure!((LINK_LASTS_MIN..=LINK_LASTS_MAX).contains(&lasts), bad("expires_in: a link lasts 5m to 366d".to_owned()));
    let now = server.now();
    let expires = Timestamp(now.0.saturating_add(lasts));
    let made = links::make(server.settings(), &server.caller, name, (now, expires))?;
    let expires = made.expires.to_string();
    server.audit_own("link made", &json!({"link": made.id, "for": name, "expires": expires}));
    let answer = json!({"id": made.id, "token": made.token, "expires": expires});
    Ok(Reply::json(&answer).with_status(StatusCode::CREATED).not_stored())
}

fn delete_link(Call { server, path: [name, id], .. }: &Call) -> Outcome {
    links::remove(server.settings(), &server.caller, name, id)?;
    server.audit_own("link withdrawn", &json!({"link": id, "for": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}
