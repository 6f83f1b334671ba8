//! The ledger: how long incidents of a month took to be noticed, mitigated and repaired, and how long services worked.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use serde::Serialize;
use types::Timestamp;

use super::document::Incident;
use super::objective::Objectives;

/// A month in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    year: i32,
    month: u32,
    zone: Tz,
}

/// The ledger of a month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ledger {
    /// The month, `2026-11`.
    pub month: String,
    /// Its beginning and its end; the end of what is known where the month is not over.
    pub from: String,
    /// See `from`.
    pub to: String,
    /// A row for each service that had incidents, by name.
    pub services: Vec<LedgerRow>,
}

/// A service in a month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LedgerRow {
    /// The service.
    pub service: String,
    /// Incidents that began in the month.
    pub incidents: usize,
    /// The mean time from the beginning until it was noticed, in ms; none where nothing is known. So for the others.
    pub ttd_ms: Option<i64>,
    /// Until it had no effect any more.
    pub ttm_ms: Option<i64>,
    /// Until its cause was removed.
    pub ttr_ms: Option<i64>,
    /// The share of the month in which the service was in no incident; none where no incident has a beginning.
    pub availability: Option<f64>,
    /// The time in which it was, overlaps counted once.
    pub downtime_ms: i64,
    /// The share of the month in which the service is to work, in percent.
    pub objective: f64,
    /// The error budget: the time of the whole month that the objective leaves for incidents.
    pub budget_ms: i64,
    /// What is left of it; negative where it is overdrawn.
    pub budget_left_ms: i64,
}

impl Month {
    /// Reads `2026-11`.
    pub fn parse(text: &str, zone: Tz) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let is_digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month) =
            (is_digits(year, 4).then(|| year.parse().ok())??, is_digits(month, 2).then(|| month.parse().ok())??);
        NaiveDate::from_ymd_opt(year, month, 1)?;
        (1970..2262).contains(&year).then_some(Self { year, month, zone })
    }

    /// Returns the month of an instant.
    pub fn of(at: Timestamp, zone: Tz) -> Self {
        let time = zone.timestamp_nanos(at.0);
        Self { year: time.year(), month: time.month(), zone }
    }

    /// Returns its beginning and its end.
    pub fn range(self) -> (i64, i64) {
        let (next_year, next) = if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        (self.start_of(self.year, self.month), self.start_of(next_year, next))
    }

    fn start_of(self, year: i32, month: u32) -> i64 {
        let midnight = NaiveDate::from_ymd_opt(year, month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        let local = midnight.and_then(|midnight| self.zone.from_local_datetime(&midnight).earliest());
        // A midnight that the clocks skip: the month begins an hour later.
        local.and_then(|time| time.timestamp_nanos_opt()).unwrap_or_else(|| {
            midnight.and_then(|midnight| midnight.and_utc().timestamp_nanos_opt()).unwrap_or(i64::MAX)
        })
    }

    /// Returns the zone by whose clock it begins and ends.
    pub fn zone(self) -> Tz {
        self.zone
    }

    /// Returns its text.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }
}

/// Returns the ledger of a month, from all incidents.
pub fn ledger(incidents: &[Incident], month: Month, objectives: &Objectives, now: Timestamp) -> Ledger {
    let (from, to) = month.range();
    let known_to = to.min(now.0).max(from);
    let mut services: BTreeMap<&str, Vec<&Incident>> = BTreeMap::new();
    for incident in incidents {
        let overlaps = incident.start() < known_to && incident.end().unwrap_or(now.0) > from;
        let begins = (from..to).contains(&incident.start());
        if overlaps || begins {
            let named: BTreeSet<&str> = incident.services.iter().map(String::as_str).collect();
            named.into_iter().for_each(|service| services.entry(service).or_default().push(incident));
        }
    }
    let row = |(service, incidents): (&str, Vec<&Incident>)| {
        let objective = (objectives.percent(service), objectives.budget(service, to - from));
        row(service, &incidents, (from, to, known_to), objective, now)
    };
    Ledger {
        month: month.name(),
        from: Timestamp(from).to_string(),
        to: Timestamp(known_to).to_string(),
        services: services.into_iter().map(row).collect(),
    }
}

fn row(
    service: &str,
    incidents: &[&Incident],
    (from, to, known_to): (i64, i64, i64),
    (objective, budget_ns): (f64, i64),
    now: Timestamp,
) -> LedgerRow {
    let begun: Vec<&&Incident> = incidents.iter().filter(|one| (from..to).contains(&one.start())).collect();
    let mean = |at: &dyn Fn(&Incident) -> Option<i64>| {
        let known: Vec<i64> = begun.iter().filter_map(|one| one.since_began(at(one))).collect();
        let sum: i128 = known.iter().map(|ns| i128::from(*ns)).sum();
        let mean_ns = (!known.is_empty()).then(|| sum / known.len() as i128)?;
        i64::try_from(mean_ns / i128::from(Timestamp::MILLISECOND)).ok()
    };
    // An incident without a beginning lasted nobody knows how long.
    let spans = incidents.iter().filter_map(|one| Some((one.began?, one.end().unwrap_or(now.0))));
    let mut spans: Vec<(i64, i64)> =
        spans.map(|(began, end)| (began.max(from), end.min(known_to))).filter(|(began, end)| began < end).collect();
    spans.sort_unstable();
    let (mut down_ns, mut reached) = (0, from);
    for (began, end) in spans {
        down_ns += (end - began.max(reached)).max(0);
        reached = reached.max(end);
    }
    let is_known = incidents.iter().any(|one| one.began.is_some()) && known_to > from;
    LedgerRow {
        service: service.to_owned(),
        incidents: begun.len(),
        ttd_ms: mean(&|one| one.detected),
        ttm_ms: mean(&|one| one.mitigated),
        ttr_ms: mean(&|one| one.remediated),
        availability: is_known.then(|| 1.0 - down_ns as f64 / (known_to - from) as f64),
        downtime_ms: down_ns / Timestamp::MILLISECOND,
        objective,
        budget_ms: budget_ns / Timestamp::MILLISECOND,
        budget_left_ms: (budget_ns - down_ns) / Timestamp::MILLISECOND,
    }
}

#[cfg(test)]
mod tests;
