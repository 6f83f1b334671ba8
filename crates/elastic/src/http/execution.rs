//! Runs a search over groups: hits, their number, aggregations.

use std::time::Instant;

use chrono_tz::Tz;
use execute::PartialReason;
use language::dsl::Selection;
use plan::Plan;
use serde_json::{Map, Value as Json_, json};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use super::hits::{self, Hit};
use super::plan_runner::PlanRunner;
use super::request::{Search, Total};
use super::search_run::SearchRun;
use super::state::Shared;
use super::{created_indices, mappings};
use crate::{AggregationResult, Executor, run_aggregations};
use door::{Problem, Result, Scope};

/// The result of a search.
pub(super) struct SearchResult {
    /// The answer, without an id of a scroll.
    pub(super) answer: Json_,
    /// The last hit, after which a scroll continues.
    pub(super) last: Option<Hit>,
    /// The number of events, if counted.
    pub(super) total: Option<u64>,
}

/// Runs a search over groups; without any, nothing is found.
pub(super) fn run(
    reading: &SearchRun<'_>,
    groups: Option<Vec<GroupPattern>>,
    search: &Search,
    now: Timestamp,
) -> Result<SearchResult> {
    let started = Instant::now();
    let mut selection = search.selection.clone();
    let has_groups = groups.as_ref().is_some_and(|groups| reaches_any(reading.server, groups));
    let groups = groups.unwrap_or_else(|| {
        // No group has an empty name.
        selection.range = TimeRange { from: selection.range.from, to: selection.range.from };
        vec![GroupPattern::new("")]
    });
    let snapshot = reading.snapshot(&groups, selection.range);
    let mut runner = PlanRunner { reading, snapshot: &snapshot, groups, now, reasons: Vec::new() };
    let mut of_hits = selection.clone();
    of_hits.operators.extend(search.post_filter.iter().flat_map(|post| post.operators.clone()));
    let found = match search.size {
        0 => Vec::new(),
        _ => hits::find(&mut runner, of_hits.clone(), search)?,
    };
    let mut total = search.known_total.or_else(|| total_of_hits(search, found.len()));
    let counts_all = total.is_none() && search.total != Total::None;
    let counts_apart = counts_all && search.post_filter.is_some();
    let mut result = AggregationResult::default();
    if !search.aggregations.is_empty() || (counts_all && !counts_apart) {
        result = run_aggregations(&search.aggregations, &selection, counts_all && !counts_apart, &mut runner)?;
    }
    if counts_apart {
        result.total = run_aggregations(&Default::default(), &of_hits, true, &mut runner)?.total;
    }
    if counts_all {
        total = result.total;
    }
    let last = found.last().map(Hit::place);
    let reasons = std::mem::take(&mut runner.reasons);
    let has_scores = search.order.is_empty();
    let mut members = Map::new();
    if search.total != Total::None {
        members.insert("total".into(), search.total.shown(total.unwrap_or(0), search.total_as_number));
    }
    members.insert("max_score".into(), if has_scores && !found.is_empty() { json!(1.0) } else { Json_::Null });
    members.insert("hits".into(), found.into_iter().map(|hit| hit.json).collect());
    let mut answer = json!({
        "took": started.elapsed().as_millis() as u64,
        "timed_out": reasons.iter().any(|reason| reason.code == "timeout"),
        "_shards": shards(&reasons),
        "hits": members,
    });
    // Without an index there are no aggregations.
    if !search.aggregations.is_empty() && has_groups {
        let aggregations = result.aggregations;
        let shown = if search.typed_keys { search.aggregations.typed(aggregations) } else { aggregations };
        answer["aggregations"] = shown.into();
    }
    Ok(SearchResult { answer, last, total })
}

/// Reports whether these patterns match a group that exists for the caller, or a created index.
fn reaches_any(server: &Shared, groups: &[GroupPattern]) -> bool {
    let is_meant = |name: &str| groups.is_empty() || GroupPattern::any_matches(groups, name);
    server.groups().iter().any(|group| is_meant(group.name.as_str()))
        || created_indices::empty(server).is_ok_and(|made| made.iter().any(|group| is_meant(group.as_str())))
}

/// Returns the number of events if the hits are all of them: fewer than requested, and not collapsed.
fn total_of_hits(search: &Search, n_found: usize) -> Option<u64> {
    let is_whole =
        search.cursor.is_none() && search.size > 0 && n_found < search.size && (n_found > 0 || search.from == 0);
    let is_whole = is_whole && search.collapse.is_none();
    is_whole.then_some((search.from + n_found) as u64)
}

/// Returns the only shard, which failed if the answer is partial.
fn shards(reasons: &[PartialReason]) -> Json_ {
    let damages: Vec<Json_> = reasons
        .iter()
        .map(|reason| json!({"shard": 0, "reason": {"type": "exception", "reason": reason.message}}))
        .collect();
    let failed = usize::from(!damages.is_empty());
    let mut shards = json!({"total": 1, "successful": 1 - failed, "skipped": 0, "failed": failed});
    if failed > 0 {
        shards["failures"] = damages.into();
    }
    shards
}

impl Executor for PlanRunner<'_> {
    type Error = Problem;

    fn rows(&mut self, plan: &Plan, range: TimeRange, zone: Tz) -> Result<Vec<Vec<Option<Value>>>> {
        Ok(self.ask(plan, range, zone)?.rows)
    }

    fn background_rows(&mut self, plan: &Plan, zone: Tz) -> Result<Vec<Vec<Option<Value>>>> {
        let snapshot = self.reading.snapshot(&self.groups, TimeRange::ALL);
        let scope = Scope { groups: self.groups.clone(), limit: None, time_zone: zone, now: self.now };
        let mut answer = self.reading.execute_on(&snapshot, plan, &scope, TimeRange::ALL)?;
        self.note(std::mem::take(&mut answer.partial_reasons));
        Ok(answer.rows)
    }

    fn hits(&mut self, selection: Selection, body: &Json_, at: &str) -> Result<Json_> {
        let schema = mappings::schema(self.reading.server, Some(&self.groups))?;
        let search = Search::of_top_hits(body, selection.clone(), at, &schema)?;
        let found = hits::find(self, selection.clone(), &search)?;
        let total = match total_of_hits(&search, found.len()) {
            Some(total) => total,
            None => run_aggregations(&Default::default(), &selection, true, self)?.total.unwrap_or(0),
        };
        let hits: Vec<Json_> = found.into_iter().map(|hit| hit.json).collect();
        Ok(json!({"hits": {"total": {"value": total, "relation": "eq"}, "max_score": null, "hits": hits}}))
    }
}
