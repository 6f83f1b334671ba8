//! `all_fields=true`: events with every field that they have, for files that are kept or moved elsewhere.
//!
//! Which fields there are is known only from the events, so these are looked at first; the answer is made of the same snapshot, so
//! that no field is missing that came in the meantime.

use std::collections::BTreeSet;

use plan::{Expr, Operator, Plan};
use storage::Snapshot;

use crate::answer::Form;
use crate::ask::Question;
use crate::state::Shared;
use door::{Problem, QueryRun, Result};
use types::ensure;

/// Most columns of an answer: a row has a place for each, whether the event has the field or not.
const COLUMNS_MAX: usize = 10_000;

/// What every event has, in the order of the columns. `@ptr` is another name of `@id`.
const OF_EVERY_EVENT: [&str; 7] = ["@timestamp", "@ingestionTime", "@level", "@log", "@logStream", "@message", "@id"];

/// Adds the columns of all fields to those of a question, and the snapshot whose fields these are.
pub(super) async fn widened(server: &Shared, question: Question, form: Form) -> Result<Question> {
    ensure!(matches!(question.plan.operators().last(), Some(Operator::Project { is_events: true, .. })), no_events());
    let text = question.text.clone();
    server.read(&text, move |reading| with_fields(reading, question, form)).await
}

fn with_fields(reading: &QueryRun<'_>, mut question: Question, form: Form) -> Result<Question> {
    let (plan, scope) = (&question.plan, &question.scope);
    let mut snapshot = reading.snapshot(&scope.groups, plan.reach(question.range, scope.time_zone));
    // A line leaves out what its event lacks; a table would have a column for every field of events that do not match.
    let of_matching = if form.is_sparse() { None } else { names_of_matching(reading, &question, &snapshot)? };
    let names = of_matching.unwrap_or_else(|| names_of_runs(&mut snapshot));
    ensure!(names.len() <= COLUMNS_MAX, too_many(names.len()));
    append(&mut question.plan, OF_EVERY_EVENT.map(Into::into).into_iter().chain(names));
    question.snapshot = Some(snapshot);
    Ok(question)
}

/// The fields of the events that match; `None` where some could not be read.
fn names_of_matching(
    reading: &QueryRun<'_>,
    question: &Question,
    snapshot: &Snapshot,
) -> Result<Option<BTreeSet<plan::Name>>> {
    let progress = |stats: &execute::Stats| reading.note(stats);
    let request = reading.request(question.range, &question.scope, &progress);
    let answered = reading.answered(&question.plan, &question.scope.groups, &request)?;
    let found = execute::matched_fields(&answered.plan, &snapshot.runs, &request)?;
    let is_whole = answered.partial_reasons.is_empty() && found.partial_reasons.is_empty();
    Ok(is_whole.then(|| found.fields.into_iter().map(|field| field.name.into()).collect()))
}

fn names_of_runs(snapshot: &mut Snapshot) -> BTreeSet<plan::Name> {
    let mut names = BTreeSet::new();
    for run in &snapshot.runs {
        match run.field_names() {
            Ok(of_run) => names.extend(of_run),
            // The answer is partial, and says so.
            Err(error) => snapshot.damaged.push(error),
        }
    }
    names
}

/// Appends columns to those that a plan shows, each once.
fn append(plan: &mut Plan, names: impl Iterator<Item = plan::Name>) {
    plan.edit(|operators| {
        let Some(Operator::Project { columns, .. }) = operators.last_mut() else { return };
        let mut shown: BTreeSet<plan::Name> = columns.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            if shown.insert(name.clone()) {
                columns.push((name.clone(), Expr::Field(name)));
            }
        }
    });
}

fn too_many(n: usize) -> Problem {
    let message = format!("the events have {n} fields, and an answer has at most {COLUMNS_MAX} columns");
    Problem::bad_request("too-many-fields", message)
        .hint("ask for fewer groups or less time, or name fields with `fields`")
}

/// The problem of a question whose rows are no events.
pub(super) fn no_events() -> Problem {
    let problem = Problem::bad_parameter("all_fields is for queries whose rows are events");
    problem.hint("leave it out, or the commands that count, group or join")
}
