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
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        Timestamp::parse_rfc3339(text).expect("a time").0
    }

    fn incident(service: &str, times: [Option<&str>; 4]) -> Incident {
        let [began, detected, mitigated, remediated] = times.map(|time| time.map(at));
        let created = began.unwrap_or_else(|| at("2026-11-15T00:00:00Z"));
        Incident {
            services: vec![service.into()],
            began,
            detected,
            mitigated,
            remediated,
            created,
            ..Incident::default()
        }
    }

    fn of(incidents: &[Incident], month: &str, now: &str) -> Vec<LedgerRow> {
        let month = Month::parse(month, Tz::UTC).expect("a month");
        ledger(incidents, month, &Objectives::default(), Timestamp(at(now))).services
    }

    #[test]
    fn means_count_from_the_beginning_and_what_is_unknown_is_left_out() {
        let incidents = [
            incident(
                "pay",
                [
                    Some("2026-11-10T10:00:00Z"),
                    Some("2026-11-10T10:01:00Z"),
                    Some("2026-11-10T10:10:00Z"),
                    Some("2026-11-10T12:00:00Z"),
                ],
            ),
            incident("pay", [Some("2026-11-20T10:00:00Z"), Some("2026-11-20T10:03:00Z"), None, None]),
            incident("web", [None, Some("2026-11-20T10:03:00Z"), None, None]),
        ];
        let rows = of(&incidents, "2026-11", "2026-11-20T10:20:00Z");
        assert_eq!(rows.len(), 2);
        let pay = &rows[0];
        assert_eq!(
            (pay.incidents, pay.ttd_ms, pay.ttm_ms, pay.ttr_ms),
            (2, Some(120_000), Some(600_000), Some(7_200_000))
        );
        // Ten minutes, and twenty of the one that goes on.
        assert_eq!(pay.downtime_ms, 30 * 60 * 1_000);
        let elapsed_minutes = 19.0 * 1_440.0 + 620.0;
        assert!((pay.availability.expect("known") - (1.0 - 30.0 / elapsed_minutes)).abs() < 1e-12);
        let web = &rows[1];
        assert_eq!((web.incidents, web.ttd_ms, web.availability), (1, None, None));
    }

    #[test]
    fn overlaps_count_once_and_months_share_an_incident_that_spans_them() {
        let both = [
            incident("pay", [Some("2026-10-31T23:00:00Z"), None, Some("2026-11-01T01:00:00Z"), None]),
            incident("pay", [Some("2026-11-01T00:30:00Z"), None, Some("2026-11-01T02:00:00Z"), None]),
        ];
        let hours = |month: &str| {
            let row = of(&both, month, "2026-12-24T00:00:00Z").remove(0);
            (row.incidents, row.downtime_ms / 3_600_000)
        };
        assert_eq!((hours("2026-10"), hours("2026-11")), ((1, 1), (1, 2)));
        assert!(of(&both, "2026-12", "2026-12-24T00:00:00Z").is_empty());
        let november = of(&both, "2026-11", "2026-12-24T00:00:00Z").remove(0);
        assert!((november.availability.expect("known") - (1.0 - 2.0 / 720.0)).abs() < 1e-12);
        // A thousandth of thirty days are 43 minutes and 12 seconds.
        assert_eq!((november.objective, november.budget_ms), (99.9, 2_592_000));
        assert_eq!(november.budget_left_ms, 2_592_000 - 7_200_000);
    }

    #[test]
    fn months_are_read_exactly_and_begin_where_their_zone_says() {
        for bad in ["2026-13", "2026-1", "26-11", "2026-11-01", "2026/11", "1969-12", "2262-01", "+026-11", ""] {
            assert_eq!(Month::parse(bad, Tz::UTC), None, "{bad}");
        }
        let jakarta = Month::parse("2026-11", Tz::Asia__Jakarta).expect("a month");
        assert_eq!(jakarta.range(), (at("2026-10-31T17:00:00Z"), at("2026-11-30T17:00:00Z")));
        assert_eq!(Month::of(Timestamp(at("2026-11-30T18:00:00Z")), Tz::Asia__Jakarta).name(), "2026-12");
        let december = Month::parse("2026-12", Tz::UTC).expect("a month");
        assert_eq!(december.range().1, at("2027-01-01T00:00:00Z"));
    }
}
