//! How well each piece of evidence explains an onset, on one scale from 0 to 1.
//!
//! What was changed by people just before weighs most, where it concerns what is affected; then messages that did not exist
//! before, by their share of the events; then values that tell affected events from others; then what fell silent. The
//! onset itself explains nothing and comes after what does.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use types::Timestamp;

use super::usual::Usual;
use crate::calls::RedCall;
use crate::concurrent::{Concurrent, ConcurrentKind};
use crate::differs::{Differences, FieldDifference, LEVEL_FIELDS, PATTERN_FIELD};
use crate::onset::Onset;
use crate::traces::WorstTrace;

/// Time after which a change before the onset explains it half as well.
const HALF_TIME: f64 = 6.0 * Timestamp::MINUTE as f64;

/// Most that a change can explain: one that concerns what is affected, one of which nothing is known, one of something else.
const CHANGE_MAX: [f64; 3] = [0.98, 0.75, 0.35];

/// What a new pattern explains at least and at most, by its share of the events; one that comes more often; and one of
/// which there are only few.
const NEW_PATTERN: (f64, f64) = (0.45, 0.9);
const JUMP: (f64, f64) = (0.25, 0.6);

/// What a source that fell silent explains: where events became fewer, and where they became more.
const SILENCE: (f64, f64) = (0.9, 0.55);

/// What calls that became red explain at least and at most, by how much they changed; and the part of it that is left where
/// what they call calls something red itself, and where none of the affected events are of either service.
const CALL: (f64, f64) = (0.45, 0.88);
const NOT_LAST: f64 = 0.6;
const OF_OTHERS: f64 = 0.5;

/// What the onset itself, what is usual at this hour, and an example of a trace, explain.
const ONSET: f64 = 0.3;
const USUAL: f64 = 0.28;
const TRACE: f64 = 0.25;

/// Differences weigh by their divergence; at most so much.
const DIFFERS_MAX: f64 = 0.9;

types::named! {
    /// What a finding is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FindingKind {
        /// When it began.
        Onset = "onset",
        /// Messages that did not exist before.
        NewPattern = "new-pattern",
        /// Messages that come far more often.
        Jump = "jump",
        /// Values that affected events have.
        Differs = "differs",
        /// Something started.
        Restart = "restart",
        /// Something was done.
        Mark = "mark",
        /// A source stopped sending.
        Silence = "silence",
        /// A source still sends, with times that have passed.
        Clock = "clock",
        /// A trace that shows it.
        Trace = "trace",
        /// Calls between services that fail, or take longer.
        Call = "call",
        /// What happens at this hour on other days.
        Usual = "usual",
    }
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// What it says.
    pub title: String,
    /// When it was.
    pub at: Option<Timestamp>,
    /// A query for its events.
    pub query: Option<String>,
    /// How well it explains the onset, 0 to 1.
    pub score: f64,
}

/// Sorts findings, best first.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| Reverse(a.at).cmp(&Reverse(b.at))).then_with(|| a.title.cmp(&b.title))
    });
}

/// Returns the findings about an onset, in any order.
pub(super) fn findings(onset: &Onset, also: &[Concurrent], differs: Option<&Differences>) -> Vec<Finding> {
    let Some(began) = onset.began else { return Vec::new() };
    let fields: Vec<&FieldDifference> = differs.iter().flat_map(|differs| &differs.fields).collect();
    let mut findings = vec![self::onset(onset, began)];
    let n_patterns = also.iter().filter(|one| one.kind == ConcurrentKind::Pattern).map(|one| one.n_events[0]).max();
    for one in also {
        findings.push(match one.kind {
            ConcurrentKind::Mark => change(one, FindingKind::Mark, began, &fields),
            ConcurrentKind::Restart => change(one, FindingKind::Restart, began, &fields),
            ConcurrentKind::Pattern => pattern(one, n_patterns.unwrap_or(1)),
            ConcurrentKind::Silence | ConcurrentKind::Clock => silence(one, Some(onset)),
        });
    }
    findings.extend(fields.into_iter().filter(|field| says_more(&field.field)).map(difference));
    findings
}

fn onset(onset: &Onset, began: Timestamp) -> Finding {
    let verb = if onset.is_rise() { "rose" } else { "fell" };
    let title = format!("events {verb} from {} to {} per minute", short(onset.before), short(onset.after));
    Finding { kind: FindingKind::Onset, title, at: Some(began), query: None, score: ONSET }
}

/// Returns a number with at most two digits after the point.
fn short(number: f64) -> String {
    let digits = if number >= 100.0 {
        0
    } else if number >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Judges a restart or a mark: by the time between it and the onset, and by whether it concerns what is affected.
fn change(one: &Concurrent, kind: FindingKind, began: Timestamp, fields: &[&FieldDifference]) -> Finding {
    let ahead = began.0.saturating_sub(one.at.0) as f64;
    // What follows an onset is a consequence, but for the seconds by which clocks and the onset itself may be off.
    let nearness = if ahead >= -30.0 * Timestamp::SECOND as f64 { (-ahead.max(0.0) / HALF_TIME).exp2() } else { 0.3 };
    let most = match concerns(one, fields) {
        Some(true) => CHANGE_MAX[0],
        None => CHANGE_MAX[1],
        Some(false) => CHANGE_MAX[2],
    };
    let title = match kind {
        FindingKind::Mark => format!("{} {}", one.what, when(ahead)),
        _ => format!("started {}: {}", when(ahead), one.what),
    };
    Finding { kind, title, at: Some(one.at), query: one.query.clone(), score: most * (0.5 + nearness / 2.0) }
}

/// Returns a length of time before, or after, an onset in words.
fn when(ahead: f64) -> String {
    let seconds = ahead.abs() / Timestamp::SECOND as f64;
    let length = if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) };
    if ahead >= 0.0 { format!("{length} before") } else { format!("{length} after") }
}

/// Reports whether one of the values that something is about is among those that differ; `None` where none of their fields
/// differ.
fn concerns(one: &Concurrent, fields: &[&FieldDifference]) -> Option<bool> {
    let is_over = |text: &str| {
        let values = fields.iter().flat_map(|field| &field.values);
        let mut over = values.filter(|value| value.shares[0] > value.shares[1]);
        over.any(|value| value.value.as_ref().is_some_and(|known| known.to_string() == *text))
    };
    if one.about.iter().any(|(_, text)| is_over(text)) {
        return Some(true);
    }
    let has_field = |(name, _): &(String, String)| {
        fields.iter().any(|field| *field.field == **name || field.same_events.iter().any(|same| **same == **name))
    };
    // A text may name the value, too: `payment v4.13.0 starting`.
    let names = fields.iter().flat_map(|field| &field.values).filter(|value| value.shares[0] > value.shares[1]);
    let mut texts = names.filter_map(|value| value.value.as_ref()).map(ToString::to_string);
    if texts.any(|text| text.len() > 2 && one.what.contains(&text)) {
        return Some(true);
    }
    one.about.iter().any(has_field).then_some(false)
}

/// Judges a pattern by its share of the most frequent one that began then.
fn pattern(one: &Concurrent, n_most: u64) -> Finding {
    let is_new = one.n_events[1] == 0;
    let (kind, (least, most)) = if is_new { (FindingKind::NewPattern, NEW_PATTERN) } else { (FindingKind::Jump, JUMP) };
    let share = one.n_events[0] as f64 / n_most.max(1) as f64;
    let enough = (one.n_events[0] as f64 / 20.0).min(1.0);
    let score = least * enough + (most - least) * share.sqrt() * enough;
    Finding { kind, title: one.what.clone(), at: Some(one.at), query: one.query.clone(), score }
}

/// Judges a source that fell silent, or whose clock jumped.
pub(super) fn silence(one: &Concurrent, onset: Option<&Onset>) -> Finding {
    let score = if onset.is_none_or(|onset| !onset.is_rise()) { SILENCE.0 } else { SILENCE.1 };
    let kind = if one.kind == ConcurrentKind::Clock { FindingKind::Clock } else { FindingKind::Silence };
    let (title, query) = (one.what.clone(), one.query.clone());
    Finding { kind, title, at: Some(one.at), query, score }
}

/// Reports whether the differences of a field say what the patterns do not say.
fn says_more(field: &str) -> bool {
    field != PATTERN_FIELD && !LEVEL_FIELDS.contains(&field)
}

/// Returns what differs as a finding. It has no time: it is about all events since the onset.
fn difference(field: &FieldDifference) -> Finding {
    let percent = |share: f64| format!("{}%", short(share * 100.0));
    let same: Vec<&str> = field.same_events.iter().map(|name| &**name).filter(|name| says_more(name)).collect();
    let same = if same.is_empty() { String::new() } else { format!(" (the same events: {})", same.join(", ")) };
    let title = match (field.values.first(), &field.numbers) {
        (Some(value), _) => {
            let is_presence = value.is_presence();
            let has = match &value.value {
                Some(shown) => format!("{} = {shown}", field.field),
                None if is_presence => format!("{} present", field.field),
                None => format!("{} missing", field.field),
            };
            let [p, q] = value.shares.map(|share| percent(if is_presence { 1.0 - share } else { share }));
            format!("{has}: {p} of these events, {q} of others{same}")
        }
        (None, Some(numbers)) => {
            let [a, b] = numbers.p50.map(short);
            format!("{}: median {a}, of others {b}{same}", field.field)
        }
        (None, None) => field.field.to_string(),
    };
    Finding {
        kind: FindingKind::Differs,
        title,
        at: None,
        query: field.query.clone(),
        score: field.score * DIFFERS_MAX,
    }
}

/// Returns calls that became red as a finding; `services` are those of the affected events, where they are known.
pub(super) fn call(call: &RedCall, began: Timestamp, services: &BTreeSet<String>) -> Finding {
    let RedCall { from, to, error_shares, p95_ms, .. } = call;
    let percent = |share: f64| format!("{}%", short(share * 100.0));
    let mut said = Vec::new();
    if call.is_failing {
        let [now, before] = error_shares.map(percent);
        said.push(format!("{now} fail, {before} before"));
    }
    if let ([Some(now), Some(before)], true) = (p95_ms, call.is_slower) {
        said.push(format!("95% within {} ms, {} ms before", short(*now), short(*before)));
    }
    let is_of_affected = services.is_empty() || services.contains(from) || services.contains(to);
    let part = if call.is_last { 1.0 } else { NOT_LAST } * if is_of_affected { 1.0 } else { OF_OTHERS };
    Finding {
        kind: FindingKind::Call,
        title: format!("calls {from} → {to}: {}", said.join("; ")),
        at: Some(began),
        query: call.query.clone(),
        score: part * (CALL.0 + (CALL.1 - CALL.0) * call.score.sqrt()),
    }
}

/// Returns what is usual at this hour as a finding.
pub(super) fn usual(usual: &Usual) -> Finding {
    let (median, [least, most]) = (short(usual.median()), usual.ends().map(short));
    let days = match usual.days.len() {
        1 => "on the day before that has events".to_owned(),
        n => format!("{least} to {most} on the {n} days before"),
    };
    let title = format!("usual at this hour: {median} per minute, {days}; now {}", short(usual.per_minute));
    Finding { kind: FindingKind::Usual, title, at: None, query: None, score: USUAL }
}

/// Returns a trace as a finding.
pub(super) fn trace(trace: WorstTrace) -> Finding {
    let title = match trace.duration_ms {
        Some(duration) => format!("trace {} took {} ms", trace.id, short(duration)),
        None => format!("trace {}", trace.id),
    };
    Finding { kind: FindingKind::Trace, title, at: Some(trace.at), query: Some(trace.query), score: TRACE }
}
