//! Programs that die again and again: the deaths of each program on each host, as they are saved with an issue.
//!
//! Deaths of one program that follow each other are a series: its first and last, their number, and the newest times between
//! them. All is counted by the times of events, so that old lines which arrive at once are a series of the past.

use parse::{Death, Signal};
use serde::{Deserialize, Serialize};
use types::{Locale, Timestamp};

use super::signature::{ErrorEvent, cut};
use crate::incidents::shown_duration;

/// Programs of an issue that are followed; the one that died longest ago gives way.
const PROGRAMS_MAX: usize = 20;

/// Longest name of a program, a host or a process.
const NAME_BYTES_MAX: usize = 120;

/// Times between deaths that are kept, the newest.
const GAPS_MAX: usize = 15;

/// Gaps between deaths that make a loop. Traces need more, at steady intervals: a program may survive them.
const GAPS_MIN: usize = 3;
const TRACE_GAPS_MIN: usize = 5;

/// A steady time, by the one before it in percent: restarts come with one delay, or with one that doubles.
const STEADY_PERCENT: std::ops::RangeInclusive<i64> = 80..=220;

/// Reports closer together than this are of one death: lines without a time get that of arrival, often many at once.
const GAP_MIN_MS: i64 = 1_000;

/// A program that lived longer is in no loop.
const GAP_MAX_MS: i64 = Timestamp::HOUR / Timestamp::MILLISECOND;

/// A loop is over after so many of its longest times without a death.
const GAPS_UNTIL_OVER: i64 = 3;

/// Channels are notified of loops of an issue so often.
const TOLD_EVERY_NS: i64 = 6 * Timestamp::HOUR;

/// The deaths of the programs of an issue.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(super) struct Deaths {
    #[serde(default)]
    series: Vec<DeathSeries>,
    /// When channels were notified of a loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<i64>,
}

/// Deaths of a program that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(super) struct DeathSeries {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    /// What reported them.
    signal: String,
    /// When the first and the last happened, nanoseconds since the Unix epoch.
    pub(super) since: i64,
    pub(super) last: i64,
    pub(super) count: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps_ms: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pid: Option<String>,
}

impl Deaths {
    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Counts an event that tells of a death; reports whether channels are to be notified of the loop that it makes.
    pub(super) fn count(&mut self, event: &ErrorEvent, now: Timestamp) -> bool {
        let Some(death) = parse::death(&event.text) else { return false };
        let name = |name: Option<&str>| name.map(|name| cut(name, NAME_BYTES_MAX).to_owned());
        let at = event.id.timestamp.0.min(now.0);
        let Death { signal, program, delay_ms, .. } = death;
        let (program, host) = (name(program.as_deref().or(event.service.as_deref())), name(event.host.as_deref()));
        let known = self.series.iter().position(|one| one.program == program && one.host == host);
        let place = known.unwrap_or_else(|| {
            if self.series.len() >= PROGRAMS_MAX {
                let oldest = self.series.iter().enumerate().min_by_key(|(_, one)| one.last).map(|(place, _)| place);
                oldest.map(|oldest| self.series.remove(oldest));
            }
            self.series.push(DeathSeries { program, host, ..DeathSeries::default() });
            self.series.len() - 1
        });
        let series = &mut self.series[place];
        match delay_ms {
            // The kubelet repeats itself until the delay is over.
            Some(delay_ms)
                if series.count > 0 && at.saturating_sub(series.last) < delay_ms * Timestamp::MILLISECOND => {}
            _ => series.add(at, signal, name(event.pid.as_deref())),
        }
        let is_told = self.told.is_some_and(|told| now.0.saturating_sub(told) < TOLD_EVERY_NS);
        series.is_loop() && !is_told
    }

    pub(super) fn note_told(&mut self, now: Timestamp) {
        self.told = Some(now.0);
    }

    /// Returns the series that are loops, the one with the newest death first.
    pub(super) fn loops(&self) -> Vec<&DeathSeries> {
        let mut loops: Vec<&DeathSeries> = self.series.iter().filter(|one| one.is_loop()).collect();
        loops.sort_by_key(|one| std::cmp::Reverse(one.last));
        loops
    }

    /// Adds the deaths of an issue that became a part of this one.
    pub(super) fn absorb(&mut self, other: Self) {
        for series in other.series {
            let is_same = |one: &DeathSeries| one.program == series.program && one.host == series.host;
            match self.series.iter().position(is_same) {
                Some(place) if self.series[place].last < series.last => self.series[place] = series,
                None if self.series.len() < PROGRAMS_MAX => self.series.push(series),
                _ => {}
            }
        }
        self.told = self.told.max(other.told);
    }
}

impl DeathSeries {
    fn add(&mut self, at: i64, signal: Signal, pid: Option<String>) {
        let (signal, gap_ms) = (signal.name(), (at - self.last) / Timestamp::MILLISECOND);
        if self.count > 0 && gap_ms <= GAP_MAX_MS {
            // Another line about the same death, or an older one.
            if self.signal != signal || at < self.last {
                return;
            }
            if gap_ms < GAP_MIN_MS {
                self.last = at;
                return;
            }
        }
        // A process that writes two traces has survived the first.
        let is_alive = pid.is_some() && pid == self.pid && signal == Signal::Trace.name();
        if self.count == 0 || gap_ms > GAP_MAX_MS || is_alive {
            let (program, host) = (self.program.take(), self.host.take());
            *self =
                Self { program, host, signal: signal.into(), since: at, last: at, count: 1, pid, gaps_ms: Vec::new() };
            return;
        }
        if signal == Signal::Trace.name()
            && self.gaps_ms.last().is_some_and(|before| !STEADY_PERCENT.contains(&(gap_ms * 100 / before)))
        {
            (self.since, self.count) = (self.last, 1);
            self.gaps_ms.clear();
        }
        self.gaps_ms.push(gap_ms);
        let n_over = self.gaps_ms.len().saturating_sub(GAPS_MAX);
        self.gaps_ms.drain(..n_over);
        (self.last, self.count, self.pid) = (at, self.count + 1, pid);
    }

    fn is_loop(&self) -> bool {
        let is_trace = self.signal == Signal::Trace.name();
        self.gaps_ms.len() >= if is_trace { TRACE_GAPS_MIN } else { GAPS_MIN }
    }

    /// Returns the usual time from one death to the next.
    pub(super) fn every_ms(&self) -> i64 {
        let mut sorted = self.gaps_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// Reports whether the next death is still expected.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        let longest_ms = self.gaps_ms.iter().max().copied().unwrap_or_default();
        now.0.saturating_sub(self.last) / Timestamp::MILLISECOND <= GAPS_UNTIL_OVER * longest_ms
    }

    /// Returns what is said of the loop.
    pub(super) fn sentence(&self, service: Option<&str>) -> String {
        let program = self.program.as_deref().filter(|name| Some(*name) != service);
        let every = shown_duration((self.every_ms() + 500) / 1000 * 1000, Locale::English);
        let since = Timestamp(self.since).to_string();
        let program = program.map(|name| format!("{name} ")).unwrap_or_default();
        format!("{program}restarts every {every} since {} UTC", since.get(..16).unwrap_or(&since).replace('T', " "))
    }
}

#[cfg(test)]
mod tests;
