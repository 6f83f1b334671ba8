//! Reads the text of a query into its syntax tree.

use pest::Parser;
use pest::iterators::Pair;
use plan::{Comparison, Result, Span};

use crate::explain::explain;
use crate::field::Field;
use crate::grammar::{Rule, TraceQl, span_of};
use crate::hint;
use crate::literal::Literal;
use crate::reader::Reader;
use crate::syntax::{
    Aggregate, AggregateFunction, Arithmetic, Combined, Expression, ExpressionKind, Hint, Metric, MetricFunction,
    Pipeline, Query, Relation, SecondStage, SetOperator, Side, Spansets, Stage, Threshold,
};

type Read<T> = Result<T>;

/// Quantiles that one query may ask for; each is a column of every row.
const QUANTILES_MAX: usize = 32;

/// Most values that `compare()` shows of each field, as in Tempo.
const COMPARED_MAX: u64 = 1_000;

/// Values that it shows by default.
const COMPARED_DEFAULT: u64 = 10;

/// Reads a query without checking its types.
pub(crate) fn read(text: &str) -> Read<Query> {
    let mut reader = Reader::new(text)?;
    let mut pairs = TraceQl::parse(Rule::query, text).map_err(|error| explain(&error, text))?;
    let mut query = Query {
        text: text.to_owned(),
        pipeline: Pipeline::default(),
        metric: None,
        arithmetic: None,
        hints: Vec::new(),
    };
    for pair in pairs.next().into_iter().flat_map(Pair::into_inner) {
        match pair.as_rule() {
            Rule::pipeline => (query.pipeline, query.metric) = reader.pipeline(pair)?,
            Rule::arithmetic => match reader.whole_arithmetic(pair)? {
                // Brackets around one query only group.
                Arithmetic::Series(only) => query = *only,
                several => query.arithmetic = Some(several),
            },
            Rule::hints => {
                for hint in pair.into_inner().filter(|part| part.as_rule() == Rule::hint) {
                    query.hints.push(reader.hint(hint)?);
                }
            }
            _ => {}
        }
    }
    Ok(query)
}

/// Reads a field that stands alone.
pub(crate) fn read_field(text: &str) -> Read<Field> {
    let reader = Reader::new(text)?;
    let pairs = TraceQl::parse(Rule::lone_field, text).map_err(|error| explain(&error, text))?;
    let field = pairs.flatten().find(|pair| pair.as_rule() == Rule::field);
    field
        .map_or_else(|| Err(reader.error("syntax", "a field is missing", Span::default())), |field| reader.field(field))
}

impl Reader<'_> {
    pub(crate) fn pipeline(&mut self, pair: Pair<'_, Rule>) -> Read<(Pipeline, Option<Metric>)> {
        let (mut stages, mut metric): (Vec<Stage>, Option<Metric>) = (Vec::new(), None);
        for part in pair.into_inner() {
            let span = span_of(&part);
            match part.as_rule() {
                Rule::metric => metric = Some(self.metric(part)?),
                Rule::second => {
                    let second = self.second(part)?;
                    if let Some(metric) = &mut metric {
                        if matches!(metric.function, MetricFunction::Compare { .. }) {
                            let message = "the result of compare() can be neither ranked nor compared";
                            return Err(self.error("second-after-compare", message, span));
                        }
                        metric.second.push(second);
                    }
                }
                _ => stages.push(self.stage(part)?),
            }
        }
        Ok((Pipeline { stages }, metric))
    }

    fn stage(&mut self, pair: Pair<'_, Rule>) -> Read<Stage> {
        let span = span_of(&pair);
        let rule = pair.as_rule();
        let mut parts =
            pair.clone().into_inner().filter(|part| !matches!(part.as_rule(), Rule::kw_by | Rule::kw_select));
        Ok(match rule {
            Rule::group => match parts.next() {
                Some(by) => Stage::Group(self.expression(by)?),
                None => return Err(self.error("syntax", "by() needs a field", span)),
            },
            Rule::coalesce => Stage::Coalesce,
            Rule::select => Stage::Select(parts.map(|field| self.field(field)).collect::<Read<_>>()?),
            Rule::scalar_filter => self.scalar_filter(parts, span)?,
            Rule::bare_scalar => {
                let error = self.error(
                    "scalar-without-comparison",
                    "an aggregate of a spanset is compared with a number",
                    span,
                );
                return Err(error.with_hint(format!("write {} > 1", &self.text[span.start..span.end])));
            }
            _ => Stage::Spansets(self.spansets(pair)?),
        })
    }

    /// Reads `&&`, `||` and structural operators, which bind to the left.
    fn spansets(&mut self, pair: Pair<'_, Rule>) -> Read<Spansets> {
        let span = span_of(&pair);
        match pair.as_rule() {
            Rule::filter => return Ok(Spansets::Filter(self.filter(pair)?)),
            Rule::pipeline => {
                let (mut pipeline, metric) = self.pipeline(pair)?;
                if metric.is_some() {
                    let error = self.error("series-among-spansets", "series cannot be related to spansets", span);
                    return Err(error.with_hint("series in brackets are joined by + - * /"));
                }
                return Ok(match pipeline.stages.pop() {
                    // Brackets around one selection only group.
                    Some(Stage::Spansets(only)) if pipeline.stages.is_empty() => only,
                    last => Spansets::Pipeline(Pipeline { stages: pipeline.stages.into_iter().chain(last).collect() }),
                });
            }
            Rule::number => {
                return Err(self.number_among_spansets(span));
            }
            _ => {}
        }
        let mut parts = pair.into_inner();
        let first = parts.next().ok_or_else(|| self.error("syntax", "a spanset is missing", span))?;
        let mut left = self.spansets(first)?;
        while let (Some(sign), Some(right)) = (parts.next(), parts.next()) {
            let place = span_of(&sign);
            let operator = self.set_operator(sign.as_str(), place)?;
            self.count_operator(place)?;
            let right = self.spansets(right)?;
            left = Spansets::Combined(Box::new(Combined { operator, left, right, span: place }));
        }
        Ok(left)
    }

    fn set_operator(&self, sign: &str, place: Span) -> Read<SetOperator> {
        let (side, relation) = match (sign, sign.split_at_checked(1)) {
            ("&&", _) => return Ok(SetOperator::And),
            ("||", _) => return Ok(SetOperator::Or),
            (_, Some(("!", rest))) => (Side::RightWithout, rest),
            (_, Some(("&", rest))) => (Side::Both, rest),
            _ => (Side::Right, sign),
        };
        match Relation::named(relation) {
            Some(relation) => Ok(SetOperator::Related(relation, side)),
            None => {
                let message = format!("`{sign}` is not an operator between spansets");
                let error = self.error("arithmetic-of-spansets", message, place);
                Err(error.with_hint("spansets have && || > < >> << ~, with ! or & in front of the last five"))
            }
        }
    }

    fn filter(&mut self, pair: Pair<'_, Rule>) -> Read<Expression> {
        let span = span_of(&pair);
        match pair.into_inner().next() {
            Some(logic) => self.expression(logic),
            None => Ok(Expression { kind: ExpressionKind::Literal(Literal::Boolean(true)), span }),
        }
    }

    /// Reads an aggregate compared with a constant.
    fn scalar_filter<'i>(&mut self, parts: impl Iterator<Item = Pair<'i, Rule>>, span: Span) -> Read<Stage> {
        let parts: Vec<Pair<'i, Rule>> = parts.collect();
        let [left, sign, right] = parts.as_slice() else {
            return Err(self.error("syntax", "a comparison is not complete", span));
        };
        let Some(comparison) = Comparison::named(sign.as_str()) else {
            let error =
                self.error("syntax", format!("a number cannot be compared with {}", sign.as_str()), span_of(sign));
            return Err(error.with_hint("an aggregate has = != < <= > >="));
        };
        match lone_aggregate(left.clone()) {
            Some(aggregate) => {
                let aggregate = self.aggregate(aggregate)?;
                Ok(Stage::Scalar { aggregate, comparison, value: self.constant(right.clone())? })
            }
            None => {
                let message = "an aggregate can only be compared with a constant here, as in Tempo";
                Err(self.unsupported(message, span).with_hint("write count() > 2, or avg(duration) > 20ms"))
            }
        }
    }

    fn aggregate(&mut self, pair: Pair<'_, Rule>) -> Read<Aggregate> {
        let span = span_of(&pair);
        let mut parts = pair.into_inner();
        let name = parts.next().map_or("", |name| name.as_str());
        let function = AggregateFunction::named(name).unwrap_or(AggregateFunction::Count);
        let argument = parts.next().map(|argument| self.expression(argument)).transpose()?;
        match (function, &argument) {
            (AggregateFunction::Count, Some(argument)) => {
                Err(self.error("needless-argument", "count() counts spans and takes no field", argument.span))
            }
            (AggregateFunction::Count, None) => Ok(Aggregate { function, argument, span }),
            (_, Some(_)) => Ok(Aggregate { function, argument, span }),
            (_, None) => {
                let error = self.error("missing-argument", format!("{name}() needs a field"), span);
                Err(error.with_hint(format!("write {name}(duration)")))
            }
        }
    }

    /// Reads a constant number or duration, which may be computed from others.
    fn constant(&mut self, pair: Pair<'_, Rule>) -> Read<Literal> {
        let span = span_of(&pair);
        if let Some(aggregate) = lone_aggregate(pair.clone()) {
            let message = "an aggregate can only be compared with a constant here, as in Tempo";
            return Err(self
                .unsupported(message, span_of(&aggregate))
                .with_hint("write two stages: | min(.a) > 1 | max(.b) < 2"));
        }
        let expression = self.expression(pair)?;
        let folded = crate::evaluate::constant(&expression);
        folded.ok_or_else(|| {
            self.error("not-constant", "an aggregate is compared with a constant number or duration", span)
        })
    }

    fn metric(&mut self, pair: Pair<'_, Rule>) -> Read<Metric> {
        let span = span_of(&pair);
        let (mut name, mut arguments, mut by) = ("", Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::metric_name => name = part.as_str(),
                Rule::labels => {
                    let fields = part.into_inner().filter(|field| field.as_rule() == Rule::field);
                    by = fields.map(|field| self.field(field)).collect::<Read<_>>()?;
                }
                _ => arguments.push(part),
            }
        }
        let function = match name {
            "rate" | "count_over_time" => {
                if let Some(first) = arguments.first() {
                    let error = self.error("needless-argument", format!("{name}() takes no field"), span_of(first));
                    return Err(error.with_hint(format!("write {name}() by (name)")));
                }
                if name == "rate" { MetricFunction::Rate } else { MetricFunction::Count }
            }
            "compare" => {
                if !by.is_empty() {
                    return Err(self.error("needless-by", "compare() looks at all fields and takes no by()", span));
                }
                self.compare(arguments, span)?
            }
            _ => self.of_field(name, arguments, span)?,
        };
        Ok(Metric { function, by, second: Vec::new(), span })
    }

    /// Reads a function of the values of a field.
    fn of_field(&mut self, name: &str, arguments: Vec<Pair<'_, Rule>>, span: Span) -> Read<MetricFunction> {
        let mut arguments = arguments.into_iter();
        let field = match arguments.next() {
            Some(field) if field.as_rule() == Rule::field => self.field(field)?,
            other => {
                let place = other.map_or(span, |other| span_of(&other));
                let error = self.error("missing-argument", format!("{name}() needs a field first"), place);
                let more = if name.starts_with("quantile") { ", 0.95" } else { "" };
                return Err(error.with_hint(format!("write {name}(duration{more})")));
            }
        };
        if name == "quantile_over_time" {
            return self.quantiles(field, arguments.collect(), span);
        }
        if let Some(second) = arguments.next() {
            return Err(self.error("needless-argument", format!("{name}() takes one field"), span_of(&second)));
        }
        let simple = name.strip_suffix("_over_time").and_then(AggregateFunction::named);
        Ok(match simple {
            Some(function) => MetricFunction::Simple(function, field),
            None => MetricFunction::Histogram(field),
        })
    }

    fn quantiles(&mut self, field: Field, arguments: Vec<Pair<'_, Rule>>, span: Span) -> Read<MetricFunction> {
        let mut quantiles = Vec::new();
        for argument in arguments {
            let place = span_of(&argument);
            let number = match argument.as_rule() {
                Rule::constant => match self.literal(&argument)? {
                    Literal::Integer(number) => Some(number as f64),
                    Literal::Float(number) => Some(number),
                    _ => None,
                },
                _ => None,
            };
            match number.filter(|number| (0.0..=1.0).contains(number)) {
                Some(number) => quantiles.push(number),
                None => {
                    let error = self.error("invalid-quantile", "a quantile is a number from 0 to 1", place);
                    return Err(error.with_hint("write 0.95 for the 95th percentile"));
                }
            }
        }
        if quantiles.is_empty() || quantiles.len() > QUANTILES_MAX {
            let message = format!("quantile_over_time() takes 1 to {QUANTILES_MAX} quantiles after the field");
            return Err(self
                .error("missing-argument", message, span)
                .with_hint("write quantile_over_time(duration, 0.95)"));
        }
        Ok(MetricFunction::Quantile(field, quantiles))
    }

    fn compare(&mut self, arguments: Vec<Pair<'_, Rule>>, span: Span) -> Read<MetricFunction> {
        let mut arguments = arguments.into_iter();
        let selection = match arguments.next() {
            Some(filter) if filter.as_rule() == Rule::filter => self.filter(filter)?,
            _ => {
                let error = self.error("missing-argument", "compare() needs a selection of spans first", span);
                return Err(error.with_hint("write compare({ status = error })"));
            }
        };
        let mut numbers = Vec::new();
        for argument in arguments {
            match (argument.as_rule() == Rule::constant).then(|| self.literal(&argument)).transpose()? {
                Some(Literal::Integer(number)) if number > 0 => numbers.push(number),
                _ => {
                    let message = "compare() takes whole numbers above 0 after the selection";
                    let error = self.error("invalid-argument", message, span_of(&argument));
                    return Err(
                        error.with_hint("write compare({ … }, 10), or with times compare({ … }, 10, FROM_NS, TO_NS)")
                    );
                }
            }
        }
        let most = numbers.first().map_or(COMPARED_DEFAULT, |most| most.unsigned_abs());
        let between = match numbers.as_slice() {
            [] | [_] => None,
            [_, from, to] if from < to => Some((*from, *to)),
            _ => {
                let message = "compare() takes both times in nanoseconds, the earlier one first, or none";
                return Err(self.error("invalid-argument", message, span));
            }
        };
        if most > COMPARED_MAX {
            let message = format!("compare() shows at most {COMPARED_MAX} values of a field");
            return Err(self.error("invalid-argument", message, span));
        }
        Ok(MetricFunction::Compare { selection, most, between })
    }

    pub(crate) fn second(&mut self, pair: Pair<'_, Rule>) -> Read<SecondStage> {
        let span = span_of(&pair);
        let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        let [first, value] = parts.as_slice() else {
            return Err(self.error("syntax", "a comparison is not complete", span));
        };
        if first.as_rule() == Rule::rank_name {
            let Literal::Integer(count @ 1..) = self.literal(value)? else {
                let message = format!("{}() takes a whole number above 0", first.as_str());
                return Err(self.error("invalid-argument", message, span_of(value)));
            };
            let count = count.unsigned_abs();
            return Ok(if first.as_str() == "topk" { SecondStage::Top(count) } else { SecondStage::Bottom(count) });
        }
        let Some(comparison) = Comparison::named(first.as_str()) else {
            return Err(self.error("syntax", "series are compared with = != < <= > >=", span_of(first)));
        };
        Ok(match self.constant(value.clone())? {
            Literal::Duration(length) => SecondStage::Compare(comparison, Threshold::Duration(length)),
            Literal::Integer(number) => SecondStage::Compare(comparison, Threshold::Number(number as f64)),
            Literal::Float(number) => SecondStage::Compare(comparison, Threshold::Number(number)),
            _ => {
                return Err(self.error(
                    "not-constant",
                    "series are compared with a number or duration",
                    span_of(value),
                ));
            }
        })
    }

    fn hint(&mut self, pair: Pair<'_, Rule>) -> Read<Hint> {
        let span = span_of(&pair);
        let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        let [name, value] = parts.as_slice() else {
            return Err(self.error("syntax", "a hint has a name and a value", span));
        };
        let hint = Hint { name: name.as_str().to_owned(), value: self.literal(value)?, span: span_of(name) };
        hint::check(&hint, self.text)?;
        Ok(hint)
    }
}

/// Returns the aggregate that an expression consists of.
fn lone_aggregate(pair: Pair<'_, Rule>) -> Option<Pair<'_, Rule>> {
    let mut pair = pair;
    while pair.as_rule() != Rule::aggregate {
        let mut parts = pair.into_inner();
        let only = parts.next()?;
        if parts.next().is_some() {
            return None;
        }
        pair = only;
    }
    Some(pair)
}
