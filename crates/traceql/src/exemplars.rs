//! Exemplars of series: some of the spans that count for their points.

use std::collections::HashSet;

use plan::{Expr, Name, Operator, Plan, SortKey};
use types::{Timestamp, Value};

use crate::condition::field;
use crate::series::{Exemplar, Labels, Series, SeriesPlan};

/// The columns after those that a series is grouped by.
const COLUMNS: [&str; 4] = ["#at", "#trace", "#span", "#of"];

impl SeriesPlan {
    /// Returns a plan of the newest `most` spans that count; [`Self::add_exemplars`] reads its rows.
    pub fn newest_spans(&self, most: usize) -> Plan {
        let (mut operators, mut columns): (Vec<Operator>, Vec<(Name, Expr)>) = Default::default();
        let mut of = None;
        for operator in self.plan.operators() {
            match operator {
                Operator::Filter(base) => operators.push(Operator::Filter(base.clone())),
                Operator::Aggregate { by, aggregates } => {
                    columns.clone_from(by);
                    of = aggregates.first().and_then(|aggregate| aggregate.argument.clone());
                }
                _ => {}
            }
        }
        let of = of.unwrap_or(Expr::Literal(None));
        let members = [field("@timestamp"), field("trace_id"), field("span_id"), of];
        columns.extend(COLUMNS.into_iter().map(Name::from).zip(members));
        let newest = SortKey { expr: field("@timestamp"), descending: true };
        operators.extend([Operator::Sort(vec![newest]), Operator::Limit(most as u64)]);
        operators.push(Operator::Project { columns, is_events: true });
        Plan::new(operators)
    }

    /// Gives series at most `most` exemplars, each from a different trace, from the rows of [`Self::newest_spans`].
    pub fn add_exemplars(&self, rows: &[Vec<Option<Value>>], most: usize, all: &mut [Series]) {
        let mut traces = HashSet::new();
        for row in rows {
            let Some((before, [Some(Value::Timestamp(time)), Some(Value::String(trace)), span, of])) =
                row.split_at_checked(row.len().saturating_sub(COLUMNS.len()))
            else {
                continue;
            };
            if traces.len() >= most || traces.contains(trace) {
                continue;
            }
            let Some((point, labels)) = self.shape.labels_of(before) else { continue };
            let value = of
                .as_ref()
                .and_then(Value::as_f64)
                .map(|value| value * self.shape.columns.first().map_or(1.0, |of| of.scale));
            let Some((place, at_point)) = self.series_of(all, &labels, point, value) else { continue };
            let span_id = if let Some(Value::String(id)) = span { id.clone() } else { "".into() };
            let value = value.unwrap_or(at_point);
            traces.insert(trace.clone());
            all[place].exemplars.push(Exemplar { time: *time, value, trace_id: trace.clone(), span_id });
        }
        all.iter_mut().for_each(|series| series.exemplars.sort_by_key(|exemplar| exemplar.time));
    }

    /// Returns the series that a span counts for and the value of its point; for several quantiles, the least that is not below
    /// the span's value.
    fn series_of(&self, all: &[Series], labels: &Labels, point: Timestamp, value: Option<f64>) -> Option<(usize, f64)> {
        let with_quantiles = self.shape.columns.iter().map(|column| self.shape.with_quantile(labels, *column));
        let mut found: Vec<(usize, f64)> = with_quantiles
            .filter_map(|labels| {
                let place = all.iter().position(|series| series.labels == labels)?;
                let at = all[place].points.binary_search_by_key(&point, |(time, _)| *time).ok()?;
                Some((place, all[place].points[at].1))
            })
            .collect();
        found.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let above = found.iter().find(|(_, quantile)| value.is_none_or(|value| *quantile >= value));
        above.or(found.last()).copied()
    }
}
