//! Restarts: what began anew in a range of time, by where it runs.
//!
//! Two signs are taken for one, both with care. A text says so ([`pattern::start`]): not where the
//! same origin says it just as often in the time before, or so often that it can only be its daily work. Or the number
//! of its process changes: a service that one process after another writes for, each of which was there most of the
//! time until the next one came; many numbers at once are workers, and many in a row are a program that is run again
//! and again. Signs of one origin that follow each other closely are one restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Operator, Patterns};
use types::{Timestamp, Value};

use crate::operators::patterns::ends::Spot;
use crate::operators::patterns::origins::{Origin, Process};
use crate::operators::patterns::pattern_sums::Part;
use crate::operators::patterns::samples;
use crate::operators::patterns::text_counts::TextCounts;
use crate::request::error::Result;
use pattern::{Start, is_short_start, start};

/// Restarts of an answer.
const RESTARTS_MAX: usize = 200;

/// Signs of one origin that are no further apart are one restart.
const APART_MAX: i64 = 30 * Timestamp::SECOND;

/// Starts of one origin with one text; more are its work.
const STARTS_OF_TEXT_MAX: usize = 100;

/// Starts in the time before that make as many now nothing new.
const USUAL_MIN: u64 = 2;

/// Processes of one service that follow each other; more are a program that is run again and again.
const PROCESSES_MAX: usize = 6;

/// Events that a process has to have before it is taken for one that was running, and for one that is.
const EVENTS_BEFORE_MIN: u64 = 5;
const EVENTS_SINCE_MIN: u64 = 2;

/// Units that come and go by themselves.
const PASSING_UNITS: [&str; 8] =
    ["Session ", "session-", "User Manager", "User Runtime", "user@", "user-runtime", "Daily ", "Cleanup"];

types::named! {
    /// What says that something began anew.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum RestartKind {
        /// A kernel.
        Boot = "boot",
        /// A service manager that starts a unit.
        Unit = "unit",
        /// A program's own text.
        Program = "program",
        /// Another process number.
        Process = "process",
    }
}

/// Something that began anew.
#[derive(Clone, Debug)]
pub struct Restart {
    /// What says so.
    pub kind: RestartKind,
    /// What it is: the unit, else the service, else the group.
    pub name: Arc<str>,
    /// Field and name of the service that wrote the event, where it has one.
    pub service: Option<(&'static str, Arc<str>)>,
    /// The same of the host.
    pub host: Option<(&'static str, Arc<str>)>,
    /// The group of the event.
    pub group: Arc<str>,
    /// The first event that says so.
    pub first: crate::answers::event::Event,
    /// How many events say so.
    pub n_events: u64,
}

/// A sign.
struct Sign {
    time: i64,
    spot: Spot,
    origin: Origin,
    kind: RestartKind,
}

/// Finds what began anew in the time of `now`, oldest first; and whether there was more.
pub(super) fn restarts(
    now: &Part<'_, '_>,
    before: &TextCounts,
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<(Vec<Restart>, bool)> {
    let mut signs = starts(&now.counted, before);
    signs.extend(successors(&now.counted, before));
    signs.sort_by(|a, b| (a.time, a.spot, &a.origin).cmp(&(b.time, b.spot, &b.origin)));
    let spots: Vec<Option<Spot>> = signs.iter().map(|sign| Some(sign.spot)).collect();
    let read = samples::read_spots(now.scan, &spots, lead, patterns)?;
    let mut all: Vec<Restart> = Vec::new();
    let mut newest: BTreeMap<(Origin, Option<String>), (i64, usize)> = BTreeMap::new();
    for (sign, sample) in signs.into_iter().zip(read) {
        let Some((Value::String(text), id)) = sample.and_then(|sample| Some((sample.text, sample.id?))) else {
            continue;
        };
        let unit = if sign.kind == RestartKind::Unit { Some(unit_of(&text)) } else { None };
        if unit.as_ref().is_some_and(|unit| PASSING_UNITS.iter().any(|passing| unit.starts_with(passing))) {
            continue;
        }
        let key = (sign.origin, unit);
        if let Some((time, place)) = newest.get_mut(&key)
            && sign.time.saturating_sub(*time) <= APART_MAX
        {
            *time = sign.time;
            all[*place].n_events += 1;
            continue;
        }
        newest.insert(key.clone(), (sign.time, all.len()));
        let (origin, unit) = key;
        let of = |named: &Option<crate::operators::patterns::origins::OriginField>| {
            named.as_ref().map(|named| (named.field, named.value.clone()))
        };
        let service = of(&origin.service);
        let name = unit.map(Arc::from).or_else(|| service.as_ref().map(|(_, name)| name.clone()));
        all.push(Restart {
            kind: sign.kind,
            name: name.unwrap_or_else(|| origin.group.clone()),
            service,
            host: of(&origin.host),
            first: crate::answers::event::Event { id, time: Timestamp(sign.time), text },
            n_events: 1,
            group: origin.group,
        });
    }
    let n_more = all.len().saturating_sub(RESTARTS_MAX);
    all.drain(..n_more);
    Ok((all, n_more > 0))
}

/// Events whose text says that something starts.
fn starts(now: &TextCounts, before: &TextCounts) -> Vec<Sign> {
    let Some(origins) = &now.origins else { return Vec::new() };
    let starts = origins.starts();
    let mut n_of: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    for start in &starts {
        *n_of.entry((start.origin, &start.masked)).or_insert(0) += 1;
    }
    let sign = |found: &crate::operators::patterns::origins::Start| {
        let origin = origins.get(found.origin)?;
        let kind = match start(&found.masked)? {
            Start::Boot => RestartKind::Boot,
            Start::Unit if is_unit(&found.masked, origin) => RestartKind::Unit,
            // Where no service manager says so, the text has to be a program's own.
            Start::Unit if !is_short_start(&found.masked.to_ascii_lowercase()) => return None,
            Start::Unit | Start::Program => RestartKind::Program,
        };
        let (n_now, n_before) = (n_of[&(found.origin, &*found.masked)], before.count_of(&found.masked, origin));
        let is_usual = n_before >= USUAL_MIN && n_before.saturating_mul(2) >= n_now as u64;
        let is_work = is_usual || n_now > STARTS_OF_TEXT_MAX;
        let is_sign = kind == RestartKind::Boot || !is_work;
        is_sign.then(|| Sign { time: found.time, spot: found.spot, origin: origin.clone(), kind })
    };
    starts.iter().filter_map(sign).collect()
}

fn is_unit(masked: &str, origin: &Origin) -> bool {
    let is_manager = |name: &Arc<str>| name.starts_with("systemd") || &**name == "init.scope";
    masked.contains("systemd[") || origin.service.as_ref().is_some_and(|service| is_manager(&service.value))
}

/// Returns what a service manager says that it starts: `Starting nginx.service - A web server...` is about
/// `nginx.service`.
fn unit_of(text: &str) -> String {
    let text = text.rsplit_once("]: ").map_or(text, |(_, text)| text).trim();
    let unit = text.strip_prefix("Started ").or_else(|| text.strip_prefix("Starting ")).unwrap_or(text);
    let unit = unit.split(" - ").next().unwrap_or(unit);
    unit.trim_end_matches('.').to_owned()
}

/// First events of processes that took the place of others.
fn successors(now: &TextCounts, before: &TextCounts) -> Vec<Sign> {
    let processes = |counted: &TextCounts| -> Vec<(Origin, Arc<str>, Process)> {
        let all = counted.origins.iter().flat_map(crate::operators::patterns::origins::Origins::processes);
        let has_service = all.filter(|(origin, ..)| origin.service.is_some());
        has_service.map(|(origin, value, process)| (origin.clone(), value.clone(), *process)).collect()
    };
    // By origin and number: events, times of the first and of the last one, and where the first one now stands.
    type Life = (u64, i64, i64, Option<Spot>);
    let mut lives: BTreeMap<Origin, BTreeMap<Arc<str>, Life>> = BTreeMap::new();
    for (is_now, (origin, value, process)) in processes(before)
        .into_iter()
        .map(|process| (false, process))
        .chain(processes(now).into_iter().map(|process| (true, process)))
    {
        let spot = Some(process.first.1).filter(|_| is_now);
        let of_origin = lives.entry(origin).or_default();
        match of_origin.get_mut(&value) {
            // It was there before: its first event is no beginning.
            Some(life) => {
                life.0 += process.n_events;
                life.2 = life.2.max(process.last);
            }
            None => {
                of_origin.insert(value, (process.n_events, process.first.0, process.last, spot));
            }
        }
    }
    let mut signs = Vec::new();
    for (origin, lives) in lives.into_iter().filter(|(_, lives)| (2..=PROCESSES_MAX).contains(&lives.len())) {
        let mut lives: Vec<Life> = lives.into_values().collect();
        lives.sort_by_key(|life| life.1);
        let begin = lives[0].1;
        let (mut covered, mut last) = (0_i64, lives[0].2);
        let mut has_run = lives[0].0 >= EVENTS_BEFORE_MIN;
        for pair in lives.windows(2) {
            let (earlier, life) = (pair[0], pair[1]);
            covered = covered.saturating_add(earlier.2.saturating_sub(earlier.1));
            let was_there = covered >= life.1.saturating_sub(begin) / 2;
            if let Some(spot) = life.3
                && life.1 > last
                && was_there
                && has_run
                && life.0 >= EVENTS_SINCE_MIN
            {
                signs.push(Sign { time: life.1, spot, origin: origin.clone(), kind: RestartKind::Process });
            }
            has_run |= life.0 >= EVENTS_BEFORE_MIN;
            last = last.max(life.2);
        }
    }
    signs
}

#[cfg(test)]
mod tests;
