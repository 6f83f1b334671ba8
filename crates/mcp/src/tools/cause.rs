//! Tools that look for a cause: what differs, since when, and a first look at an alert or a query.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, CallError, ToolAnswer, completeness, without_nulls};
use crate::native::Native;

/// Returns the part of a request that names events.
fn events_of(call: &Call) -> Result<Json, CallError> {
    let groups = Some(call.groups()?).filter(|groups| !groups.is_empty());
    Ok(without_nulls(json!({
        "query": call.text("query")?.unwrap_or_default(),
        "from": call.text("from")?,
        "to": call.text("to")?,
        "groups": groups,
        "language": call.text("language")?,
    })))
}

/// Returns the link to the events of a call.
fn link_of(native: &Native, call: &Call) -> Result<String, CallError> {
    let text = |name: &str| Ok::<_, CallError>(call.text(name)?.unwrap_or_default());
    let (query, from, to, groups) = (text("query")?, text("from")?, text("to")?, call.groups()?.join(","));
    Ok(native.link("/", &[("q", &query), ("groups", &groups), ("from", &from), ("to", &to)]))
}

/// Returns an answer of the API with what every tool says instead of its own numbers about itself.
fn found(
    native: &Native,
    call: &Call,
    mut answer: Json,
    lists: &'static [&'static str],
) -> Result<ToolAnswer, CallError> {
    let (is_complete, notes) = completeness(&answer);
    let members: &mut Map<String, Json> =
        answer.as_object_mut().ok_or_else(|| "the server's answer is no object".to_owned())?;
    ["stats", "partial", "partial_reasons", "warnings", "elapsed_ms"]
        .iter()
        .for_each(|name| drop(members.remove(*name)));
    members.insert("complete".into(), is_complete.into());
    members.insert("notes".into(), notes.into());
    if !members.get("url").is_some_and(Json::is_string) {
        members.insert("url".into(), link_of(native, call)?.into());
    }
    Ok(ToolAnswer { answer, lists })
}

/// Asks which values of which fields a selection has more or less often than a baseline.
pub(super) async fn differs(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let other = call.text("baseline_query")?;
    let baseline = match (call.text("baseline")?, other) {
        (Some(_), Some(_)) => return Err("baseline: is left out with baseline_query".to_owned().into()),
        (named, None) => json!(named.unwrap_or_else(|| "before".into())),
        (None, Some(query)) => without_nulls(json!({
            "query": query,
            "from": call.text("baseline_from")?.or(call.text("from")?),
            "to": call.text("baseline_to")?.or(call.text("to")?),
            "groups": Some(call.groups()?).filter(|groups| !groups.is_empty()),
        })),
    };
    let body = json!({"selection": events_of(call)?, "baseline": baseline});
    let answer = native.post("/api/v1/differs", &body).await?;
    found(native, call, answer, &["/fields"])
}

/// Asks since when events, their share, a percentile or patterns are more or less, and what else began then.
pub(super) async fn onset(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let mut body = events_of(call)?;
    for name in ["of", "among"] {
        if let Some(text) = call.text(name)? {
            body[name] = text.into();
        }
    }
    let answer = native.post("/api/v1/onset", &body).await?;
    found(native, call, answer, &["/patterns", "/also"])
}

/// Asks for everything that is known about an alert, or about a query, best first.
pub(super) async fn first_look(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let body = match call.text("alert")? {
        Some(alert) => json!({"alert": alert}),
        None => events_of(call)?,
    };
    let answer = native.post("/api/v1/first-look", &body).await?;
    found(native, call, answer, &["/findings", "/patterns", "/calls", "/differs/fields", "/onset/also"])
}
