//! `anomaly` after an aggregation by time: how unusual each value is among those of its series.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Length, SCORE_COLUMNS, Score};
use types::{Column, Timestamp, Value};

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, write_key};
use pattern::{Band, band};

/// How many days there have to be for each hour to be compared with the same hour of the others, and for the same of
/// days of a week.
const DAYS_MIN: i64 = 3;
const WEEKS_MIN: i64 = 3;

/// Returns how many values lie between two that are alike.
fn season(span: Length, n_values: usize) -> Option<usize> {
    let Length::Nanoseconds(length) = span else { return None };
    let covered = length.checked_mul(i64::try_from(n_values).ok()?)?;
    let of = |period: i64, n_min: i64| {
        let fits = length < period && period % length == 0 && covered >= n_min * period;
        fits.then(|| usize::try_from(period / length).ok()).flatten()
    };
    of(7 * Timestamp::DAY, WEEKS_MIN).or_else(|| of(Timestamp::DAY, DAYS_MIN))
}

/// What is said of one row: of the most unusual of its values.
#[derive(Clone, Default)]
struct Judgement {
    band: Band,
    reason: Option<String>,
}

/// Gives the rows a score, the edges of the band where the value was expected, and a reason where it lies outside.
pub(crate) fn apply(score: &Score, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    scan.hold(n_rows * 256)?;
    let series = series(score, frame, scan)?;
    let mut said: Vec<Option<Judgement>> = vec![None; n_rows];
    for (name, is_count) in &score.values {
        let column = frame.column(name)?;
        for rows in &series {
            scan.check()?;
            let number = |row: &usize| Some((*row, Cell::at(&column, *row).number()?.as_float()));
            let known: Vec<(usize, f64)> = rows.iter().filter_map(number).collect();
            let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
            // Seasons count values, so that one must not be missing.
            let season = season(score.span, values.len()).filter(|_| values.len() == rows.len());
            for ((row, value), band) in known.into_iter().zip(band(&values, season, *is_count)) {
                if said[row].as_ref().is_none_or(|known| known.band.score < band.score) {
                    let what = if score.values.len() > 1 { format!("{name}: ") } else { String::new() };
                    let when = season.map(|_| " at this time").unwrap_or_default();
                    let reason = band.reason(value).map(|reason| format!("{what}{reason}{when}"));
                    said[row] = Some(Judgement { band, reason });
                }
            }
        }
    }
    let [score_name, lower_name, upper_name, reason_name] = SCORE_COLUMNS;
    let number = |pick: &dyn Fn(&Band) -> f64| {
        said.iter().map(|said| said.as_ref().map(|said| Value::Float(pick(&said.band)))).collect()
    };
    let reasons = said.iter().map(|said| said.as_ref()?.reason.as_deref().map(Value::text)).collect();
    let columns: [(&str, Vec<Option<Value>>); 4] = [
        (score_name, number(&|band| band.score)),
        (lower_name, number(&|band| band.lower)),
        (upper_name, number(&|band| band.upper)),
        (reason_name, reasons),
    ];
    for (name, values) in columns {
        frame.define(name.into(), Arc::new(Column::of_values(values)));
    }
    Ok(())
}

/// Returns the rows of each series in order of time.
fn series(score: &Score, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<Vec<Vec<usize>>> {
    let times = frame.column(&score.time)?;
    let columns: Vec<Arc<Column>> = score.series.iter().map(|name| Ok(frame.column(name)?)).collect::<Result<_>>()?;
    let mut series: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for row in scan.budget().rows(frame.n_rows()) {
        let mut key = Vec::new();
        columns.iter().for_each(|column| write_key(Cell::at(column, row), &mut key));
        series.entry(key).or_default().push(row);
    }
    scan.check()?;
    let mut series: Vec<Vec<usize>> = series.into_values().collect();
    series.iter_mut().for_each(|rows| rows.sort_by_key(|row| Cell::at(&times, *row).time()));
    Ok(series)
}
