//! `GET /api/v1/dashboards/{name}/export`: a dashboard as one file of HTML, or the data of one panel.

use axum::http::{HeaderMap, HeaderValue, header};
use dashboard::{Dashboard, Panel, PanelQuery};
use serde_json::Value;

use super::choices::{PREFIX, choices, sent};
use super::look_up;
use super::page::{Moment, render};
use crate::ask::{self, Ask, Groups};
use crate::locale::locale;
use crate::routes::query;
use crate::state::{Call, Shared};
use door::{Outcome, Parameters, Problem, Reply, Result};
use types::percent_encoded;

/// The format that is a whole dashboard.
const HTML: &str = "html";

pub(super) fn get(call: Call) -> Outcome {
    let parameters = &call.parameters;
    let others = parameters.0.iter().filter(|(key, _)| !key.starts_with(PREFIX)).cloned().collect();
    let is_page = parameters.get("format") == Some(HTML);
    let own: &[&str] = if is_page { &["lang"] } else { &["panel", "query"] };
    Parameters(others).check_names(&[&["format", "from", "to", "time_zone"], own].concat())?;
    Ok(Reply::later(export(call, is_page)))
}

async fn export(Call { server, path: [name, _], parameters, parts }: Call, is_page: bool) -> Outcome {
    let (document, moment) = read(&server, &name, &parameters, &parts.headers).await?;
    let choices = choices(&server, &document, &sent(&parameters.0), &moment).await?;
    if is_page {
        let url = address(server.app.alerts.base_url(), &name, &parameters);
        let page = render(&server, document, choices, moment, Some(url)).await?;
        return Ok(file_of(&name, page));
    }
    let query = query_of(panel(&document, parameters.get("panel"))?, parameters.get("query"))?;
    let text = |name: &str, own: &str| Some(Value::String(parameters.get(name).unwrap_or(own).to_owned()));
    let ask = Ask {
        query: query.query.clone(),
        from: text("from", &document.range.from),
        to: text("to", &document.range.to),
        groups: Some(Groups::Many(query.groups.clone())),
        language: Some(query.language.name().to_owned()),
        time_zone: parameters.get("time_zone").map(str::to_owned),
        variables: Some(choices),
        ..Ask::default()
    };
    query::file(&server, ask.stepped(moment.now)?.filled(moment.now)?, &parameters).await.map(Reply::Whole)
}

/// Returns the document, and when and how it is shown: as the parameters say, else as the document does.
async fn read(
    server: &Shared,
    name: &str,
    parameters: &Parameters,
    headers: &HeaderMap,
) -> Result<(Dashboard, Moment)> {
    let (now, locale) = (server.now(), locale(parameters, headers)?);
    let time_zone = ask::time_zone(parameters.get("time_zone"))?;
    let range_of = |from: &str, to: &str| {
        let [from, to] = [from, to].map(|text| Value::String(text.to_owned()));
        ask::range(Some(&from), Some(&to), now, time_zone)
    };
    let (from, to) = (parameters.get("from"), parameters.get("to"));
    // What is derived follows from what the range has.
    let asked = from.map(|from| range_of(from, to.unwrap_or("now"))).transpose()?;
    let document = look_up::find(server, name.to_owned(), None, (asked, locale)).await?.document().clone();
    let range = range_of(from.unwrap_or(&document.range.from), to.unwrap_or(&document.range.to))?;
    Ok((document, Moment { now, range, time_zone, locale }))
}

fn panel<'a>(document: &'a Dashboard, id: Option<&str>) -> Result<&'a Panel> {
    let id = id.ok_or_else(|| {
        let hint = "add panel=ID, an id of the dashboard's panels; format=html has all of them";
        bad("panel is missing".to_owned()).hint(hint)
    })?;
    let found = document.panels.iter().find(|panel| panel.id == id);
    found.ok_or_else(|| Problem::not_found(format!("the dashboard has no panel {id:?}")))
}

fn query_of<'a>(panel: &'a Panel, id: Option<&str>) -> Result<&'a PanelQuery> {
    match (id, &panel.queries[..]) {
        (None, [only]) => Ok(only),
        (None, []) => Err(bad(format!("panel {:?} has no query", panel.id))),
        (None, queries) => {
            let ids: Vec<String> = (0..queries.len()).map(|at| panel.query_id(at)).collect();
            let problem = bad(format!("panel {:?} has {} queries", panel.id, queries.len()));
            Err(problem.hint(format!("add query={}", ids.join(" or query="))))
        }
        (Some(id), queries) => {
            let at = (0..queries.len()).find(|at| panel.query_id(*at) == id);
            at.map(|at| &queries[at]).ok_or_else(|| bad(format!("panel {:?} has no query {id:?}", panel.id)))
        }
    }
}

/// Returns where the page shows a dashboard, with what was chosen.
fn address(base: &str, name: &str, parameters: &Parameters) -> String {
    let shown = parameters.0.iter().filter(|(key, _)| key.starts_with(PREFIX) || key == "from" || key == "to");
    let chosen: Vec<String> =
        shown.map(|(key, value)| format!("{}={}", percent_encoded(key), percent_encoded(value))).collect();
    let question = if chosen.is_empty() { "" } else { "?" };
    format!("{base}/dashboards/{}{question}{}", percent_encoded(name), chosen.join("&"))
}

/// Gives a page to the browser as a file: opened on this server it would be one of its pages.
fn file_of(name: &str, page: String) -> Reply {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let reply = Reply::content("text/html; charset=utf-8", page).not_stored();
    let Ok(file) = HeaderValue::try_from(format!("attachment; filename=\"{name}.html\"")) else { return reply };
    reply.with_header(header::CONTENT_DISPOSITION, file)
}

fn bad(message: String) -> Problem {
    Problem::bad_parameter(message)
}
