//! `/api/v1/suggestions`: pipelines that may be worth it for a group, each with the events and bytes that it concerns.
//!
//! All events of the range are read twice: once to see what there is, once to try every candidate on them. What a rule, an
//! issue, a metric, a saved view or a dashboard may need is withheld, with their names.

mod counting;
mod dry_run;
mod uses;

use std::sync::Mutex;

use execute::{Answer, BlockVisitor};
use ingest::{Pipelines, TrialOutcome};
use serde_json::{Value, json};
use suggestion::{Candidate, Outcome, Profile, Selection, Totals};
use types::{Column, GroupName, Hold, RowSet, Run, ScanError, counted, ensure, verb_for};

use crate::state::{Call, Shared};
use door::{Problem, QueryRun, Reply, Result, reason_json, stats_json};

use counting::{all_events, share};
pub(super) use dry_run::{DryRunRange, dry_run};
pub(super) use uses::{Use, uses_of};

/// Suggestions of one answer.
const SUGGESTIONS_MAX: usize = 12;

pub(crate) fn get(Call { server, parameters, .. }: Call) -> door::Outcome {
    parameters.check_names(&["group", "from", "to", "time_zone"])?;
    let range = DryRunRange::of_parameters(&parameters, server.now())?;
    let group = group(&server, parameters.get("group").unwrap_or_default())?;
    let (of_thread, text) = (server.clone(), format!("suggestions for {group}"));
    Ok(Reply::query(&server, &text, move |reading| Ok(Reply::json(&answer(reading, &of_thread, &group, &range)?))))
}

/// Returns a group that exists for the caller and whose events pass pipelines.
pub(super) fn group(server: &Shared, name: &str) -> Result<GroupName> {
    let bad = |message: String| Problem::bad_request("bad-group", message);
    let group = GroupName::new(name).ok_or_else(|| bad("group is missing, or is not the name of one group".into()))?;
    server.must_reach(&group)?;
    if group.as_str().starts_with(ingest::OWN_GROUPS) {
        return Err(bad(format!("{group} is the server's own; its events pass no pipelines")));
    }
    ensure!(!group.has_samples(), bad(format!("{group} holds samples of metrics; suggestions are about log lines")));
    Ok(group)
}

/// Reads the texts of blocks into one profile.
#[derive(Default)]
struct ProfileVisitor(Mutex<Profile>);

impl BlockVisitor for ProfileVisitor {
    fn rows(&self, run: &dyn Run, block: usize, rows: &RowSet) -> Result<(), ScanError> {
        let profile = Profile::of_block(run, block, rows)?;
        self.0.hold().merge(profile);
        Ok(())
    }

    fn visit(&self, _block: usize, _columns: &[std::sync::Arc<Column>]) {}
}

fn answer(reading: &QueryRun<'_>, server: &Shared, group: &GroupName, range: &DryRunRange) -> Result<Value> {
    let visitor = ProfileVisitor::default();
    let snapshot = reading.snapshot(&range.scope(group).groups, range.range);
    let mut read = reading.visit(&snapshot, &all_events(), &range.scope(group), range.range, &visitor)?;
    let profile = visitor.0.into_held();
    let candidates = suggestion::candidates(group.as_str(), &profile);
    let (known, candidates): (Vec<Candidate>, Vec<Candidate>) = {
        let current = server.app.intake.pipelines();
        candidates.into_iter().partition(|candidate| current.has(name_of(candidate)))
    };
    let compiled = compiled(&candidates)?;
    let (counts, tried) = dry_run::count(reading, server, &snapshot, (group, range), &compiled)?;
    read.partial_reasons.extend(tried.partial_reasons);
    let all = Totals { n_events: counts.n_events, n_bytes: counts.n_bytes };
    let mut found = SuggestionList {
        all,
        made: known.iter().map(|known| name_of(known).to_owned()).collect(),
        ..SuggestionList::default()
    };
    for (candidate, outcome) in candidates.iter().zip(&counts.outcomes) {
        if found.n_shown() < SUGGESTIONS_MAX && is_worth(candidate, outcome, &all) {
            found.add(server, candidate, outcome)?;
        }
    }
    // What was not read is no reason: the answer says that it is partial.
    found.note = if read.partial_reasons.is_empty() { found.note(&profile) } else { None };
    Ok(found.json(group, range, &read))
}

/// What is suggested for a group.
#[derive(Default)]
struct SuggestionList {
    all: Totals,
    suggestions: Vec<Value>,
    /// What would be suggested if nothing needed the events.
    withheld: Vec<Value>,
    /// Names of pipelines that were made from suggestions before.
    made: Vec<String>,
    note: Option<String>,
}

impl SuggestionList {
    fn n_shown(&self) -> usize {
        self.suggestions.len() + self.withheld.len()
    }

    fn add(&mut self, server: &Shared, candidate: &Candidate, outcome: &TrialOutcome) -> Result<()> {
        let selections =
            if candidate.kind.takes_away() { Selection::all_of(&candidate.definition) } else { Vec::new() };
        let uses = uses_of(server, &selections)?;
        let n_events = outcome.concerned();
        let mut shown = json!({
            "id": name_of(candidate),
            "kind": candidate.kind.name(),
            "reason": candidate.reason.name(),
            "title": candidate.reason.title(),
            "pattern": candidate.pattern,
            "fields": candidate.fields,
            "events": n_events,
            "event_share": share(n_events, self.all.n_events),
            "bytes": outcome.bytes_before,
            "byte_share": share(outcome.bytes_before, self.all.n_bytes),
        });
        if uses.is_empty() {
            shown["definition"] = candidate.definition.clone();
            shown["dry_run"] = dry_run::outcome_json(outcome);
            self.suggestions.push(shown);
        } else {
            shown["used_by"] = Use::list_json(&uses);
            self.withheld.push(shown);
        }
        Ok(())
    }

    /// Says in a sentence why there is nothing, or what was not looked at.
    fn note(&self, profile: &Profile) -> Option<String> {
        if self.all.n_events == 0 {
            return Some("There are no events of this group in the range.".into());
        }
        if suggestion::tiny(self.all.n_events) {
            let (n, are) = (self.all.n_events, verb_for(self.all.n_events, "is", "are"));
            return Some(format!("{} {are} too few to suggest anything.", counted(n, "event")));
        }
        if profile.n_untold > 0 {
            let n = profile.n_untold;
            let (events, have) = (counted(n, "event"), verb_for(n, "has a text of its own", "have texts of their own"));
            return Some(format!("{events} {have}; noise and fields were not looked for there."));
        }
        (self.n_shown() == 0).then(|| "Nothing in this range is worth a pipeline.".into())
    }

    fn json(self, group: &GroupName, range: &DryRunRange, read: &Answer) -> Value {
        json!({
            "group": group.as_str(),
            "from": range.range.from.to_string(),
            "to": range.range.to.to_string(),
            "events": self.all.n_events,
            "bytes": self.all.n_bytes,
            "suggestions": self.suggestions,
            "withheld": self.withheld,
            "made": self.made,
            "note": self.note,
            "stats": stats_json(&read.stats),
            "partial": !read.partial_reasons.is_empty(),
            "partial_reasons": read.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })
    }
}

fn name_of(candidate: &Candidate) -> &str {
    candidate.definition["name"].as_str().unwrap_or_default()
}

/// Compiles candidates. They are definitions of this server's own making: one that does not compile is a fault here.
fn compiled(candidates: &[Candidate]) -> Result<Vec<Pipelines>> {
    let compile = |candidate: &Candidate| Pipelines::compile_one(&candidate.definition).map_err(Problem::internal);
    candidates.iter().map(compile).collect()
}

fn is_worth(candidate: &Candidate, outcome: &TrialOutcome, all: &Totals) -> bool {
    let concerned = Totals { n_events: outcome.concerned(), n_bytes: outcome.bytes_before };
    suggestion::is_worth(candidate, &Outcome { concerned }, all)
}
