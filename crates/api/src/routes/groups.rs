//! `/api/v1/groups`: what groups there are, how large, how much of them is kept, and their deletion.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use storage::{Forecast, GroupRetention, GroupStatus, Removal, RetentionChange};
use types::{ByteSize, GroupName, Timestamp, parse_duration_ns};

use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody, Result, Shared, audit, duration_text};

/// Largest body of settings.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// What can be set of a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    // One of them must be there, if only as null: an empty body changes nothing by accident.
    #[serde(default, deserialize_with = "present")]
    retention: Option<Option<Retention>>,
    /// The zone of times that name none.
    #[serde(default, deserialize_with = "present")]
    time_zone: Option<Option<String>>,
}

/// Returns a member that is present, even as null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What is to be changed of a group.
#[derive(Debug, Default, PartialEq)]
struct Changes {
    retention: Option<GroupRetention>,
    /// A zone; nothing for that of the sender or server.
    time_zone: Option<Option<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retention {
    age: Option<String>,
    size: Option<String>,
}

pub(crate) fn list(Call { server, .. }: &Call) -> Outcome {
    Ok(Reply::json(&json!({"groups": described(server)})))
}

pub(crate) fn get(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    Ok(Reply::json(&describe(server, name).ok_or_else(|| no_group(name))?))
}

pub(crate) fn put(Call { server, path: [name, _], parameters, .. }: &Call, body: &RequestBody) -> Outcome {
    parameters.check_names(&["preview"])?;
    let is_preview = parameters.flag("preview")?;
    let bad_name = || Problem::bad_request("bad-group", format!("{name:?} is no name of a log group"));
    let group = GroupName::new(name).ok_or_else(bad_name)?;
    server.must_reach(&group)?;
    let Changes { retention: asked, time_zone } = changes_of(body.bytes())?;
    let store = server.whole_store();
    let retention = asked.unwrap_or_else(|| store.retention(&group));
    if group.as_str() == ingest::AUDIT_GROUP {
        audit::check_retention(&retention)?;
    }
    if is_preview {
        return Ok(Reply::json(&change_json(&store.preview_retention(&group, retention))));
    }
    if let Some(zone) = time_zone {
        server.app.intake.set_time_zone(&group, zone.as_deref())?;
        server.audit_own("group time zone set", &json!({"group": group.as_str(), "time_zone": zone}));
    }
    if asked.is_none() {
        return Ok(Reply::json(&described_anew(server, &group, &retention)));
    }
    let change = store.set_retention(&group, retention)?;
    server.audit_own(
        "group limits set",
        &json!({"group": group.as_str(), "age": retention.age_ns.map(duration_text), "size": retention.bytes.map(size_text)}),
    );
    let mut answer = described_anew(server, &group, &retention);
    if let (Value::Object(answer), Value::Object(change)) = (&mut answer, change_json(&change)) {
        answer.extend(change);
    }
    Ok(Reply::json(&answer))
}

/// Returns a group after a change. A group can have settings before its first event.
fn described_anew(server: &Shared, group: &GroupName, retention: &GroupRetention) -> Value {
    describe(server, group.as_str())
        .unwrap_or_else(|| group_json(server, &empty(group), retention, &Forecast::default()))
}

/// Describes the effect of a change of limits.
fn change_json(change: &RetentionChange) -> Value {
    let removal = |removal: &Removal| {
        json!({
            "events": removal.n_events, "bytes": removal.n_bytes, "runs": removal.n_runs,
            "first": removal.first.map(|at| at.to_string()), "last": removal.last.map(|at| at.to_string()),
        })
    };
    let warning = change.removes_most().then(|| {
        format!(
            "{} of {} events go, more than half of the group; until {} they come back when the limits are set as \
             they were",
            change.removes.n_events, change.n_events_before, change.undo_until
        )
    });
    json!({
        "removes": removal(&change.removes), "restores": removal(&change.restores),
        "undo_until": change.undo_until.to_string(), "warnings": warning.into_iter().collect::<Vec<_>>(),
    })
}

/// Reads the body of a change of settings.
fn changes_of(body: &[u8]) -> Result<Changes> {
    let bad = |message: String| {
        let problem = Problem::bad_request("bad-settings", message);
        problem.hint(
            r#"send {"retention":{"age":"7d","size":"6MiB"}}, with null for no limit, or {"time_zone":"Asia/Jakarta"}"#,
        )
    };
    let settings: Settings = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    if settings.retention.is_none() && settings.time_zone.is_none() {
        return Err(bad("neither retention nor time_zone is there".into()));
    }
    let time_zone = settings.time_zone;
    if let Some(Some(zone)) = &time_zone {
        ingest::Intake::check_time_zone(zone).map_err(|error| bad(format!("time_zone: {error}")))?;
    }
    let Some(retention) = settings.retention else { return Ok(Changes { retention: None, time_zone }) };
    let Retention { age, size } = retention.unwrap_or_default();
    let age_ns = age.map(|age| parse_duration_ns(&age)).transpose().map_err(|error| bad(format!("age: {error}")))?;
    let bytes: Option<ByteSize> =
        size.map(|size| size.parse()).transpose().map_err(|error: types::UnitError| bad(format!("size: {error}")))?;
    if age_ns.is_some_and(|age_ns| age_ns < Timestamp::SECOND) {
        return Err(bad("age: must be at least 1s; delete the group to empty it".into()));
    }
    if bytes.is_some_and(|bytes| bytes.0 == 0) {
        return Err(bad("size: must be more than 0; delete the group to empty it".into()));
    }
    let retention = GroupRetention { age_ns, bytes: bytes.map(|bytes| bytes.0) };
    Ok(Changes { retention: Some(retention), time_zone })
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let group = GroupName::new(name).ok_or_else(|| no_group(name))?;
    server.must_be_deletable(&group)?;
    let is_deleted = door::deletion::delete_group(server, &group)?;
    if is_deleted { Ok(Reply::json(&json!({"deleted": true}))) } else { Err(no_group(name)) }
}

pub(super) fn no_group(name: &str) -> Problem {
    Problem::not_found(format!("there is no log group {name:?}"))
}

/// Returns all groups that the caller may see, as JSON.
fn described(server: &Shared) -> Vec<Value> {
    let store = server.whole_store();
    let forecasts = store.forecasts();
    let describe = |group: &GroupStatus| {
        let forecast = forecasts.get(&group.name).copied().unwrap_or_default();
        group_json(server, group, &store.retention(&group.name), &forecast)
    };
    let archives = server.archives().into_iter().map(|(group, place)| {
        let mut archive = group_json(server, &empty(group), &GroupRetention::default(), &Forecast::default());
        archive["archive"] = place.into();
        archive
    });
    server.groups().iter().map(describe).chain(archives).collect()
}

/// A group without stored events.
fn empty(name: &GroupName) -> GroupStatus {
    let (bytes_raw, bytes_stored, n_events, name) = (0, 0, 0, name.clone());
    GroupStatus { name, n_events, bytes_raw, bytes_stored, first: None, last: None, streams: Vec::new() }
}

/// One group as JSON.
fn describe(server: &Shared, name: &str) -> Option<Value> {
    let (store, groups) = (server.whole_store(), server.groups());
    let group = groups.iter().find(|group| group.name.as_str() == name)?;
    Some(group_json(server, group, &store.retention(&group.name), &store.forecast(&group.name)))
}

fn group_json(server: &Shared, group: &GroupStatus, retention: &GroupRetention, forecast: &Forecast) -> Value {
    let reason = forecast.next.map(|_| if forecast.by_size { "size" } else { "age" });
    json!({
        "name": group.name.as_str(), "events": group.n_events,
        "bytes_raw": group.bytes_raw, "bytes_stored": group.bytes_stored,
        "first": group.first.map(|t| t.to_string()), "last": group.last.map(|t| t.to_string()),
        "streams": group.streams.iter().map(|stream| &**stream).collect::<Vec<_>>(),
        "retention": {"age": retention.age_ns.map(duration_text), "size": retention.bytes.map(size_text)},
        "time_zone": server.app.intake.time_zone(&group.name),
        "forecast": {
            "bytes_per_day": forecast.bytes_per_day, "next": forecast.next.map(|t| t.to_string()), "reason": reason,
        },
    })
}

/// Returns a size in the largest unit that is exact; the server accepts the text as a setting.
fn size_text(bytes: u64) -> String {
    let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fitting = units.iter().find(|(unit, _)| bytes.is_multiple_of(*unit));
    fitting.map_or_else(|| bytes.to_string(), |(unit, name)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests;
