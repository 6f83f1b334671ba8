//! Functions of instant vectors and scalars, applied to arguments that are evaluated already.

use std::collections::HashMap;
use std::sync::Arc;

use crate::classic::{Question, histograms};
use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::histogram::{Histogram, general};
use crate::labels::Labels;
use crate::syntax::{Expr, Node, Span};
use crate::value::{Evaluated, Grid, NONE, Series, Value, is_none, stored};
use crate::{math, relabel};

/// A call whose arguments are evaluated.
pub(crate) struct Call<'a> {
    pub(crate) name: &'static str,
    pub(crate) args: &'a [Node],
    pub(crate) span: &'a Span,
    pub(crate) grid: Grid,
}

/// Takes the arguments one by one, each of the type that was checked.
pub(crate) struct Values(std::vec::IntoIter<Evaluated>);

impl Values {
    pub(crate) fn new(values: Vec<Evaluated>) -> Self {
        Self(values.into_iter())
    }

    fn vector(&mut self) -> Vec<Series> {
        if let Some(Evaluated::Vector(series)) = self.0.next() { series } else { Vec::new() }
    }

    fn scalar(&mut self) -> Option<Vec<f64>> {
        if let Some(Evaluated::Scalar(column)) = self.0.next() { Some(column) } else { None }
    }

    fn column(&mut self, len: usize) -> Vec<f64> {
        self.scalar().unwrap_or_else(|| vec![f64::NAN; len])
    }

    fn text(&mut self) -> Option<Arc<str>> {
        if let Some(Evaluated::Text(text)) = self.0.next() { Some(text) } else { None }
    }

    fn texts(&mut self) -> Vec<Arc<str>> {
        std::iter::from_fn(|| self.text()).collect()
    }
}

impl Call<'_> {
    /// Applies the function.
    pub(crate) fn apply(&self, context: &Context<'_>, mut args: Values) -> Result<Evaluated> {
        let len = self.grid.len;
        if let Some(scalar) = self.scalar(context, &mut args) {
            return Ok(Evaluated::Scalar(scalar));
        }
        if let Some(function) = math::find(self.name) {
            let vector = if self.args.is_empty() { vec![self.now()] } else { args.vector() };
            return self.floats(context, vector, |_, value| Some(function(value)));
        }
        match self.name {
            "vector" => {
                let mut series = Series::empty(Labels::default(), false, len);
                series.floats = args.column(len).into_iter().map(stored).collect();
                Ok(Evaluated::Vector(vec![series]))
            }
            "round" => {
                let vector = args.vector();
                let to = args.scalar().unwrap_or_else(|| vec![1.0; len]);
                self.floats(context, vector, |step, value| {
                    let inverse = 1.0 / to[step];
                    Some((value * inverse + 0.5).floor() / inverse)
                })
            }
            "clamp" | "clamp_min" | "clamp_max" => self.clamp(context, args),
            "timestamp" => {
                let grid = self.grid;
                let mut vector = args.vector();
                // A histogram has a time as well.
                for series in &mut vector {
                    for step in 0..len {
                        if series.histogram(step).is_some() {
                            series.floats[step] = 0.0;
                        }
                    }
                    series.histograms.clear();
                }
                self.floats(context, vector, |step, _| Some(grid.at(step) as f64 / 1000.0))
            }
            "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => self.sort(context, args),
            "absent" => Ok(self.absent(&args.vector())),
            "label_replace" => {
                let vector = args.vector();
                let texts = args.texts();
                let [target, replacement, source, pattern] = &texts[..] else { return Err(self.unsupported()) };
                relabel::replace(context, vector, [target, replacement, source, pattern], self.span)
                    .map(Evaluated::Vector)
            }
            "label_join" => {
                let vector = args.vector();
                let texts = args.texts();
                let [target, separator, sources @ ..] = &texts[..] else { return Err(self.unsupported()) };
                relabel::join(context, vector, target, separator, sources, self.span).map(Evaluated::Vector)
            }
            _ => self.histogram(context, args),
        }
    }

    fn unsupported(&self) -> EvalError {
        EvalError::at(self.span, format!("function {:?} is not supported", self.name))
    }

    /// Applies functions that yield scalars.
    fn scalar(&self, context: &Context<'_>, args: &mut Values) -> Option<Vec<f64>> {
        let len = self.grid.len;
        let constant = |value: f64| Some(vec![value; len]);
        match self.name {
            "time" => Some(self.grid.times().map(|time| time as f64 / 1000.0).collect()),
            "pi" => constant(std::f64::consts::PI),
            "start" => constant(context.start as f64 / 1000.0),
            "end" => constant(context.end as f64 / 1000.0),
            "range" => constant((context.end - context.start) as f64 / 1000.0),
            "step" => constant(context.step as f64 / 1000.0),
            "min_of" | "max_of" => {
                let (a, b) = (args.column(len), args.column(len));
                let pick = if self.name == "min_of" { math::min } else { math::max };
                Some(a.into_iter().zip(b).map(|(a, b)| pick(a, b)).collect())
            }
            "scalar" => {
                let vector = args.vector();
                let only = |step: usize| {
                    let mut floats = vector.iter().map(|series| series.floats[step]).filter(|value| !is_none(*value));
                    floats.next().filter(|_| floats.next().is_none()).unwrap_or(f64::NAN)
                };
                Some((0..len).map(only).collect())
            }
            _ => None,
        }
    }

    fn now(&self) -> Series {
        let mut series = Series::empty(Labels::default(), false, self.grid.len);
        // Go divides milliseconds as whole numbers here.
        series.floats = self.grid.times().map(|time| (time / 1000) as f64).collect();
        series
    }

    /// Applies a function of floats; histograms vanish, and so does what the function makes `None` of.
    fn floats(
        &self,
        context: &Context<'_>,
        mut vector: Vec<Series>,
        apply: impl Fn(usize, f64) -> Option<f64>,
    ) -> Result<Evaluated> {
        for series in &mut vector {
            context.check()?;
            series.histograms.clear();
            for (step, value) in series.floats.iter_mut().enumerate() {
                if !is_none(*value) {
                    *value = apply(step, *value).map_or(NONE, stored);
                }
            }
            context.drop_name(series);
        }
        vector.retain(Series::has_any);
        context.unite(vector, self.span).map(Evaluated::Vector)
    }

    fn clamp(&self, context: &Context<'_>, mut args: Values) -> Result<Evaluated> {
        let len = self.grid.len;
        let vector = args.vector();
        let least = if self.name == "clamp_max" { vec![f64::NEG_INFINITY; len] } else { args.column(len) };
        let most = if self.name == "clamp_min" { vec![f64::INFINITY; len] } else { args.column(len) };
        self.floats(context, vector, |step, value| {
            let (least, most) = (least[step], most[step]);
            (most >= least || most.is_nan() || least.is_nan()).then(|| math::max(least, math::min(most, value)))
        })
    }

    fn sort(&self, context: &Context<'_>, mut args: Values) -> Result<Evaluated> {
        let mut vector = args.vector();
        if self.grid.len != 1 {
            let message = "sort is ineffective for range queries since results are always ordered by labels";
            context.remarks().warn(self.span, message);
        }
        if let Some(order) = self.name.strip_prefix("sort_by_label") {
            relabel::sort(&mut vector, &args.texts(), order == "_desc");
            return Ok(Evaluated::Vector(vector));
        }
        vector.iter_mut().for_each(|series| series.histograms.clear());
        vector.retain(Series::has_any);
        if self.grid.len == 1 {
            let descending = self.name == "sort_desc";
            vector.sort_by(|a, b| {
                let (a, b) = (a.floats[0], b.floats[0]);
                let order = a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
                a.is_nan().cmp(&b.is_nan()).then(if descending { order.reverse() } else { order })
            });
        }
        Ok(Evaluated::Vector(vector))
    }

    fn absent(&self, vector: &[Series]) -> Evaluated {
        let labels = match self.args.first().map(|arg| &arg.bare().expr) {
            Some(Expr::Selector(selector)) => relabel::fixed_labels(&selector.matchers),
            _ => Labels::default(),
        };
        let mut out = Series::empty(labels, false, self.grid.len);
        for step in (0..self.grid.len).filter(|step| !vector.iter().any(|series| series.has(*step))) {
            out.floats[step] = 1.0;
        }
        Evaluated::Vector(if out.has_any() { vec![out] } else { Vec::new() })
    }

    /// Applies functions of histograms.
    fn histogram(&self, context: &Context<'_>, mut args: Values) -> Result<Evaluated> {
        let len = self.grid.len;
        let of = |at: usize| (&self.args[at].bare().span, len);
        let each = |function: fn(&Histogram) -> f64, vector| self.each(context, vector, function);
        match self.name {
            "histogram_count" => each(|h| h.count, args.vector()),
            "histogram_sum" => each(|h| h.sum, args.vector()),
            "histogram_avg" => each(|h| h.sum / h.count, args.vector()),
            "histogram_stdvar" => each(Histogram::variance, args.vector()),
            "histogram_stddev" => each(|h| h.variance().sqrt(), args.vector()),
            "histogram_quantile" => {
                let (q, vector) = (args.column(len), args.vector());
                self.check_quantiles(context, &q, 0);
                histograms(context, &Question::Quantile(&q), &vector, of(1)).map(Evaluated::Vector)
            }
            "histogram_fraction" => {
                let (lower, upper, vector) = (args.column(len), args.column(len), args.vector());
                histograms(context, &Question::Fraction(&lower, &upper), &vector, of(2)).map(Evaluated::Vector)
            }
            "histogram_quantiles" => {
                let vector = args.vector();
                let label = args.text().unwrap_or_default();
                let mut found = Vec::new();
                for at in 2..self.args.len() {
                    let q = args.column(len);
                    self.check_quantiles(context, &q, at);
                    let results = histograms(context, &Question::Quantile(&q), &vector, of(0))?;
                    found.extend(results.into_iter().flat_map(|series| labelled(series, &label, &q)));
                }
                context.unite(found, self.span).map(Evaluated::Vector)
            }
            _ => Err(self.unsupported()),
        }
    }

    fn check_quantiles(&self, context: &Context<'_>, q: &[f64], arg: usize) {
        q.iter().for_each(|q| context.remarks().quantile(&self.args[arg].bare().span, *q));
    }

    fn each(
        &self,
        context: &Context<'_>,
        mut vector: Vec<Series>,
        function: fn(&Histogram) -> f64,
    ) -> Result<Evaluated> {
        for series in &mut vector {
            for step in 0..self.grid.len {
                series.floats[step] = series.histogram(step).map_or(NONE, |histogram| stored(function(histogram)));
            }
            series.histograms.clear();
            context.drop_name(series);
        }
        vector.retain(Series::has_any);
        context.unite(vector, self.span).map(Evaluated::Vector)
    }
}

/// Splits a series by the quantile of each step, which becomes a label.
fn labelled(series: Series, label: &str, q: &[f64]) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (step, q) in q.iter().enumerate() {
        let Some(value) = series.get(step) else { continue };
        let mut text = general(*q);
        if q.is_finite() && !text.contains(['.', 'e']) {
            text.push_str(".0");
        }
        let at = *places.entry(text).or_insert_with_key(|text| {
            found.push(Series::empty(series.labels.with(label, text), series.drop_name, series.floats.len()));
            found.len() - 1
        });
        found[at].set(
            step,
            match value {
                Value::Float(value) => Value::Float(value),
                histogram @ Value::Histogram(_) => histogram,
            },
        );
    }
    found
}
