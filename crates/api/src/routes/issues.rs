//! `/api/v1/issues`: errors that are one pattern at one place, and what is decided about them.

mod users;

use std::collections::BTreeSet;

use incident::{ChangeError, DecisionChange, IssueFilter, IssueState, Issues};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use self::users::with_users;
use super::incidents::author;
use crate::state::{Api, Call, Routes};
use door::{Outcome, Parameters, Problem, Reply, RequestBody, Result, Role};

/// Issues of one answer, unless it asks for another number, and the most.
const ISSUES_DEFAULT: usize = 500;
const ISSUES_MAX: usize = 5_000;

/// A body: a note and a few names.
const BODY_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with ids")]
struct Merge {
    ids: Vec<String>,
}

/// Returns the routes of issues.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/issues", Role::Read, list)
        .post("/api/v1/issues/merge", Role::Operate, |call| call.json()?.look_up_with(BODY_BYTES_MAX, merge))
        .get("/api/v1/issues/{id}", Role::Read, get)
        .patch("/api/v1/issues/{id}", Role::Operate, |call| call.json()?.look_up_with(BODY_BYTES_MAX, patch))
        .post("/api/v1/issues/{id}/split", Role::Operate, |call| call.look_up(split))
}

fn list(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["state", "groups", "group", "service", "limit", "users"])?;
    let filter = IssueFilter {
        states: states(&parameters)?,
        groups: parameters.groups(),
        service: parameters.get("service").map(str::to_owned),
    };
    let limit = parameters.number("limit")?.unwrap_or(ISSUES_DEFAULT).min(ISSUES_MAX);
    Ok(Reply::look_up(&server.clone(), move || {
        let issues = server.state.issues()?;
        let (mut found, problem) = (issues.list(&server.caller.scope, &filter), issues.problem());
        let total = found.len();
        found.truncate(limit);
        with_users(&server, found, parameters.get("users"), move |issues| {
            let mut answer = json!({"issues": issues, "total": total});
            if let Some(problem) = &problem {
                answer["problem"] = problem.as_str().into();
            }
            Ok(Reply::json(&answer))
        })
    }))
}

/// Reads `state`: names, repeated or separated by commas.
fn states(parameters: &Parameters) -> Result<BTreeSet<IssueState>> {
    let names = parameters.all("state").flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let read = |name: &str| {
        IssueState::named(name).ok_or_else(|| {
            let problem = Problem::bad_parameter(format!("state: there is no state {name:?}"));
            problem.hint(format!("states are {}", IssueState::ALL.map(IssueState::name).join(", ")))
        })
    };
    names.map(read).collect()
}

fn get(Call { server, path: [id, _], parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["users"])?;
    Ok(Reply::look_up(&server.clone(), move || {
        let issue = server.state.issues()?.get(&server.caller.scope, &id).map_err(problem_of)?;
        with_users(&server, vec![issue], parameters.get("users"), |issues| Ok(Reply::json(&issues[0])))
    }))
}

fn patch(Call { server, path: [id, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let issue =
        server.state.issues()?.change(&author(server), id, read::<DecisionChange>(body)?).map_err(problem_of)?;
    server.audit_own("issue changed", &json!({"issue": issue.id, "state": issue.state, "owner": issue.owner}));
    Ok(Reply::json(&json!(issue)))
}

fn merge(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let Merge { ids } = read(body)?;
    let issue = server.state.issues()?.merge(&author(server), &ids).map_err(problem_of)?;
    server.audit_own("issues merged", &json!({"issue": issue.id, "ids": ids}));
    Ok(Reply::json(&json!(issue)))
}

fn split(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    let issues = server.state.issues()?.split(&author(server), id).map_err(problem_of)?;
    server.audit_own("issue split", &json!({"issue": id}));
    Ok(Reply::json(&json!({"issues": issues})))
}

/// Reads a body of JSON; errors quote it, as it holds no secret.
fn read<T: DeserializeOwned>(body: &RequestBody) -> Result<T> {
    body.json_or(|error| Problem::bad_request("bad-issue", error.to_string()))
}

fn problem_of(error: ChangeError) -> Problem {
    let message = error.to_string();
    match error {
        ChangeError::Bad(_) => Problem::bad_request("bad-issue", message),
        ChangeError::NotFound(..) => Problem::not_found(message),
        ChangeError::Conflict(_) => Problem::conflict("issue-conflict", message),
        ChangeError::Store(error) => error.into(),
    }
}

impl Api {
    /// Returns the issues, if they are counted.
    pub(crate) fn issues(&self) -> Result<&Issues> {
        self.issues
            .as_ref()
            .map_err(|reason| Problem::unavailable("issues-unavailable", format!("issues are not counted: {reason}")))
    }
}
