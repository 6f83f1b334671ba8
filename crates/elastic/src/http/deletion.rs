//! `DELETE {index}` and `_delete_by_query`: deletes groups, and events that a query selects, like the native API.
//!
//! A deletion by query is complete when it is answered, even if the client does not wait for it: its task is the receipt in
//! the store. The id of a task contains the receipts of all groups as hexadecimal numbers.

use serde_json::{Value as Json_, json};
use storage::DeletionReceipt;
use types::{GroupName, GroupPattern, group_name_of_outside};

use super::alias_lookup::targets;
use super::body::json_of;
use super::checked_parameters::without;
use super::errors::{NOT_SUPPORTED, not_found};
use super::filter::Paths;
use super::indices::{self, Leniency};
use super::request::Search;
use super::search_run::query;
use super::state::Call;
use super::{created_indices, info, mappings};
use door::deletion::{self};
use door::{EventDeletion, Outcome, Parameters, Problem, Reply, Result};

fn argument(message: impl Into<String>) -> Problem {
    Problem::bad_request("illegal_argument_exception", message)
}

/// Answers `DELETE {index}`: one or several groups by their names.
pub(super) fn index(mut call: Call) -> Outcome {
    let names = call.variable();
    let Call { server, parameters, .. } = call;
    let leniency = Leniency::of_parameters(&parameters)?;
    let mut groups = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name == "_all" || name.contains('*') || name.starts_with('-') {
            return Err(argument("Wildcard expressions or all indices are not allowed"));
        }
        let group = group_name_of_outside(name);
        server.must_be_deletable(&group)?;
        if server.store().has_group(&group) || created_indices::has(&server, &group)? {
            groups.push(group);
        } else if !targets(&server, name)?.is_empty() {
            return Err(argument(format!(
                "The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead."
            )));
        } else if !leniency.ignores_missing {
            return Err(indices::missing(name));
        }
    }
    Ok(Reply::look_up(&server.clone(), move || {
        for group in &groups {
            deletion::delete_group(&server, group)?;
            created_indices::forget(&server, group)?;
            mappings::forget(&server, group)?;
        }
        Ok(Reply::json(&json!({"acknowledged": true})))
    }))
}

/// Answers `{index}/_delete_by_query`.
pub(super) fn by_query(mut call: Call, bytes: Vec<u8>) -> Outcome {
    let names = call.variable();
    let Call { server, parameters, .. } = call;
    let body = json_of(&bytes)?;
    check(&body, &parameters)?;
    let now = server.now();
    let asked = without(&parameters, &["sort", "stats", "version", "scroll", "timeout"]);
    let wanted = indices::resolve(&server, &names, Leniency::of_parameters(&parameters)?)?.unwrap_or_default();
    let search = Search::read(&body, &asked, now, &mappings::schema(&server, Some(&wanted))?)?;
    let mut groups: Vec<GroupName> = server.groups().into_iter().map(|group| group.name).collect();
    groups.retain(|group| GroupPattern::any_matches(&wanted, group.as_str()) && group.as_str() != ingest::AUDIT_GROUP);
    let (text, started) = (String::from_utf8_lossy(&bytes).into_owned(), std::time::Instant::now());
    query(&server, deletion::SHOWN_AS, move |reading| {
        let (mut receipts, mut failures) = (Vec::new(), Vec::new());
        for group in &groups {
            let selection = search.selection.clone();
            let (operators, range) = (selection.operators, selection.range);
            let deletion = EventDeletion::of_operators(reading.server, group, operators, range, &text);
            let (receipt, selected) = deletion.carry_out(reading)?;
            receipts.push(receipt);
            let reasons = selected.partial_reasons.into_iter().map(|reason| reason.message);
            failures.extend(
                reasons
                    .map(|reason| json!({"index": group.as_str(), "cause": {"type": "exception", "reason": reason}})),
            );
        }
        if parameters.get("wait_for_completion") == Some("false") {
            return Ok(Reply::json(&json!({"task": task_of(&receipts)})));
        }
        let mut answer = summary(&receipts);
        answer["took"] = json!(started.elapsed().as_millis() as u64);
        answer["timed_out"] = json!(false);
        answer["failures"] = failures.into();
        Paths::of(&parameters).reply(answer)
    })
}

/// Returns the id of a task, which contains the receipts.
fn task_of(receipts: &[DeletionReceipt]) -> String {
    let ids: Vec<String> =
        receipts.iter().filter(|one| one.n_deleted > 0).map(|one| format!("{:016x}", one.id)).collect();
    format!("{}:{}", info::ID, if ids.is_empty() { "0".into() } else { ids.join("+") })
}

/// Refuses a missing query, and options that would delete other events.
fn check(body: &Json_, parameters: &Parameters) -> Result<()> {
    if body.get("query").is_none() && parameters.get("q").is_none() {
        let message = "Validation Failed: 1: query is missing;";
        return Err(Problem::bad_request("action_request_validation_exception", message));
    }
    let known = |name: &str| matches!(name, "query" | "slice" | "conflicts");
    if let Some(other) = body.as_object().and_then(|members| members.keys().find(|name| !known(name))) {
        return Err(Problem::bad_request("parsing_exception", format!("[_delete_by_query] [{other}] {NOT_SUPPORTED}")));
    }
    match ["max_docs", "from", "sort"].into_iter().find(|name| parameters.get(name).is_some()) {
        Some(name) => Err(argument(format!("[_delete_by_query] the parameter [{name}] {NOT_SUPPORTED}"))),
        None => Ok(()),
    }
}

fn summary(receipts: &[DeletionReceipt]) -> Json_ {
    let matched: u64 = receipts.iter().map(|receipt| receipt.n_matched).sum();
    let deleted: u64 = receipts.iter().map(|receipt| receipt.n_deleted).sum();
    json!({
        "total": matched, "deleted": deleted, "batches": receipts.iter().filter(|one| one.n_deleted > 0).count(),
        "version_conflicts": 0, "noops": 0, "retries": {"bulk": 0, "search": 0}, "throttled_millis": 0,
        "requests_per_second": -1.0, "throttled_until_millis": 0,
    })
}

/// Answers `_tasks/{id}`: the result of a deletion by query.
pub(super) fn task(mut call: Call) -> Outcome {
    let (id, server) = (call.variable(), call.server);
    let missing = || Ok(not_found(&format!("task [{id}] isn't running and hasn't stored its results")));
    let Some(numbers) = id.strip_prefix(info::ID).and_then(|rest| rest.strip_prefix(':')) else { return missing() };
    let mut receipts = Vec::new();
    for number in numbers.split('+').filter(|number| *number != "0") {
        let found = u64::from_str_radix(number, 16).ok().and_then(|number| server.whole_store().deletion(number));
        match found.filter(|receipt| server.reaches(receipt.group.as_str())) {
            Some(receipt) => receipts.push(receipt),
            None => return missing(),
        }
    }
    let started = receipts.iter().map(|receipt| receipt.created.0.div_euclid(1_000_000)).min().unwrap_or(0);
    let mut response = summary(&receipts);
    response["failures"] = json!([]);
    Ok(Reply::json(&json!({
        "completed": true,
        "task": {
            "node": info::ID, "id": numbers, "type": "transport", "action": "indices:data/write/delete/byquery",
            "status": summary(&receipts), "start_time_in_millis": started, "cancellable": false,
        },
        "response": response,
    })))
}
