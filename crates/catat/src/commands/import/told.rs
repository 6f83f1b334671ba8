//! What imports say at their beginning and at their end.

use std::collections::BTreeMap;
use std::fmt::Display;

use types::{Timestamp, counted, verb_for};

use crate::client::Server;
use crate::failure::Failure;

/// Refused events that are named; further ones are counted.
pub(in crate::commands) const NAMED_MAX: usize = 20;

/// Hours with differences that are named.
const HOURS_NAMED_MAX: usize = 20;

/// Fails where the server refused events.
pub(super) fn none_refused(n_refused: u64) -> Result<(), Failure> {
    if n_refused == 0 {
        return Ok(());
    }
    let message = format!("{} refused by the server", verb_for(n_refused, "was", "were"));
    Err(Failure::partial(format!("{} {message}", counted(n_refused, "event"))))
}

/// Says which of the events retention would take at once, by the last instants of spans and how many events each has.
pub(super) fn warn_of_retention(server: &Server, ends: &[(Timestamp, u64)]) -> Result<(), Failure> {
    let groups = server.get("/api/v1/groups")?;
    let mut ages: Vec<&str> = groups["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group["retention"]["age"].as_str())
        .collect();
    ages.sort_unstable();
    ages.dedup();
    for age in ages {
        let Ok(age_ns) = types::parse_duration_ns(age) else { continue };
        let limit = storage::Clock::system().now().0.saturating_sub(age_ns);
        let n_old: u64 = ends.iter().filter(|(to, _)| to.0 < limit).map(|(_, events)| events).sum();
        if n_old > 0 {
            let events = counted(n_old, "event");
            say!(
                "catat: warning: groups whose retention is {age} would lose at least {events} of these at once; see catat groups"
            );
        }
    }
    Ok(())
}

/// Compares how many events each hour has there and here.
pub(super) fn compare_hours<H: Ord + Display>(theirs: &[(H, u64)], ours: &BTreeMap<H, u64>) -> Result<(), Failure> {
    let count = |hour: &H| ours.get(hour).copied().unwrap_or(0);
    let fewer: Vec<_> = theirs.iter().filter(|(hour, n)| count(hour) < *n).collect();
    for (hour, n) in fewer.iter().take(HOURS_NAMED_MAX) {
        say!("catat: {hour}: {n} there, {} here", count(hour));
    }
    let n_more: u64 = theirs.iter().map(|(hour, n)| count(hour).saturating_sub(*n)).sum();
    if n_more > 0 {
        say!(
            "catat: {} more here than there in these hours: they were here before, or have come since",
            counted(n_more, "event")
        );
    }
    if fewer.is_empty() {
        say!("catat: compared by hour: nothing is missing in {}", counted(theirs.len(), "hour"));
        return Ok(());
    }
    Err(Failure::partial(format!("{} of {} have fewer events here", fewer.len(), counted(theirs.len(), "hour"))))
}
