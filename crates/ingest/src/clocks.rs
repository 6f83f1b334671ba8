//! Clocks and time zones that are off: per stream the time of events compared with their arrival.
//!
//! The newest event of a delivery happened just before it arrived, unless the sender's clock is wrong or its times were
//! read in the wrong zone. A stream is told of when its newest events are off by the same span for a while. Events from
//! the future need a moment, because nothing else makes them; events from the past need half a minute of arrivals that
//! keep their distance, so that a file that is read from its beginning is no wrong clock.
//!
//! Kept in memory: after a restart a stream is reported again once it sends again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use parse::{ArrivalContext, Zone, find_time, parse_time};
use storage::Part;
use types::{Batch, ClockOffset, Column, GroupName, Hold, Limits, Timestamp, Value};

/// A stream is reported from this offset on: half of the smallest step between zones, and far more than deliveries take.
const OFFSET_NS_MIN: i64 = 20 * Timestamp::MINUTE;

/// Time zones lie so far apart, and so much of it is the delay of a delivery.
const ZONE_STEP_NS: i64 = 15 * Timestamp::MINUTE;
const ZONE_SLACK_NS: i64 = 2 * Timestamp::MINUTE;

/// Distances of one stream that differ by more are no steady offset.
const SPREAD_NS_MAX: i64 = 5 * Timestamp::MINUTE;

/// Arrivals remembered of a stream, and those that an offset needs.
const ARRIVALS_KEPT: usize = 8;
const ARRIVALS_MIN: usize = 3;

/// Deliveries within this time are one arrival.
const ARRIVAL_NS: i64 = 500 * Timestamp::SECOND / 1_000;

/// How long the arrivals of events from the past must keep their distance.
const PAST_SPAN_NS_MIN: i64 = 30 * Timestamp::SECOND;

/// A stream that sent nothing for so long is not told of any more.
const FORGET_NS: i64 = 24 * Timestamp::HOUR;

/// Most streams watched, and most of them told of.
const STREAMS_MAX: usize = 20_000;
const SHOWN_MAX: usize = 100;

/// Keys of records that hold the time of the event.
const TIME_KEYS: [&str; 4] = ["@timestamp", "timestamp", "time", "ts"];

/// Zones that are offered for an offset in minutes, by what is spoken of most.
const ZONES: [(&str, &str); 26] = [
    ("-600", "Pacific/Honolulu"),
    ("-480", "America/Los_Angeles"),
    ("-420", "America/Denver"),
    ("-360", "America/Chicago"),
    ("-300", "America/New_York"),
    ("-240", "America/Santiago"),
    ("-180", "America/Sao_Paulo"),
    ("0", "UTC"),
    ("60", "Europe/Berlin"),
    ("120", "Europe/Helsinki"),
    ("180", "Europe/Moscow"),
    ("210", "Asia/Tehran"),
    ("240", "Asia/Dubai"),
    ("270", "Asia/Kabul"),
    ("300", "Asia/Karachi"),
    ("330", "Asia/Kolkata"),
    ("345", "Asia/Kathmandu"),
    ("360", "Asia/Dhaka"),
    ("390", "Asia/Yangon"),
    ("420", "Asia/Jakarta"),
    ("480", "Asia/Makassar"),
    ("540", "Asia/Jayapura"),
    ("570", "Australia/Darwin"),
    ("600", "Australia/Brisbane"),
    ("660", "Pacific/Noumea"),
    ("720", "Pacific/Auckland"),
];

/// A stream whose events are steadily off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// The stream and how far it is off.
    pub offset: ClockOffset,
    /// Whether nothing but a wrong clock or zone explains it. Otherwise its events may just come late.
    pub is_certain: bool,
    /// Whether its times name no zone.
    pub is_zoneless: bool,
    /// The zone in which they should be read, where that mends it.
    pub time_zone: Option<String>,
    /// When its last event arrived.
    pub last: Timestamp,
}

/// Compares the times of events with their arrival.
#[derive(Debug, Default)]
pub struct Clocks {
    streams: Mutex<HashMap<(GroupName, Arc<str>), Stream>>,
    /// What rules judge by; made anew when it changes.
    certain: RwLock<Arc<Vec<ClockOffset>>>,
}

#[derive(Debug, Default)]
struct Stream {
    arrivals: VecDeque<Arrival>,
    is_zoneless: bool,
    zone_offset_s: i64,
    was_certain: bool,
}

/// One arrival: when, and how far the newest event was off.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: i64,
    offset_ns: i64,
}

impl Clocks {
    /// Looks at events that arrived at `at` and whose times were read in `zone`.
    pub(crate) fn observe(&self, part: &Part, zone: Zone, at: Timestamp, limits: &Limits) {
        let mut is_changed = false;
        let mut streams = self.streams.hold();
        for (stream, (row, happened)) in newest_by_stream(&part.batch, at) {
            let offset_ns = happened.saturating_sub(at.0);
            let is_off = offset_ns.abs() >= OFFSET_NS_MIN;
            if streams.len() >= STREAMS_MAX {
                streams.clear();
            }
            let key = (part.group.clone(), stream);
            // Of a stream that was never off nothing is remembered.
            if !is_off && !streams.contains_key(&key) {
                continue;
            }
            let known = streams.entry(key.clone()).or_default();
            known.add(Arrival { at: at.0, offset_ns });
            // Fewer arrivals tell nothing.
            if is_off && known.arrivals.len() >= ARRIVALS_MIN {
                known.is_zoneless = is_zoneless(&part.batch, row, at, limits);
                known.zone_offset_s = zone.offset_seconds(at.0.div_euclid(Timestamp::SECOND));
            }
            let is_certain = known.steady().is_some_and(|offset_ns| known.is_certain(offset_ns));
            is_changed |= is_certain || known.was_certain != is_certain;
            known.was_certain = is_certain;
            if known.arrivals.iter().all(|arrival| arrival.offset_ns.abs() < OFFSET_NS_MIN) {
                streams.remove(&key);
            }
        }
        if is_changed {
            let certain = views(&streams, at).into_iter().filter(|view| view.is_certain).map(|view| view.offset);
            let certain: Vec<ClockOffset> = certain.take(SHOWN_MAX).collect();
            drop(streams);
            *self.certain.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certain);
        }
    }

    /// Returns the streams that are off, those furthest off first.
    pub fn views(&self, now: Timestamp) -> Vec<ClockView> {
        let mut views = views(&self.streams.hold(), now);
        views.truncate(SHOWN_MAX);
        views
    }

    /// Returns the streams whose offset is certain.
    pub fn certain(&self) -> Arc<Vec<ClockOffset>> {
        self.certain.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what is known of a group, whose times are read differently from now on.
    pub(crate) fn forget(&self, group: &GroupName) {
        self.streams.hold().retain(|(known, _), _| known != group);
        let kept: Vec<ClockOffset> = self.certain().iter().filter(|offset| offset.group != *group).cloned().collect();
        *self.certain.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
    }
}

fn views(streams: &HashMap<(GroupName, Arc<str>), Stream>, now: Timestamp) -> Vec<ClockView> {
    let mut views: Vec<ClockView> = streams
        .iter()
        .filter_map(|((group, stream), known)| {
            let offset_ns = known.steady()?;
            let last = Timestamp(known.arrivals.back()?.at);
            let is_recent = now.0.saturating_sub(last.0) < FORGET_NS;
            let is_certain = known.is_certain(offset_ns);
            let time_zone = known.zone_that_mends(offset_ns);
            let offset = ClockOffset { group: group.clone(), stream: stream.clone(), offset_ns };
            let is_zoneless = known.is_zoneless;
            is_recent.then_some(ClockView { offset, is_certain, is_zoneless, time_zone, last })
        })
        .collect();
    views.sort_by(|a, b| {
        let (a, b) = (&a.offset, &b.offset);
        let by_span = b.offset_ns.abs().cmp(&a.offset_ns.abs());
        by_span.then_with(|| (&a.group, &a.stream).cmp(&(&b.group, &b.stream)))
    });
    views
}

impl Stream {
    fn add(&mut self, arrival: Arrival) {
        match self.arrivals.back_mut() {
            Some(last) if (0..ARRIVAL_NS).contains(&arrival.at.saturating_sub(last.at)) => {
                last.offset_ns = last.offset_ns.max(arrival.offset_ns);
            }
            _ => self.arrivals.push_back(arrival),
        }
        while self.arrivals.len() > ARRIVALS_KEPT {
            // The first one is kept for as long as all agree with it: it says since when they do.
            self.arrivals.remove(1);
        }
        let steady = |first: &Arrival| (first.offset_ns - arrival.offset_ns).abs() <= SPREAD_NS_MAX;
        while self.arrivals.front().is_some_and(|first| !steady(first)) {
            self.arrivals.pop_front();
        }
    }

    /// Returns the span by which all arrivals are off, if they agree: a multiple of a quarter of an hour where it is near one.
    fn steady(&self) -> Option<i64> {
        let (first, last) = (self.arrivals.front()?, self.arrivals.back()?);
        let offsets = || self.arrivals.iter().map(|arrival| arrival.offset_ns);
        let (least, most) = (offsets().min()?, offsets().max()?);
        let span_ns = last.at.saturating_sub(first.at);
        let is_long = most > 0 || span_ns >= PAST_SPAN_NS_MIN;
        let is_off = least >= OFFSET_NS_MIN || most <= -OFFSET_NS_MIN;
        if self.arrivals.len() < ARRIVALS_MIN || !is_long || !is_off || most - least > SPREAD_NS_MAX {
            return None;
        }
        // The one that was delivered fastest shows it best.
        let near = (most + ZONE_STEP_NS / 2).div_euclid(ZONE_STEP_NS) * ZONE_STEP_NS;
        let minute = (most + Timestamp::MINUTE / 2).div_euclid(Timestamp::MINUTE) * Timestamp::MINUTE;
        Some(if (most - near).abs() <= ZONE_SLACK_NS { near } else { minute })
    }

    /// Reports whether only a wrong clock or zone explains an offset: events from the future have no other reason, and those
    /// from the past that name no zone are off by a zone.
    fn is_certain(&self, offset_ns: i64) -> bool {
        offset_ns > 0 || self.is_zoneless && offset_ns % ZONE_STEP_NS == 0
    }

    fn zone_that_mends(&self, offset_ns: i64) -> Option<String> {
        if !self.is_zoneless || offset_ns % ZONE_STEP_NS != 0 {
            return None;
        }
        let minutes = (self.zone_offset_s * Timestamp::SECOND + offset_ns) / Timestamp::MINUTE;
        if !(-12 * 60..=14 * 60).contains(&minutes) {
            return None;
        }
        let of_zone = minutes.to_string();
        let named = ZONES.iter().find(|(minutes, _)| *minutes == of_zone).map(|(_, name)| (*name).to_owned());
        // Names whose offset is another one now, as in summer, would be wrong.
        let now_s = self.arrivals.back()?.at.div_euclid(Timestamp::SECOND);
        let is_so = |name: &String| name.parse().is_ok_and(|zone: Zone| zone.offset_seconds(now_s) == minutes * 60);
        let sign = if minutes < 0 { '-' } else { '+' };
        let fixed = || format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        Some(named.filter(is_so).unwrap_or_else(fixed))
    }
}

/// Returns the newest event of each stream, with its row. Events with the time of their arrival are skipped: they had none.
fn newest_by_stream(batch: &Batch, at: Timestamp) -> BTreeMap<Arc<str>, (usize, i64)> {
    // By the code of the stream where it has one, so that its name is looked at once.
    let n_places = if let Column::Dictionary { values, .. } = &batch.streams { values.len() + 1 } else { batch.len() };
    let mut places: Vec<Option<(usize, i64)>> = vec![None; n_places];
    for (row, happened) in batch.timestamps.iter().enumerate().filter(|(_, happened)| *happened != at.0) {
        let place = match &batch.streams {
            Column::Dictionary { codes, .. } => (codes[row] as usize).min(n_places - 1),
            Column::Missing { .. } => 0,
            _ => row,
        };
        if places[place].is_none_or(|(_, known)| happened > known) {
            places[place] = Some((row, happened));
        }
    }
    let mut newest: BTreeMap<Arc<str>, (usize, i64)> = BTreeMap::new();
    for (row, happened) in places.into_iter().flatten() {
        let Some(Value::String(stream)) = batch.streams.value(row).or_else(|| Some(Value::text(""))) else { continue };
        let entry = newest.entry(stream).or_insert((row, happened));
        if happened > entry.1 {
            *entry = (row, happened);
        }
    }
    newest
}

/// Reports whether the time of an event names no zone: read in another zone it would be another time.
fn is_zoneless(batch: &Batch, row: usize, at: Timestamp, limits: &Limits) -> bool {
    let received = |zone: Zone| ArrivalContext { at, modified: None, previous: None, zone, limits };
    let zones = [Zone::UTC, Zone::from(3600)].map(received);
    let message = batch.messages.get(row).as_bytes();
    let [utc, other] = zones.map(|received| find_time(message, &received).map(|found| found.time));
    if utc != other {
        return true;
    }
    let texts = batch.fields.iter().filter(|(name, _)| TIME_KEYS.contains(&&**name));
    texts.filter_map(|(_, column)| column.value(row)).any(|value| {
        let Value::String(text) = value else { return false };
        let [utc, other] = zones.map(|received| parse_time(&text, &received));
        utc != other
    })
}

#[cfg(test)]
mod tests;
