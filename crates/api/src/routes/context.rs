//! `/api/v1/context`: what happened around an event, in its stream or around its instant.
//!
//! The time of the event is part of its id, so nothing is searched for it. From there each side is looked at in spans that
//! grow, as far as events are wanted and there are any: what lies near costs nothing of what lies far.

mod exception;

use execute::{Answer, ContextAnchor, ContextError, Side};
use language::ParseOptions;
use plan::{Operator, Plan};
use serde_json::{Map, Value as Json, json};
use types::{EventId, GroupName, GroupPattern, TimeRange, Timestamp};

use self::exception::{columns, exception_json, stream_of};
use crate::answer::{Form, respond};
use crate::ask;
use crate::state::{Api, Call};
use crate::subject::Row;
use door::spans::{ends, later, spans};
use door::{Outcome, Parameters, Problem, QueryRun, Reply, Result, Scope};

/// Events on either side where the request does not say how many, and at most.
const SIDE_DEFAULT: usize = 50;
const SIDE_MAX: usize = 1_000;

const PARAMETERS: [&str; 9] = ["id", "before", "after", "stream", "groups", "group", "query", "language", "time_zone"];

/// How far from an event is looked where the ends of its group are not known.
const PASSING_NS: i64 = Timestamp::MINUTE;

/// What is asked for.
struct ContextQuery {
    id: EventId,
    before: usize,
    after: usize,
    /// Groups around the instant; none where only the stream of the event counts.
    groups: Option<Vec<GroupPattern>>,
    plan: Plan,
    scope: Scope,
}

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let text = parameters.get("query").unwrap_or_default().to_owned();
    let now = server.now();
    let api = server.state.clone();
    Ok(Reply::query(&server, &text, move |reading| {
        let (answer, extra) = answer(reading, &api, &wanted(&parameters, now)?)?;
        Ok(Reply::Whole(respond(Form::Json, answer, extra)))
    }))
}

fn wanted(parameters: &Parameters, now: Timestamp) -> Result<ContextQuery> {
    let id = parameters.get("id").unwrap_or_default();
    let bad_id = || Problem::bad_request("bad-id", format!("{id:?} is no @id of an event"));
    let number = |name| parameters.number::<usize>(name);
    let time_zone = ask::time_zone(parameters.get("time_zone"))?;
    let text = parameters.get("query").unwrap_or_default();
    let plan = ask::parse(text, parameters.get("language"), &ParseOptions { now, time_zone })?;
    if plan::has_subqueries(&plan) || !plan.sources.is_empty() {
        let problem = Problem::bad_request("context-query", "neighbours of an event are chosen by filters alone");
        return Err(problem.hint("name groups with groups=, and no other queries"));
    }
    let groups = parameters.groups();
    let groups = match parameters.get("stream") {
        Some("*") => Some(groups),
        None if groups.is_empty() => None,
        _ => {
            let problem = Problem::bad_parameter("stream is * or absent, and groups go with stream=*");
            return Err(problem.hint("without both, the events of the same stream are shown"));
        }
    };
    Ok(ContextQuery {
        id: EventId::decode(id).ok_or_else(|| bad_id().hint("take it from the ids of an answer, or ask for @id"))?,
        before: number("before")?.unwrap_or(SIDE_DEFAULT).min(SIDE_MAX),
        after: number("after")?.unwrap_or(SIDE_DEFAULT).min(SIDE_MAX),
        groups,
        plan,
        scope: Scope { groups: Vec::new(), limit: None, time_zone, now },
    })
}

/// Returns the rows in order, and the index of the event among them.
fn answer(reading: &QueryRun<'_>, api: &Api, wanted: &ContextQuery) -> Result<(Answer, Map<String, Json>)> {
    let (group, told, own) = original(reading, wanted)?;
    let stream = stream_of(&told);
    let scope = Scope {
        groups: wanted.groups.clone().unwrap_or_else(|| vec![GroupPattern::new(group.as_str())]),
        ..wanted.scope.clone()
    };
    let only = wanted.groups.is_none().then(|| stream.clone());
    let around = ContextAnchor { id: wanted.id, stream: only };
    let at = wanted.id.timestamp;
    // Of an archive that passes by, nobody knows where it begins and ends, and each span is a pass of its own.
    let ends = ends(reading, &scope.groups).or(Some((later(at, -PASSING_NS), later(at, PASSING_NS))));
    let mut before = side(reading, wanted, &scope, &around, (Side::Before, wanted.before, ends))?;
    let after = side(reading, wanted, &scope, &around, (Side::After, wanted.after, ends))?;
    let (more_before, more_after) = (before.more, after.more);
    before.rows.reverse();
    before.ids.iter_mut().for_each(|ids| ids.reverse());
    let place = before.rows.len();
    for part in [own, after] {
        before.append(part);
        before.check_memory(reading.server.app.limits.query_memory_bytes)?;
    }
    let mut extra = Map::new();
    let event = json!({
        "@id": wanted.id.encode(), "@timestamp": wanted.id.timestamp.to_string(), "@log": group.as_str(),
        "@logStream": &*stream, "exception": exception_json(api, group.as_str(), wanted.id, &told),
    });
    extra.insert("event".into(), event);
    extra.insert("place".into(), place.into());
    extra.insert("more_before".into(), more_before.into());
    extra.insert("more_after".into(), more_after.into());
    Ok((before, extra))
}

/// Returns the event itself: its group, what [`columns`] has of it, its row.
fn original(reading: &QueryRun<'_>, wanted: &ContextQuery) -> Result<(GroupName, Row, Answer)> {
    let group = reading.server.group_of(wanted.id.group_id).ok_or_else(|| gone(wanted.id))?;
    let scope = Scope { groups: vec![GroupPattern::new(group.as_str())], ..wanted.scope.clone() };
    let instant = TimeRange { from: wanted.id.timestamp, to: later(wanted.id.timestamp, 1) };
    let options = ParseOptions { now: scope.now, time_zone: scope.time_zone };
    let ask = |plan: &Plan| reading.execute(&execute::event_plan(plan, wanted.id).map_err(refused)?, &scope, instant);
    let mut plan = language::parse_insights("fields @logStream", &options)?;
    plan.edit(|operators| {
        if let Some(Operator::Project { columns: own, .. }) = operators.last_mut() {
            *own = columns();
        }
    });
    let mut told = ask(&plan)?;
    let Some(row) = told.rows.pop() else {
        // What could not be read is not what is not there.
        let reason = told.partial_reasons.first();
        return Err(reason.map_or_else(|| gone(wanted.id), |reason| Problem::internal(reason.message.clone())));
    };
    Ok((group, row, ask(&wanted.plan)?))
}

/// Returns the problem for an event that does not exist for the caller.
fn gone(id: EventId) -> Problem {
    let message = format!("the event of {} is no longer there: its retention is over, or it was deleted", id.timestamp);
    let problem = Problem { code: "event-gone", ..Problem::not_found(message) };
    problem.hint("what is left around its time is found by a query with from and to")
}

fn refused(error: ContextError) -> Problem {
    Problem::bad_request("context-query", error.to_string()).hint("use filter, parse and fields")
}

/// Returns the nearest events on one side, nearest first, and whether there are more.
fn side(
    reading: &QueryRun<'_>,
    wanted: &ContextQuery,
    scope: &Scope,
    around: &ContextAnchor,
    (side, most, ends): (Side, usize, Option<(Timestamp, Timestamp)>),
) -> Result<Answer> {
    let mut found = Answer::default();
    for range in spans(wanted.id.timestamp, side, ends) {
        // One more than shown tells whether there are more.
        let left = most + 1 - found.rows.len();
        let plan = execute::context_plan(&wanted.plan, around, side, left as u64).map_err(refused)?;
        found.append(reading.execute(&plan, scope, range)?);
        found.check_memory(reading.server.app.limits.query_memory_bytes)?;
        let is_over = found.partial_reasons.iter().any(|reason| reason.code != "damaged");
        if found.rows.len() > most || is_over {
            break;
        }
    }
    found.more = found.rows.len() > most;
    found.rows.truncate(most);
    found.ids.iter_mut().for_each(|ids| ids.truncate(most));
    Ok(found)
}
