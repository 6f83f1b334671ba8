//! `/api/v1/issues`: errors that are one pattern at one place, and what is decided about them.

mod users;

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use incident::{Author, DecisionChange, IssueError, IssueFilter, IssueState, Issues};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::users::with_users;
use super::session::read_json_or;
use crate::state::{Api, Shared};
use door::access::Role;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::server::FamilyState;
use door::table::Table;

/// Issues of one answer, unless it asks for another number, and the most.
const ISSUES_DEFAULT: usize = 500;
const ISSUES_MAX: usize = 5_000;

/// Largest body: a note and a few names.
const BODY_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with ids")]
struct Merge {
    ids: Vec<String>,
}

/// Returns the routes of issues.
pub(crate) fn add(table: Table<FamilyState<Api>>) -> Table<FamilyState<Api>> {
    table
        .get("/api/v1/issues", Role::Read, list)
        .post("/api/v1/issues/merge", Role::Operate, merge)
        .get("/api/v1/issues/{id}", Role::Read, get)
        .patch("/api/v1/issues/{id}", Role::Operate, patch)
        .post("/api/v1/issues/{id}/split", Role::Operate, split)
}

async fn list(server: Shared, parameters: Parameters) -> Result<Json<Value>, Problem> {
    parameters.check_names(&["state", "groups", "group", "service", "limit", "users"])?;
    let filter = IssueFilter {
        states: states(&parameters)?,
        groups: parameters.groups(),
        service: parameters.get("service").map(str::to_owned),
    };
    let limit = parameters.number("limit")?.unwrap_or(ISSUES_DEFAULT).min(ISSUES_MAX);
    let of_thread = server.clone();
    let work = move || {
        let issues = of_thread.state.issues()?;
        Ok::<_, Problem>((issues.list(&of_thread.caller.scope, &filter), issues.problem()))
    };
    let (mut issues, problem) = server.lookups.run(work).await??;
    let total = issues.len();
    issues.truncate(limit);
    let issues = match parameters.get("users") {
        Some(field) => with_users(&server, issues, field).await?.into(),
        None => json!(issues),
    };
    let mut answer = json!({"issues": issues, "total": total});
    if let Some(problem) = problem {
        answer["problem"] = problem.into();
    }
    Ok(Json(answer))
}

/// Reads `state`: names, repeated or separated by commas.
fn states(parameters: &Parameters) -> Result<BTreeSet<IssueState>, Problem> {
    let names = parameters.all("state").flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let known = |name: &str| IssueState::ALL.into_iter().find(|state| state.name() == name);
    let read = |name: &str| {
        known(name).ok_or_else(|| {
            let problem = Problem::bad_request("bad-parameter", format!("state: there is no state {name:?}"));
            problem.hint(format!("states are {}", IssueState::ALL.map(IssueState::name).join(", ")))
        })
    };
    names.map(read).collect()
}

async fn get(server: Shared, PathName(id): PathName, parameters: Parameters) -> Result<Json<Value>, Problem> {
    parameters.check_names(&["users"])?;
    let of_thread = server.clone();
    let work = move || of_thread.state.issues()?.get(&of_thread.caller.scope, &id).map_err(problem_of);
    let issue = server.lookups.run(work).await??;
    match parameters.get("users") {
        Some(field) => Ok(Json(with_users(&server, vec![issue], field).await?.remove(0))),
        None => Ok(Json(json!(issue))),
    }
}

async fn patch(server: Shared, PathName(id): PathName, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let change: DecisionChange = read(&server, &headers, body).await?;
    let of_thread = server.clone();
    let work = move || {
        let issue = of_thread.state.issues()?.change(&author(&of_thread), &id, change).map_err(problem_of)?;
        of_thread.audit_own("issue changed", &json!({"issue": issue.id, "state": issue.state, "owner": issue.owner}));
        Ok::<_, Problem>(issue)
    };
    Ok(Json(json!(server.lookups.run(work).await??)))
}

async fn merge(server: Shared, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let Merge { ids } = read(&server, &headers, body).await?;
    let of_thread = server.clone();
    let work = move || {
        let issue = of_thread.state.issues()?.merge(&author(&of_thread), &ids).map_err(problem_of)?;
        of_thread.audit_own("issues merged", &json!({"issue": issue.id, "ids": ids}));
        Ok::<_, Problem>(issue)
    };
    Ok(Json(json!(server.lookups.run(work).await??)))
}

async fn split(server: Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        let issues = of_thread.state.issues()?.split(&author(&of_thread), &id).map_err(problem_of)?;
        of_thread.audit_own("issue split", &json!({"issue": id}));
        Ok::<_, Problem>(issues)
    };
    Ok(Json(json!({"issues": server.lookups.run(work).await??})))
}

/// Reads a body of JSON; errors quote it, as it holds no secret.
async fn read<T: DeserializeOwned>(server: &Shared, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let bad = |error: serde_json::Error| Problem::bad_request("bad-issue", error.to_string());
    read_json_or(server, headers, body, BODY_BYTES_MAX, bad).await
}

fn author(server: &Shared) -> Author {
    Author { name: server.caller.name.to_string(), scope: server.caller.scope.clone() }
}

fn problem_of(error: IssueError) -> Problem {
    let message = error.to_string();
    match error {
        IssueError::Bad(_) => Problem::bad_request("bad-issue", message),
        IssueError::NotFound(_) => Problem::not_found(message),
        IssueError::Conflict(_) => Problem::new(StatusCode::CONFLICT, "issue-conflict", message),
        IssueError::Store(error) => error.into(),
    }
}

impl Api {
    /// Returns the issues, if they are counted.
    pub(crate) fn issues(&self) -> Result<&Issues, Problem> {
        self.issues.as_ref().map_err(|reason| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "issues-unavailable",
                format!("issues are not counted: {reason}"),
            )
        })
    }
}
