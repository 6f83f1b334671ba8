//! Detectors: one for each kind of rule. Each runs its queries and combines their answers into the table that is judged.
//!
//! ```text
//! Rule ─ compile ─► questions ─ ask ─► answers ─ combined by the detector, purely ─► Table ─► evaluate
//! ```
//!
//! What follows the table (M of N, `for`, missing data) is the same for all kinds.

mod absence;
mod anomaly;
mod burn_rate;
mod cells;
mod composite;
mod history_cache;
mod input;
mod metric;
mod pattern;
pub(crate) mod series;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use self::history_cache::HistoryCache;
pub(crate) use self::input::DetectorInput;

use crate::compile::{CompiledRule, compile};
use crate::kind::Kind;
use crate::rule::window_of;
use crate::{Rule, Table};

/// Asks what a rule wants to know at an instant.
pub(crate) fn answer(rule: &Rule, asking: &DetectorInput<'_>) -> Result<(CompiledRule, Table), String> {
    let mut compiled = compile(rule, asking.now).map_err(|error| error.to_string())?;
    compiled.is_combined = compiled.metric.is_some()
        || compiled.series.is_some()
        || !matches!(rule.kind, Kind::Threshold | Kind::Ratio(_));
    let table = match &rule.kind {
        Kind::Threshold if compiled.metric.is_some() => metric::answer(rule, &mut compiled, asking)?,
        Kind::Threshold if compiled.series.is_some() => series::answer(rule, &mut compiled, asking)?,
        Kind::Threshold | Kind::Ratio(_) => asking.of_range(rule, &compiled, window_of(rule, asking.now))?,
        Kind::Pattern(pattern) => pattern::answer(rule, pattern, &mut compiled, asking)?,
        Kind::Absence(absence) => absence::answer(rule, absence, &mut compiled, asking)?,
        Kind::BurnRate(burn_rate) => burn_rate::answer(rule, burn_rate, &mut compiled, asking)?,
        Kind::Anomaly(anomaly) => anomaly::answer(rule, anomaly, &mut compiled, asking)?,
        Kind::Composite(composite) => composite::answer(composite, &mut compiled, asking),
        Kind::Alarm(_) => return Err("an alarm is judged only where it is in force".to_owned()),
    };
    Ok((compiled, table))
}
