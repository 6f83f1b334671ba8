//! `/api/v1/groups/{name}/delete-events`: events of a group that a query chooses are deleted, with a receipt.
//!
//! The query is evaluated over one snapshot of the group: events accepted while it runs are not part of the deletion.
//! When the answer is there, the events are in no answer any more; the receipt says when they are gone from the disk.
//! The text of the query is neither kept nor shown among the running queries: it may name the person whose events they
//! are.

use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use execute::{Selected, Stats};
use language::ParseOptions;
use plan::{Expr, Operator, Plan};
use serde::Deserialize;
use serde_json::{Value, json};
use storage::{DELETION_BYTES_MAX, DeletionOrder, DeletionReceipt, SequenceCollector, Sequences, StoreError};
use types::{EventId, GroupName, GroupPattern, TimeRange, Timestamp};

use crate::answer::{reason_json, stats_json};
use crate::ask;
use crate::parameters::PathName;
use crate::problem::Problem;
use crate::reading::{Reading, Scope, complete, damages, read};
use crate::server::{Server, Shared};

/// Largest body; the query text in it is at most 64 KiB.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What a deletion is called among the running queries.
pub(crate) const SHOWN_AS: &str = "(events to delete)";

/// Who may delete events: so far there is one key that may.
const REQUESTED_BY: &str = "admin key";

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    query: String,
    #[serde(default)]
    from: Option<Value>,
    #[serde(default)]
    to: Option<Value>,
    #[serde(default)]
    all_time: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    reason: String,
}

/// What is to be done.
pub(crate) struct Order {
    group: GroupName,
    plan: Plan,
    range: TimeRange,
    scope: Scope,
    asked: Asked,
}

pub(crate) async fn post(server: Shared, PathName(name): PathName, body: Body) -> Result<Json<Value>, Problem> {
    GroupName::new(&name).map_or(Ok(()), |group| server.must_be_deletable(&group))?;
    let received = server.bodies.read(body, BODY_BYTES_MAX).await?;
    let order = Order::check(&name, received.bytes(), server.now())?;
    read(&server, SHOWN_AS, move |reading| order.carry_out(reading)).await.map(Json)
}

pub(crate) async fn list(server: Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        let receipts = of_thread.app.store.deletions();
        let of_group = receipts.iter().rev().filter(|receipt| receipt.group.as_str() == name);
        let of_group = of_group.filter(|receipt| of_thread.reaches(receipt.group.as_str()));
        of_group.map(|receipt| receipt_json(&of_thread, receipt)).collect::<Vec<Value>>()
    };
    Ok(Json(json!({"deletions": server.lookups.run(work).await?})))
}

pub(crate) async fn get(server: Shared, Path((name, id)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let unknown = || Problem::not_found(format!("there is no deletion {id:?} of events of {name:?}"));
    let number = u64::from_str_radix(&id, 16).map_err(|_| unknown())?;
    let found = server.lookups.run(move || {
        let receipt = of_thread.app.store.deletion(number)?;
        let segments: Vec<String> = receipt.segments.iter().map(|segment| format!("{segment:032x}")).collect();
        let mut shown = receipt_json(&of_thread, &receipt);
        shown["segments"] = json!(segments);
        Some((receipt.group, shown))
    });
    let found = found.await?.filter(|(group, _)| group.as_str() == name && server.reaches(group.as_str()));
    found.map(|(_, shown)| Json(shown)).ok_or_else(unknown)
}

impl Order {
    pub(crate) fn check(name: &str, body: &[u8], now: Timestamp) -> Result<Self, Problem> {
        let bad = |message: String| {
            let problem = Problem::bad_request("bad-json", format!("the body is no order to delete events: {message}"));
            problem.hint(r#"send {"query":"filter user = \"ann\"","from":"now-30d"} or "all_time":true"#)
        };
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(bad("it is an array, not an object".into()));
        }
        let asked: Asked = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
        let group = GroupName::new(name).ok_or_else(|| no_group(name))?;
        let time_zone = ask::time_zone(asked.time_zone.as_deref())?;
        let range = asked.range(now, time_zone)?;
        let plan = language::parse_deletion(&asked.query, &ParseOptions { now, time_zone })?;
        let scope = Scope { groups: vec![GroupPattern::new(name)], limit: None, time_zone, now };
        Ok(Self { group, plan, range, scope, asked })
    }

    pub(crate) fn carry_out(self, reading: &Reading<'_>) -> Result<Value, Problem> {
        let store = &reading.server.app.store;
        if !store.has_group(&self.group) {
            return Err(no_group(self.group.as_str()));
        }
        let (sequences, selected) = self.select(reading)?;
        let n_matched = sequences.len();
        let mut answer = if self.asked.dry_run {
            json!({"id": null, "group": self.group.as_str(), "matched": n_matched, "deleted": 0, "state": null})
        } else {
            receipt_json(reading.server, &self.delete(reading, sequences)?)
        };
        answer["dry_run"] = self.asked.dry_run.into();
        answer["stats"] = stats_json(&selected.stats);
        answer["partial"] = (!selected.partial_reasons.is_empty()).into();
        answer["partial_reasons"] = selected.partial_reasons.iter().map(reason_json).collect();
        Ok(answer)
    }

    /// Deletes events, and keeps in the audit log that they were.
    fn delete(&self, reading: &Reading<'_>, sequences: Sequences) -> Result<DeletionReceipt, Problem> {
        let order = DeletionOrder {
            range: self.range,
            query: self.asked.query.clone(),
            requested_by: REQUESTED_BY.into(),
            reason: self.asked.reason.clone(),
        };
        let receipt = reading.server.app.store.delete_events(&self.group, sequences, &order)?;
        reading.server.audit_own(
            "events deleted",
            &json!({"group": self.group.as_str(), "events": receipt.n_deleted, "deletion": format!("{:016x}", receipt.id)}),
        );
        Ok(receipt)
    }

    /// The sequences of the events that the query chooses.
    fn select(&self, reading: &Reading<'_>) -> Result<(Sequences, Selected), Problem> {
        let snapshot = reading.snapshot(&self.scope.groups, self.range);
        let progress = |stats: &Stats| reading.note(stats);
        let request = execute::Request { deadline: None, ..reading.request(self.range, &self.scope, &progress) };
        let collector = Mutex::new(SequenceCollector::default());
        let take = |ids: &[EventId]| {
            // A panic in between leaves a set that is whole; the query ends with it.
            let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
            ids.iter().for_each(|id| collector.push(id.sequence));
            collector.n_bytes() <= DELETION_BYTES_MAX * 2
        };
        let mut selected = execute::select_events(&self.plan, &snapshot.runs, &request, &take)?;
        if selected.partial_reasons.iter().any(|reason| reason.code == "cancelled") {
            let status = axum::http::StatusCode::CONFLICT;
            return Err(Problem::new(status, "cancelled", "the deletion was cancelled; nothing was deleted"));
        }
        complete(&mut selected.stats, &snapshot);
        reading.server.note_damage(&selected.partial_reasons);
        selected.partial_reasons.extend(damages(&snapshot));
        let sequences = collector.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
        if sequences.n_bytes() > DELETION_BYTES_MAX {
            return Err(StoreError::TooManyEvents { bytes_max: DELETION_BYTES_MAX }.into());
        }
        Ok((sequences, selected))
    }
}

/// Deletes a group with its events, and with what CloudWatch's clients made of it; tells whether there was one.
pub(crate) fn delete_group(server: &Shared, group: &GroupName) -> Result<bool, Problem> {
    let is_deleted = server.app.store.delete_group(group)?;
    if server.app.intake.time_zone(group).is_some() {
        server.app.intake.set_time_zone(group, None)?;
    }
    // One that CloudWatch's clients made goes with its events, also where it has none yet.
    let is_deleted = crate::cloudwatch::forget(server.whole(), group)? || is_deleted;
    if is_deleted {
        server.app.intake.sources().forget_content(group.as_str());
        server.audit_own("group deleted", &json!({"group": group.as_str()}));
    }
    Ok(is_deleted)
}

/// Deletes the events of a group that conditions choose; gives the receipt, and what could not be read.
pub(crate) fn delete_chosen(
    reading: &Reading<'_>,
    group: &GroupName,
    mut operators: Vec<Operator>,
    range: TimeRange,
    text: &str,
) -> Result<(DeletionReceipt, Vec<String>), Problem> {
    reading.server.must_be_deletable(group)?;
    operators.push(Operator::Project { columns: vec![("@id".into(), Expr::Field("@id".into()))], is_events: true });
    let plan = plan::optimise(Plan { operators, ..Plan::default() });
    let (now, time_zone) = (reading.server.now(), chrono_tz::Tz::UTC);
    let scope = Scope { groups: vec![GroupPattern::new(group.as_str())], limit: None, time_zone, now };
    let asked = Asked { query: text.into(), all_time: true, ..Asked::default() };
    let order = Order { group: group.clone(), plan, range, scope, asked };
    let (sequences, selected) = order.select(reading)?;
    let receipt = order.delete(reading, sequences)?;
    Ok((receipt, selected.partial_reasons.iter().map(|reason| reason.message.clone()).collect()))
}

impl Asked {
    /// The range, which must be said: what nobody named is not deleted by a default.
    fn range(&self, now: Timestamp, time_zone: chrono_tz::Tz) -> Result<TimeRange, Problem> {
        match (&self.from, self.all_time) {
            (None, true) if self.to.is_none() => Ok(TimeRange::ALL),
            (_, true) => {
                let message = "all_time and a range exclude each other";
                Err(Problem::bad_request("bad-range", message).hint("send from and to, or all_time"))
            }
            (None, false) => {
                let message = "a deletion needs a range: from (and to), or all_time";
                Err(Problem::bad_request("range-required", message).hint(r#"send "from":"now-30d" or "all_time":true"#))
            }
            (Some(_), false) => ask::range(self.from.as_ref(), self.to.as_ref(), now, time_zone),
        }
    }
}

fn no_group(name: &str) -> Problem {
    Problem::not_found(format!("there is no log group {name:?}"))
}

/// A deletion and how far it is.
fn receipt_json(server: &Server, receipt: &DeletionReceipt) -> Value {
    let is_all_time = receipt.range == TimeRange::ALL;
    let end = |at: i64| (!is_all_time).then(|| Timestamp(at).to_string());
    let state = if receipt.reclaimed.is_some() { "reclaimed" } else { "invisible" };
    // One that found nothing was not recorded.
    let id = (receipt.n_deleted > 0).then(|| format!("{:016x}", receipt.id));
    let digest: String = receipt.query_digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "id": id, "group": receipt.group.as_str(), "matched": receipt.n_matched, "deleted": receipt.n_deleted,
        "state": state, "created": receipt.created.to_string(),
        "reclaimed": receipt.reclaimed.map(|at| at.to_string()),
        "from": end(receipt.range.from.0), "to": end(receipt.range.to.0.saturating_sub(1)), "all_time": is_all_time,
        "requested_by": receipt.requested_by, "reason": receipt.reason, "query_digest": digest,
        "segments_rewritten": receipt.n_segments, "bytes_rewritten": receipt.bytes_rewritten,
        "segments_left": server.app.store.deletion_segments_left(receipt.id),
    })
}
