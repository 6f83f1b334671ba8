//! Pages of events: `FilterLogEvents` of a group, `GetLogEvents` of a stream.
//!
//! The token of a page names an event and a direction: `f/ID` for later events, `b/ID` for earlier ones. Pages therefore
//! stay consistent while events arrive, and a token never expires. A page is searched in growing spans of time, nearest
//! first.

use std::sync::Arc;

use axum::http::StatusCode;
use chrono_tz::Tz;
use execute::{Answer, ContextAnchor, Side, context_plan};
use plan::{Operator, Plan};
use serde_json::{Value as Json, json};
use types::{EventId, GroupName, GroupPattern, TimeRange, Timestamp, Value, ensure};

use super::answer::{CloudWatchProblem, Result};
use super::input::Input;
use super::patterns::{is_one_of, plan_of, starts_with_any};
use super::request::{OperationRequest, Step};
use super::time::milliseconds;
use door::spans::{ends, spans};
use door::{Problem, QueryRun, Scope};

/// Limits of a page: events, as at Amazon, and bytes of their messages.
const EVENTS_MAX: usize = 10_000;
const PAGE_BYTES: usize = 1 << 20;

/// Events read at once if more do not fit into the memory of a query.
const FEW: usize = 64;

/// Limit on the streams of one request.
const STREAMS_MAX: usize = 100;

/// A page of events that is requested.
struct EventRequest {
    group: GroupName,
    stream: Option<Arc<str>>,
    plan: Plan,
    range: TimeRange,
    place: Place,
    most: usize,
}

/// The start and direction of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    side: Side,
    /// The event next to the page; `None` for the end of the range.
    id: Option<EventId>,
}

/// One event.
struct Line {
    id: EventId,
    message: Arc<str>,
    stream: Arc<str>,
    arrived: Timestamp,
}

/// The events of a page in its direction, and whether there are more.
#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    n_bytes: usize,
    more: bool,
}

impl OperationRequest {
    /// Blocks.
    pub(super) fn filter_events(&self, input: &Input) -> Result<Step> {
        let group = self.known_group(input)?;
        let mut plan = plan_of(input.text("filterPattern")?.unwrap_or_default())?;
        let streams = input.texts("logStreamNames")?;
        let prefix = input.text("logStreamNamePrefix")?;
        match (streams, prefix) {
            (Some(_), Some(_)) => {
                let message = "logStreamNames and logStreamNamePrefix must not be given together.";
                return Err(CloudWatchProblem::parameter(message));
            }
            (Some(names), None) if !(1..=STREAMS_MAX).contains(&names.len()) => {
                return Err(CloudWatchProblem::parameter(format!("logStreamNames has 1 to {STREAMS_MAX} members.")));
            }
            (Some(names), None) => {
                self.must_have_streams(&group, &names)?;
                plan.edit(|operators| operators.insert(0, Operator::Filter(is_one_of(&names))));
            }
            (None, Some(prefix)) => {
                plan.edit(|operators| operators.insert(0, Operator::Filter(starts_with_any(&[prefix]))));
            }
            (None, None) => {}
        }
        let range = range_of(input, 1_000_000)?;
        let side = if input.flag_or("startFromHead", true)? { Side::After } else { Side::Before };
        let place = place_of(input, side)?;
        let most = input.number("limit", EVENTS_MAX, EVENTS_MAX)?;
        let text = input.text("filterPattern")?.unwrap_or_default();
        let request = EventRequest { group, stream: None, plan, range, place, most };
        Ok(Step::query(text, move |reading| {
            let page = page(reading, &request)?;
            let event = |line: &Line| {
                json!({
                    "logStreamName": &*line.stream, "timestamp": milliseconds(line.id.timestamp),
                    "message": &*line.message, "ingestionTime": milliseconds(line.arrived), "eventId": line.id.encode(),
                })
            };
            let events: Vec<Json> = page.lines.iter().map(event).collect();
            let mut answer = json!({"events": events, "searchedLogStreams": []});
            if let Some(last) = page.lines.last().filter(|_| page.more) {
                answer["nextToken"] = Place { side: place.side, id: Some(last.id) }.token().into();
            }
            Ok(answer)
        }))
    }

    /// Blocks.
    pub(super) fn events(&self, input: &Input) -> Result<Step> {
        let group = self.known_group(input)?;
        let stream = input.needed("logStreamName")?;
        self.must_have_streams(&group, &[stream])?;
        let range = range_of(input, 0)?;
        let place = place_of(input, if input.flag("startFromHead")? { Side::After } else { Side::Before })?;
        let most = input.number("limit", EVENTS_MAX, EVENTS_MAX)?;
        let request = EventRequest { group, stream: Some(stream.into()), plan: plan_of("")?, range, place, most };
        Ok(Step::query("(events of a stream)", move |reading| {
            let mut page = page(reading, &request)?;
            if place.side == Side::Before {
                page.lines.reverse();
            }
            let (forward, backward) = tokens(&page.lines, place, range);
            let event = |line: &Line| {
                json!({
                    "timestamp": milliseconds(line.id.timestamp), "message": &*line.message,
                    "ingestionTime": milliseconds(line.arrived),
                })
            };
            let events: Vec<Json> = page.lines.iter().map(event).collect();
            Ok(json!({"events": events, "nextForwardToken": forward, "nextBackwardToken": backward}))
        }))
    }

    /// Refuses streams that the group does not have. Blocks.
    fn must_have_streams(&self, group: &GroupName, names: &[&str]) -> Result<()> {
        let (groups, store) = (&self.server.state.groups, self.server.whole_store());
        names.iter().try_for_each(|name| groups.check_stream(store, group, name))
    }
}

/// Reads the range from `startTime` to `endTime`, in milliseconds, extended by `end_ns`.
fn range_of(input: &Input, end_ns: i64) -> Result<TimeRange> {
    let time = |name: &str| input.optional_integer(name).map(|time| time.map(|ms| ms.saturating_mul(1_000_000)));
    let from = time("startTime")?.map_or(TimeRange::ALL.from, Timestamp);
    let end = time("endTime")?;
    let to = end.map_or(TimeRange::ALL.to, |to| Timestamp(to.saturating_add(end_ns)));
    ensure!(end.is_none_or(|end| from.0 <= end), CloudWatchProblem::parameter("startTime is after endTime."));
    Ok(TimeRange { from, to })
}

/// Returns the place that the token names, else the end of the range where `side` begins.
fn place_of(input: &Input, side: Side) -> Result<Place> {
    let Some(token) = input.text("nextToken")? else { return Ok(Place { side, id: None }) };
    Place::read(token).ok_or_else(|| CloudWatchProblem::parameter("The specified nextToken is invalid."))
}

impl Place {
    fn token(self) -> String {
        let side = if self.side == Side::After { 'f' } else { 'b' };
        format!("{side}/{}", self.id.map(EventId::encode).unwrap_or_default())
    }

    fn read(token: &str) -> Option<Self> {
        let (side, id) = token.split_once('/')?;
        let side = match side {
            "f" => Side::After,
            "b" => Side::Before,
            _ => return None,
        };
        Some(Self { side, id: Some(EventId::decode(id)?) })
    }
}

/// Returns the tokens of a page, forward and backward, given its lines in order of time. An empty page keeps the token of
/// its direction, and the other token begins with the event of that token.
fn tokens(lines: &[Line], place: Place, range: TimeRange) -> (String, String) {
    let (last, first) = match (lines.last(), lines.first(), place.id) {
        (Some(last), Some(first), _) => (last.id, first.id),
        (_, _, Some(id)) if place.side == Side::After => (id, after(id)),
        (_, _, Some(id)) => (before(id), id),
        // Later events are found in either direction.
        _ => (start_of(range.from), start_of(range.to)),
    };
    let token = |side, id| Place { side, id: Some(id) }.token();
    (token(Side::After, last), token(Side::Before, first))
}

/// Returns an id before every event of a time.
fn start_of(time: Timestamp) -> EventId {
    EventId { group_id: 0, timestamp: Timestamp(time.0.saturating_sub(1)), sequence: u64::MAX }
}

fn after(id: EventId) -> EventId {
    EventId { sequence: id.sequence.saturating_add(1), ..id }
}

fn before(id: EventId) -> EventId {
    match id.sequence.checked_sub(1) {
        Some(sequence) => EventId { sequence, ..id },
        None => EventId { group_id: id.group_id, ..start_of(id.timestamp) },
    }
}

/// Reads a page.
fn page(reading: &QueryRun<'_>, request: &EventRequest) -> Result<Page, Problem> {
    let groups = vec![GroupPattern::new(request.group.as_str())];
    let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now: reading.server.now() };
    let mut page = Page::default();
    let Some((first, last)) = ends(reading, &scope.groups) else { return Ok(page) };
    let range = TimeRange {
        from: request.range.from.max(first),
        to: request.range.to.min(Timestamp(last.0.saturating_add(1))),
    };
    if range.from >= range.to {
        return Ok(page);
    }
    let side = request.place.side;
    let start = match side {
        Side::After => start_of(range.from),
        Side::Before => start_of(Timestamp(range.to.0.saturating_add(1))),
    };
    // An old token may name an event outside the range.
    let start = request.place.id.filter(|id| range.contains(id.timestamp)).unwrap_or(start);
    if is_beyond(request.place, range) {
        return Ok(page);
    }
    let inside = Some((range.from, Timestamp(range.to.0 - 1)));
    let mut cursor = start;
    for span in spans(start.timestamp, side, inside) {
        let span = TimeRange { from: span.from.max(range.from), to: span.to.min(range.to) };
        if span.from < span.to && !fill(reading, request, &scope, span, &mut cursor, &mut page)? {
            break;
        }
    }
    Ok(page)
}

/// Reports whether no event of the range can follow a place.
fn is_beyond(place: Place, range: TimeRange) -> bool {
    match (place.side, place.id) {
        (_, None) => false,
        (Side::After, Some(id)) => id.timestamp >= range.to,
        (Side::Before, Some(id)) => id.timestamp < range.from,
    }
}

/// Adds the events of a span. Returns `false` once the page is full.
fn fill(
    reading: &QueryRun<'_>,
    request: &EventRequest,
    scope: &Scope,
    span: TimeRange,
    cursor: &mut EventId,
    page: &mut Page,
) -> Result<bool, Problem> {
    let mut chunk_max = usize::MAX;
    loop {
        // One event more than requested shows whether there are more.
        let chunk = (request.most + 1 - page.lines.len()).min(chunk_max);
        let around = ContextAnchor { id: *cursor, stream: request.stream.clone() };
        let plan = context_plan(&request.plan, &around, request.place.side, chunk as u64)
            .map_err(|error| Problem::bad_request("filter-pattern", error.to_string()))?;
        let answer = match reading.execute(&plan, scope, span) {
            Err(problem) if problem.code == "query-memory" && chunk > FEW => {
                chunk_max = FEW;
                continue;
            }
            answer => answer?,
        };
        if let Some(reason) = answer.partial_reasons.iter().find(|reason| reason.code != "damaged") {
            // A partial answer may lack the nearest events, which the next page would skip.
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason.code, reason.message.clone()));
        }
        let n_found = answer.rows.len();
        for line in lines_of(answer) {
            if page.lines.len() == request.most || page.n_bytes > PAGE_BYTES {
                page.more = true;
                return Ok(false);
            }
            *cursor = line.id;
            page.n_bytes += line.message.len();
            page.lines.push(line);
        }
        if n_found < chunk {
            return Ok(true);
        }
    }
}

fn lines_of(answer: Answer) -> impl Iterator<Item = Line> {
    let ids = answer.ids.unwrap_or_default().into_iter();
    ids.zip(answer.rows).filter_map(|(id, row)| {
        let mut row = row.into_iter();
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string().into(),
            None => "".into(),
        };
        let message = text(row.next()?);
        let arrived = match row.next()? {
            Some(Value::Timestamp(time)) => time,
            _ => Timestamp(0),
        };
        Some(Line { id: EventId::decode(&id)?, message, arrived, stream: text(row.next()?) })
    })
}

#[cfg(test)]
mod tests;
