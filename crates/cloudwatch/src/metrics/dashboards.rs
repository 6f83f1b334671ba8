//! `PutDashboard`, `GetDashboard`, `ListDashboards`, `DeleteDashboards`. A body becomes a dashboard as by an import; what of
//! its widgets was not taken comes back as validation messages. The body itself is kept as it was put.

use door::Role;
use serde_json::{Value, json};
use types::{Timestamp, ensure};

use super::alarms::ACCOUNT;
use super::error::bad_value;
use super::parameters::Parameters;
use crate::answer::{CloudWatchProblem, Result};
use crate::input::Input;
use crate::kept_dashboards::{KeepDashboards, KeptDashboard};
use crate::paging::{page_of, token_of, with_next_token};
use crate::state::Shared;

/// Longest name, as at Amazon, and largest body.
const NAME_CHARS_MAX: usize = 255;
const BODY_CHARS_MAX: usize = 1 << 20;

/// Dashboards of a page, and names in a request.
const PAGE_MAX: usize = 1_000;
const NAMES_MAX: usize = 100;

const OPERATIONS: [&str; 4] = ["PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards"];

type Answer = Result<Value>;

/// Returns the role that an operation on dashboards needs; `None` if it is none. Who may read makes dashboards, as on the page.
pub(super) fn role_of(operation: &str) -> Option<Role> {
    OPERATIONS.contains(&operation).then_some(Role::Read)
}

/// Carries out an operation on dashboards. Blocks.
pub(super) fn carry_out(server: &Shared, operation: &str, input: &Value) -> Answer {
    let kept = server.state.dashboards()?;
    let input = Parameters::new(input);
    match operation {
        "PutDashboard" => put(server, kept, &input),
        "GetDashboard" => get(server, kept, &input),
        "ListDashboards" => list(server, kept, &input),
        // DeleteDashboards: what is none is not carried out.
        _ => delete(server, kept, &input),
    }
}

fn put(server: &Shared, kept: &dyn KeepDashboards, input: &Parameters<'_>) -> Answer {
    let name = input.needed_text("DashboardName", NAME_CHARS_MAX)?;
    let body = input.needed_text("DashboardBody", BODY_CHARS_MAX)?;
    let missed = kept.put(server, name, body).map_err(|problem| match problem.code {
        "not-importable" | "bad-name" | "bad-dashboard" => CloudWatchProblem::invalid_dashboard(problem.sentence()),
        _ => problem.into(),
    })?;
    let message = |(at, why): &(usize, String)| json!({"DataPath": format!("/widgets/{at}"), "Message": why});
    Ok(json!({"DashboardValidationMessages": missed.iter().map(message).collect::<Vec<_>>()}))
}

fn get(server: &Shared, kept: &dyn KeepDashboards, input: &Parameters<'_>) -> Answer {
    let name = input.needed_text("DashboardName", NAME_CHARS_MAX)?;
    let body = kept.body(server, name)?.ok_or_else(|| CloudWatchProblem::no_dashboard(name))?;
    Ok(json!({"DashboardArn": arn(name), "DashboardBody": body, "DashboardName": name}))
}

fn list(server: &Shared, kept: &dyn KeepDashboards, input: &Parameters<'_>) -> Answer {
    let prefix = input.text("DashboardNamePrefix", NAME_CHARS_MAX)?.unwrap_or_default();
    let mut found = kept.list(server)?;
    found.retain(|one| one.name.starts_with(prefix));
    let token = Input::read(json!({"nextToken": input.get("NextToken")}).to_string().as_bytes())?;
    let (page, next) = page_of(&found, PAGE_MAX, &token)?;
    let entry = |one: &KeptDashboard| {
        let changed = one.changed.0 as f64 / Timestamp::SECOND as f64;
        json!({"DashboardName": one.name, "DashboardArn": arn(&one.name), "LastModified": changed, "Size": one.bytes})
    };
    let answer = json!({"DashboardEntries": page.iter().map(entry).collect::<Vec<_>>()});
    Ok(with_next_token(answer, next.map(token_of)))
}

/// Takes dashboards away: all that are named, or none if one of them does not exist.
fn delete(server: &Shared, kept: &dyn KeepDashboards, input: &Parameters<'_>) -> Answer {
    let names = input.texts("DashboardNames", NAMES_MAX)?;
    ensure!(!names.is_empty(), bad_value("DashboardNames must have at least one name."));
    for name in &names {
        kept.body(server, name)?.ok_or_else(|| CloudWatchProblem::no_dashboard(name))?;
    }
    names.iter().try_for_each(|name| kept.remove(server, name))?;
    Ok(json!({}))
}

fn arn(name: &str) -> String {
    format!("arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}")
}
