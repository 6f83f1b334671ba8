//! The instants at which a query for numbers is asked: one, or those of a range with a step.

use types::{TimeRange, Timestamp, ensure};

use crate::ask::{Ask, instant};
use door::{Problem, Result};

/// Most steps of a range, as in Prometheus.
const STEPS_MAX: i64 = 11_000;

/// When a query is asked.
pub(super) enum When {
    /// At a time in ms.
    Instant(i64),
    /// At each step from the first time to the second, in ms.
    Range { start: i64, end: i64, step: i64 },
}

/// Returns when a query is asked: at `to`, or with a step from `from` to `to`.
pub(super) fn when(ask: &Ask, now: Timestamp) -> Result<When> {
    let zone = ask.zone()?;
    let ms = |time: Timestamp| time.0.div_euclid(Timestamp::MILLISECOND);
    let Some(step) = &ask.step else {
        let at = ask.to.as_ref().map_or(Ok(now), |to| instant("to", to, now, zone))?;
        return Ok(When::Instant(ms(at)));
    };
    let bad = |message: String| Problem::bad_parameter(message).hint("write a duration such as 15s or 1m");
    let step = types::parse_duration_ns(step).map_err(|error| bad(format!("step: {error}")))?;
    let step = step / Timestamp::MILLISECOND;
    ensure!(step > 0, bad("step: must be at least 1ms".to_owned()));
    let TimeRange { from, to } = ask.range(now)?;
    // The end of a range is not in it; without one it is now.
    let end = if ask.to.is_none() && to > now { now } else { Timestamp(to.0.saturating_sub(1)) };
    let (start, end) = (ms(from), ms(end));
    if end.saturating_sub(start) / step > STEPS_MAX {
        return Err(bad(format!("step: the range has more than {STEPS_MAX} steps; choose a longer one")));
    }
    Ok(When::Range { start, end, step })
}
