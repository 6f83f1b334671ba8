//! `/api/v1/incidents` and `/api/v1/ledger`: what failed, when, what was done, and how long it took.

use axum::http::{HeaderValue, StatusCode, header};
use incident::{
    Author, ChangeError, Incident, IncidentChange, ItemKind, Month, NewItem, Objectives, ledger_csv, ledger_html,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use types::{EventId, GroupPattern, Locale, TimeRange, Timestamp, hexadecimal};

use super::alerts;
use crate::ask;
use crate::locale::locale;
use crate::state::{Call, Routes, Shared};
use door::spans::later;
use door::{Outcome, Problem, Reply, RequestBody, Result, Role, Scope};

/// A body: a timeline.
const BODY_BYTES_MAX: usize = 2 << 20;

/// Longest text of a pinned event.
const TEXT_CHARS_MAX: usize = 4_000;

/// Returns the routes of incidents.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/incidents", Role::Read, |call| call.look_up(list))
        .post("/api/v1/incidents", Role::Operate, |call| call.json()?.read(BODY_BYTES_MAX, post))
        .get("/api/v1/incidents/{id}", Role::Read, |call| call.look_up(get))
        .patch("/api/v1/incidents/{id}", Role::Operate, |call| call.json()?.read(BODY_BYTES_MAX, patch))
        .delete("/api/v1/incidents/{id}", Role::Operate, |call| call.look_up(delete))
        .post("/api/v1/incidents/{id}/items", Role::Operate, |call| call.json()?.read(BODY_BYTES_MAX, post_item))
        .delete("/api/v1/incidents/{id}/items/{item}", Role::Operate, |call| call.look_up(delete_item))
        .get("/api/v1/incidents/{id}/post-mortem", Role::Read, post_mortem)
        .get("/api/v1/ledger", Role::Read, ledger)
}

fn list(Call { server, parameters, .. }: &Call) -> Outcome {
    parameters.check_names(&["service", "state"])?;
    if let Some(state) = parameters.get("state").filter(|state| !["open", "mitigated", "remediated"].contains(state)) {
        let problem = Problem::bad_parameter(format!("state: there is no state {state:?}"));
        return Err(problem.hint("states are open, mitigated, remediated"));
    }
    let incidents = listed(server)?;
    let is_of = |incident: &&Incident| {
        let service = parameters.get("service");
        service.is_none_or(|service| incident.services.iter().any(|own| own == service))
    };
    let mut shown: Vec<Value> = incidents.iter().filter(is_of).map(Incident::to_json).collect();
    shown.retain(|incident| parameters.get("state").is_none_or(|state| incident["state"] == state));
    Ok(Reply::json(&json!({"incidents": shown})))
}

fn get(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    Ok(Reply::json(&one(server, id)?.to_json()))
}

/// Returns an incident that exists for the caller. Blocks.
fn one(server: &Shared, id: &str) -> Result<Incident> {
    server.state.incidents.get(server.settings(), &server.caller.scope, id).map_err(problem_of)
}

fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let mut new: IncidentChange = read_json(&body)?;
    Ok(Reply::later(async move {
        for item in new.items.iter_mut().flatten() {
            complete(&server, item).await?;
        }
        let id = hexadecimal(&door::random::<8>()?);
        Ok(Reply::look_up(&server.clone(), move || {
            let (by, now) = (author(&server), server.now());
            let made = server.state.incidents.make(server.settings(), &by, new, (id, now)).map_err(problem_of)?;
            server.audit_own("incident made", &json!({"incident": made.id, "title": made.title}));
            Ok(Reply::json(&made.to_json()).with_status(StatusCode::CREATED))
        }))
    }))
}

fn patch(Call { server, path: [id, _], .. }: Call, body: RequestBody) -> Outcome {
    let mut change: IncidentChange = read_json(&body)?;
    Ok(Reply::later(async move {
        for item in change.items.iter_mut().flatten().filter(|item| item.id.is_none()) {
            complete(&server, item).await?;
        }
        Ok(Reply::look_up(&server.clone(), move || {
            changed(&server, &id, &|incident, by, now| incident.changed(change.clone(), by, now))
        }))
    }))
}

fn post_item(Call { server, path: [id, _], .. }: Call, body: RequestBody) -> Outcome {
    let mut item: NewItem = read_json(&body)?;
    Ok(Reply::later(async move {
        complete(&server, &mut item).await?;
        Ok(Reply::look_up(&server.clone(), move || {
            let change = |incident: &Incident, by: &_, now| incident.with_item(item.clone(), by, now);
            Ok(changed(&server, &id, &change)?.with_status(StatusCode::CREATED))
        }))
    }))
}

fn delete_item(Call { server, path: [id, item], .. }: &Call) -> Outcome {
    changed(server, id, &|incident, _, now| incident.without_item(item, now))
}

type Change<'c> = &'c dyn Fn(&Incident, &Author, Timestamp) -> Result<Incident, ChangeError>;

/// Changes an incident and answers with it. Blocks.
fn changed(server: &Shared, id: &str, change: Change<'_>) -> Outcome {
    let (by, now) = (author(server), server.now());
    let change = |incident: &Incident| change(incident, &by, now);
    let incident = server.state.incidents.change(server.settings(), &by, id, &change).map_err(problem_of)?;
    server.audit_own("incident changed", &json!({"incident": incident.id, "title": incident.title}));
    Ok(Reply::json(&incident.to_json()))
}

fn delete(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    server.state.incidents.remove(server.settings(), &server.caller.scope, id).map_err(problem_of)?;
    server.audit_own("incident removed", &json!({"incident": id}));
    Ok(Reply::json(&json!({"deleted": true})))
}

/// Fills in what the server knows of an item: the text of an event, the beginning of an alert, the title of an issue.
async fn complete(server: &Shared, item: &mut NewItem) -> Result<()> {
    let Some(reference) = item.reference.clone().filter(|_| item.id.is_none()) else { return Ok(()) };
    match item.kind {
        ItemKind::Event => complete_event(server, item, &reference).await,
        ItemKind::Alert => complete_alert(server, item, &reference),
        ItemKind::Issue => complete_issue(server, item, reference).await,
        ItemKind::Trace => {
            let url =
                || format!("/trace/{}", reference.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
            item.url.get_or_insert_with(url);
            Ok(())
        }
        ItemKind::Note | ItemKind::Mark | ItemKind::Query => Ok(()),
    }
}

async fn complete_event(server: &Shared, item: &mut NewItem, reference: &str) -> Result<()> {
    let bad_id = || Problem::bad_request("bad-id", format!("reference: {reference:?} is no @id of an event"));
    let id = EventId::decode(reference).ok_or_else(bad_id)?;
    let gone = || Problem::not_found(format!("there is no event {reference:?}"));
    let group = server.store().group_of(id.group_id).filter(|group| server.reaches(group.as_str())).ok_or_else(gone)?;
    let scope = Scope {
        groups: vec![GroupPattern::new(group.as_str())],
        limit: None,
        time_zone: chrono_tz::UTC,
        now: server.now(),
    };
    let instant = TimeRange { from: id.timestamp, to: later(id.timestamp, 1) };
    let options = language::ParseOptions { now: scope.now, time_zone: scope.time_zone };
    let plan = ask::parse("fields @message", None, &options)?;
    let text = server
        .read("", move |reading| {
            let plan = execute::event_plan(&plan, id).map_err(|error| Problem::internal(error.to_string()))?;
            let answer = reading.execute(&plan, &scope, instant)?;
            let text = answer.rows.first().and_then(|row| match row.first()?.as_ref()? {
                types::Value::String(text) => Some(text.to_string()),
                other => Some(other.to_string()),
            });
            Ok(text)
        })
        .await?;
    let text = text.ok_or_else(gone)?;
    // What was logged is pinned, whatever the request says that it was.
    item.text =
        text.chars().filter(|char| !char.is_control() || matches!(char, '\n' | '\t')).take(TEXT_CHARS_MAX).collect();
    (item.groups, item.at) = (Some(group.as_str().to_owned()), Some(id.timestamp.to_string().into()));
    Ok(())
}

fn complete_alert(server: &Shared, item: &mut NewItem, reference: &str) -> Result<()> {
    let Some(alert) = alerts::visible(server).into_iter().find(|alert| alert.id == reference) else {
        if item.at.is_some() && item.until.is_some() {
            return Ok(());
        }
        let problem = Problem::not_found(format!("there is no alert {reference:?} now"));
        return Err(problem.hint("give at and until of an alert that is over"));
    };
    let rules = server.app.alerts.rules();
    let groups = rules.iter().find(|rule| rule.name == alert.rule).map(|rule| rule.groups.clone()).unwrap_or_default();
    if item.groups.is_none() && !groups.is_empty() {
        item.groups = Some(groups.join(","));
    }
    if item.text.is_empty() {
        item.text = alert.annotations.get("summary").unwrap_or(&alert.rule).replace(char::is_control, " ");
    }
    item.at.get_or_insert_with(|| alert.since.clone().into());
    Ok(())
}

async fn complete_issue(server: &Shared, item: &mut NewItem, reference: String) -> Result<()> {
    let of_thread = server.clone();
    let work = move || {
        let found = of_thread.state.issues()?.get(&of_thread.caller.scope, &reference);
        found.map_err(|error| Problem::not_found(error.to_string()))
    };
    let issue = server.lookups.run(work).await??;
    if item.text.is_empty() {
        item.text = issue.title.replace(char::is_control, " ");
    }
    item.groups = Some(issue.group);
    item.url.get_or_insert(issue.url);
    item.at.get_or_insert_with(|| issue.first_seen.into());
    Ok(())
}

fn post_mortem(call: Call) -> Outcome {
    call.parameters.check_names(&["lang"])?;
    let locale = locale(&call.parameters, &call.parts.headers)?;
    let Call { server, path: [id, _], .. } = call;
    Ok(Reply::look_up(&server.clone(), move || {
        let incident = one(&server, &id)?;
        let text = incident::post_mortem(&incident, server.app.alerts.base_url(), locale);
        let file = HeaderValue::try_from(format!("attachment; filename=\"incident-{}.md\"", incident.id));
        let file = file.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Reply::content("text/markdown; charset=utf-8", text).with_header(header::CONTENT_DISPOSITION, file))
    }))
}

/// Answers with the ledger of a month: JSON, CSV, or a page for printing.
fn ledger(Call { server, parameters, parts, .. }: Call) -> Outcome {
    parameters.check_names(&["month", "time_zone", "lang", "format", "objective"])?;
    let (zone, now) = (ask::time_zone(parameters.get("time_zone"))?, server.now());
    let month = match parameters.get("month") {
        None => Month::of(now, zone),
        Some(text) => Month::parse(text, zone)
            .ok_or_else(|| Problem::bad_parameter(format!("month: {text:?} is no month")).hint("write 2026-11"))?,
    };
    let objectives = Objectives::parse(parameters.get("objective").unwrap_or_default()).map_err(|problem| {
        let problem = Problem::bad_parameter(format!("objective: {problem}"));
        problem.hint("write 99.9, and services with their own behind it: 99.9,pay=99.95")
    })?;
    let locale = locale(&parameters, &parts.headers)?;
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = match parameters.get("format") {
        Some(format) => format,
        None if accept.contains("text/csv") => "csv",
        None if accept.contains("text/html") => "html",
        None => "json",
    };
    let format = ["json", "csv", "html"].into_iter().find(|known| *known == format).ok_or_else(|| {
        Problem::bad_parameter(format!("format: there is no format {format:?}")).hint("formats are json, csv, html")
    })?;
    Ok(Reply::look_up(&server.clone(), move || {
        let (kind, text) = match format {
            "html" => ("text/html; charset=utf-8", ledger_page(&server, (month, &objectives), locale, now)?),
            _ => {
                let ledger = incident::ledger(&listed(&server)?, month, &objectives, now);
                if format == "json" {
                    return Ok(Reply::serialized(&ledger));
                }
                ("text/csv; charset=utf-8", ledger_csv(&ledger))
            }
        };
        let vary = HeaderValue::from_static("Accept, Accept-Language");
        Ok(Reply::content(kind, text).with_header(header::VARY, vary))
    }))
}

/// Returns the ledger of a month and its incidents as a page for printing. Blocks.
pub(crate) fn ledger_page(
    server: &Shared,
    (month, objectives): (Month, &Objectives),
    locale: Locale,
    now: Timestamp,
) -> Result<String> {
    let incidents = listed(server)?;
    let (from, to) = month.range();
    let ledger = incident::ledger(&incidents, month, objectives, now);
    let mut own: Vec<Incident> = incidents.into_iter().filter(|one| (from..to).contains(&one.start())).collect();
    own.reverse();
    Ok(ledger_html(&ledger, &own, month.zone(), locale))
}

/// Returns the incidents that exist for the caller. Blocks.
fn listed(server: &Shared) -> Result<Vec<Incident>> {
    server.state.incidents.list(server.settings(), &server.caller.scope).map_err(problem_of)
}

/// Reads a body of JSON; errors quote it, as it holds no secret.
fn read_json<T: DeserializeOwned>(body: &RequestBody) -> Result<T> {
    body.json_or(|error| Problem::bad_request("bad-incident", error.to_string()))
}

pub(super) fn author(server: &Shared) -> Author {
    Author { name: server.caller.name.to_string(), scope: server.caller.scope.clone() }
}

fn problem_of(error: ChangeError) -> Problem {
    let message = error.to_string();
    match error {
        ChangeError::Bad(_) => Problem::bad_request("bad-incident", message),
        ChangeError::NotFound(..) => Problem::not_found(message),
        ChangeError::Conflict(_) => Problem::conflict("incident-conflict", message),
        ChangeError::Store(error) => error.into(),
    }
}
