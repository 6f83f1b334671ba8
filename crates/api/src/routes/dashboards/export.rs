//! `GET /api/v1/dashboards/{name}/export`: the data of one panel as a file.

use std::collections::BTreeMap;

use axum::response::Response;
use dashboard::{Choice, Choices, Dashboard, Panel, Variable};
use serde_json::Value;

use super::look_up;
use crate::ask::{Ask, Groups};
use crate::routes::query;
use crate::state::Shared;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;

/// What the names of parameters begin with that choose the values of variables.
const VARIABLE: &str = "var.";

pub(super) async fn get(server: Shared, PathName(name): PathName, parameters: Parameters) -> Result<Response, Problem> {
    let others = parameters.0.iter().filter(|(key, _)| !key.starts_with(VARIABLE)).cloned().collect();
    Parameters(others).check_names(&["format", "panel", "query", "from", "to", "time_zone"])?;
    let document = look_up::read(&server, name, None).await?;
    let panel = panel(&document, parameters.get("panel"))?;
    let query = match (parameters.get("query"), &panel.queries[..]) {
        (None, [only]) => only,
        (None, []) => return Err(bad(format!("panel {:?} has no query", panel.id))),
        (None, _) => {
            let ids: Vec<String> = (0..panel.queries.len()).map(|at| panel.query_id(at)).collect();
            let problem = bad(format!("panel {:?} has {} queries", panel.id, panel.queries.len()));
            return Err(problem.hint(format!("add query={}", ids.join(" or query="))));
        }
        (Some(id), queries) => {
            let at = (0..queries.len()).find(|at| panel.query_id(*at) == id);
            let at = at.ok_or_else(|| bad(format!("panel {:?} has no query {id:?}", panel.id)))?;
            &queries[at]
        }
    };
    let text = |name: &str, own: &str| Some(Value::String(parameters.get(name).unwrap_or(own).to_owned()));
    let ask = Ask {
        query: query.query.clone(),
        from: text("from", &document.range.from),
        to: text("to", &document.range.to),
        groups: Some(Groups::Many(query.groups.clone())),
        language: Some(query.language.name().to_owned()),
        time_zone: parameters.get("time_zone").map(str::to_owned),
        variables: Some(choices(&document, &parameters)?),
        ..Ask::default()
    };
    query::file(&server, ask.stepped(server.now())?.filled(server.now())?, &parameters).await
}

fn panel<'a>(document: &'a Dashboard, id: Option<&str>) -> Result<&'a Panel, Problem> {
    let id =
        id.ok_or_else(|| bad("panel is missing".to_owned()).hint("add panel=ID, an id of the dashboard's panels"))?;
    let found = document.panels.iter().find(|panel| panel.id == id);
    found.ok_or_else(|| Problem::not_found(format!("the dashboard has no panel {id:?}")))
}

/// Returns what is chosen for each variable: by the address, else what the dashboard chooses at first.
fn choices(document: &Dashboard, parameters: &Parameters) -> Result<Choices, Problem> {
    let mut sent: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in &parameters.0 {
        if let Some(name) = key.strip_prefix(VARIABLE) {
            sent.entry(name).or_default().push(value.clone());
        }
    }
    if let Some(name) = sent.keys().find(|name| !document.variables.iter().any(|known| known.name == ***name)) {
        return Err(bad(format!("the dashboard has no variable {name:?}")));
    }
    let choice = |variable: &Variable| {
        let values = sent.get(&*variable.name).unwrap_or(&variable.default);
        match &values[..] {
            [] if variable.all => Some(Choice::All { all: variable.values.clone() }),
            [] => variable.values.first().cloned().map(Choice::One),
            [one] if !variable.multiple => Some(Choice::One(one.clone())),
            several => Some(Choice::Several(several.to_vec())),
        }
    };
    let choices = document.variables.iter().map(|variable| {
        let problem = || bad(format!("variable {:?} has no value", variable.name));
        let choice = choice(variable).ok_or_else(|| problem().hint(format!("add var.{}=VALUE", variable.name)))?;
        Ok((variable.name.clone(), choice))
    });
    choices.collect()
}

fn bad(message: String) -> Problem {
    Problem::bad_request("bad-parameter", message)
}
