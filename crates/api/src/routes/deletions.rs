//! `/api/v1/groups/{name}/delete-events`: events of a group that a query chooses are deleted, with a receipt.
//!
//! The query is evaluated over one snapshot of the group: events accepted while it runs are not part of the deletion.
//! When the answer is there, the events are in no answer any more; the receipt says when they are gone from the disk.
//! The text of the query is neither kept nor shown among the running queries: it may name the person whose events they
//! are.

use language::ParseOptions;
use serde::Deserialize;
use serde_json::{Value, json};
use storage::DeletionReceipt;
use types::{GroupName, GroupPattern, TimeRange, Timestamp, ensure, hexadecimal};

use super::groups::no_group;
use crate::ask;
use crate::json_body::JsonBody;
use crate::state::Call;
use door::deletion::SHOWN_AS;
use door::{
    EventDeletion, Outcome, Problem, QueryRun, Reply, RequestBody, Result, Scope, Server, reason_json, stats_json,
};

/// Largest body; the query text in it is at most 64 KiB.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

const BODY: JsonBody = JsonBody {
    noun: "order to delete events",
    example: r#"{"query":"filter user = \"ann\"","from":"now-30d"} or "all_time":true"#,
};

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DeletionRequest {
    query: String,
    from: Option<Value>,
    to: Option<Value>,
    all_time: bool,
    dry_run: bool,
    time_zone: Option<String>,
    reason: String,
}

/// A deletion to be carried out, or only tried.
struct Order {
    deletion: EventDeletion,
    is_dry_run: bool,
}

pub(crate) fn post(Call { server, path: [name, _], .. }: Call, body: RequestBody) -> Outcome {
    GroupName::new(&name).map_or(Ok(()), |group| server.must_be_deletable(&group))?;
    let order = Order::check(&name, body.bytes(), server.now())?;
    Ok(Reply::query(&server, SHOWN_AS, move |reading| Ok(Reply::json(&order.carry_out(reading)?))))
}

pub(crate) fn list(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    let receipts = server.whole_store().deletions();
    let of_group = receipts.iter().rev().filter(|receipt| receipt.group.as_str() == *name);
    let of_group = of_group.filter(|receipt| server.reaches(receipt.group.as_str()));
    Ok(Reply::json(
        &json!({"deletions": of_group.map(|receipt| receipt_json(server, receipt)).collect::<Vec<Value>>()}),
    ))
}

pub(crate) fn get(Call { server, path: [name, id], .. }: &Call) -> Outcome {
    let unknown = || Problem::not_found(format!("there is no deletion {id:?} of events of {name:?}"));
    let number = u64::from_str_radix(id, 16).map_err(|_| unknown())?;
    let receipt = server.whole_store().deletion(number);
    let receipt =
        receipt.filter(|receipt| receipt.group.as_str() == *name && server.reaches(name)).ok_or_else(unknown)?;
    let segments: Vec<String> = receipt.segments.iter().map(|segment| format!("{segment:032x}")).collect();
    let mut shown = receipt_json(server, &receipt);
    shown["segments"] = json!(segments);
    Ok(Reply::json(&shown))
}

impl Order {
    fn check(name: &str, body: &[u8], now: Timestamp) -> Result<Self> {
        let asked: DeletionRequest = BODY.read(body)?;
        let group = GroupName::new(name).ok_or_else(|| no_group(name))?;
        let time_zone = ask::time_zone(asked.time_zone.as_deref())?;
        let range = asked.range(now, time_zone)?;
        let plan = language::parse_deletion(&asked.query, &ParseOptions { now, time_zone })?;
        let scope = Scope { groups: vec![GroupPattern::new(name)], limit: None, time_zone, now };
        let DeletionRequest { query, reason, dry_run, .. } = asked;
        Ok(Self { deletion: EventDeletion { group, plan, range, scope, query, reason }, is_dry_run: dry_run })
    }

    fn carry_out(self, reading: &QueryRun<'_>) -> Result<Value> {
        let Self { deletion, is_dry_run } = self;
        let group = deletion.group.as_str();
        ensure!(reading.server.whole_store().has_group(&deletion.group), no_group(group));
        let (sequences, selected) = deletion.select(reading)?;
        let mut answer = if is_dry_run {
            json!({"id": null, "group": group, "matched": sequences.len(), "deleted": 0, "state": null})
        } else {
            receipt_json(reading.server, &deletion.delete(reading, sequences)?)
        };
        answer["dry_run"] = is_dry_run.into();
        answer["stats"] = stats_json(&selected.stats);
        answer["partial"] = (!selected.partial_reasons.is_empty()).into();
        answer["partial_reasons"] = selected.partial_reasons.iter().map(reason_json).collect();
        Ok(answer)
    }
}

impl DeletionRequest {
    /// Returns the range; it has no default, so that nothing is deleted by omission.
    fn range(&self, now: Timestamp, time_zone: chrono_tz::Tz) -> Result<TimeRange> {
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

/// Returns a deletion and how far it is.
fn receipt_json(server: &Server, receipt: &DeletionReceipt) -> Value {
    let is_all_time = receipt.range == TimeRange::ALL;
    let end = |at: i64| (!is_all_time).then(|| Timestamp(at).to_string());
    let state = if receipt.reclaimed.is_some() { "reclaimed" } else { "invisible" };
    // One that found nothing was not recorded.
    let id = (receipt.n_deleted > 0).then(|| format!("{:016x}", receipt.id));
    let digest = hexadecimal(&receipt.query_digest);
    json!({
        "id": id, "group": receipt.group.as_str(), "matched": receipt.n_matched, "deleted": receipt.n_deleted,
        "state": state, "created": receipt.created.to_string(),
        "reclaimed": receipt.reclaimed.map(|at| at.to_string()),
        "from": end(receipt.range.from.0), "to": end(receipt.range.to.0.saturating_sub(1)), "all_time": is_all_time,
        "requested_by": receipt.requested_by, "reason": receipt.reason, "query_digest": digest,
        "segments_rewritten": receipt.n_segments, "bytes_rewritten": receipt.bytes_rewritten,
        "segments_left": server.whole_store().deletion_segments_left(receipt.id),
    })
}
