//! What a querier asks, from a JSON body or from the parameters of an address, checked and made into a plan.

use chrono_tz::Tz;
use dashboard::Choices;
use language::{Language, ParseOptions, logql};
use plan::{Operator, Plan, QueryError, QueryErrors};
use serde::Deserialize;
use serde_json::Value;
use storage::Snapshot;
use types::{GroupPattern, TimeRange, Timestamp};

use crate::json_body::JsonBody;
use door::{Parameters, Problem, Result, Scope};

/// The range meant where none is given.
const DEFAULT_RANGE_NS: i64 = Timestamp::HOUR;

/// Most events of a LogQL query here: it has no limit of its own, and the request's comes after it.
const LOGQL_LIMIT: u64 = 10_000;

const BODY: JsonBody = JsonBody { noun: "query request", example: r#"{"query":"…","from":"now-1h"}"# };

/// Names that [`Ask::of_parameters`] reads.
pub(crate) const PARAMETERS: [&str; 10] =
    ["query", "from", "to", "groups", "group", "limit", "language", "time_zone", "explain", "step"];

/// A question, still as it was asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ask {
    pub(crate) query: String,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
    pub(crate) groups: Option<Groups>,
    pub(crate) limit: Option<usize>,
    pub(crate) language: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) explain: bool,
    /// The distance of the times at which a query in PromQL, LogQL or TraceQL is asked.
    pub(crate) step: Option<String>,
    /// What `$name` and `${name}` in the query stand for, besides the built-in variables; absent: neither stands for anything.
    pub(crate) variables: Option<Choices>,
    /// Whether the answer has a column for every field that the events have; only addresses can ask for that.
    #[serde(skip)]
    pub(crate) all_fields: bool,
}

/// One group pattern or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Groups {
    One(String),
    Many(Vec<String>),
}

/// A question that can be answered.
pub(crate) struct Question {
    /// The query as it was written.
    pub(crate) text: String,
    pub(crate) plan: Plan,
    pub(crate) scope: Scope,
    pub(crate) range: TimeRange,
    pub(crate) explain: bool,
    /// The events that it is asked of, where their fields were looked at before.
    pub(crate) snapshot: Option<Snapshot>,
}

impl Ask {
    /// Reads a JSON body.
    pub(crate) fn of_json(body: &[u8], now: Timestamp) -> Result<Self> {
        BODY.read::<Self>(body)?.filled(now)
    }

    /// Reads the parameters of an address.
    pub(crate) fn of_parameters(parameters: &Parameters) -> Result<Self> {
        let text = |name: &str| parameters.get(name).map(str::to_owned);
        let groups = parameters.groups().iter().map(|pattern| pattern.as_str().to_owned()).collect();
        Ok(Self {
            query: text("query").unwrap_or_default(),
            from: text("from").map(Value::String),
            to: text("to").map(Value::String),
            groups: Some(Groups::Many(groups)),
            limit: parameters.number("limit")?,
            language: text("language"),
            time_zone: text("time_zone"),
            explain: parameters.flag("explain")?,
            step: text("step"),
            variables: None,
            all_fields: false,
        })
    }

    /// Puts the values of variables into the query text: those that were sent, and the built-in ones, which follow from the
    /// range and the step.
    pub(crate) fn filled(mut self, now: Timestamp) -> Result<Self> {
        let Some(mut variables) = self.variables.take() else { return Ok(self) };
        let language = language_of(self.language.as_deref())?;
        if dashboard::names(&self.query).iter().any(|name| name.starts_with("__")) {
            let step = self.step.as_deref().and_then(|step| types::parse_duration_ns(step).ok());
            let built_in = dashboard::built_ins(self.range(now)?, step.map(|step| step / Timestamp::SECOND));
            variables = built_in.into_iter().chain(variables).collect();
        }
        self.query = dashboard::fill(&self.query, language, &variables).map_err(|error| {
            let span = plan::Span { start: error.at, end: error.at + 1 + error.name.len() };
            QueryErrors::from(QueryError::new("bad-variable", error.to_string(), &self.query, span))
        })?;
        Ok(self)
    }

    /// Adds the step that suits the range to a query that returns samples.
    pub(crate) fn stepped(mut self, now: Timestamp) -> Result<Self> {
        if self.step.is_none()
            && matches!(self.language(), Some(Language::Promql | Language::Logql | Language::Traceql))
        {
            let built_in = dashboard::built_ins(self.range(now)?, None);
            if let Some(dashboard::Choice::One(step)) = built_in.get("__interval") {
                self.step = Some(step.clone());
            }
        }
        Ok(self)
    }

    /// Returns its language, if there is one of that name.
    pub(crate) fn language(&self) -> Option<Language> {
        language_of(self.language.as_deref()).ok()
    }

    /// Returns the zone of its times.
    pub(crate) fn zone(&self) -> Result<Tz> {
        time_zone(self.time_zone.as_deref())
    }

    /// Returns the range that it is about.
    pub(crate) fn range(&self, now: Timestamp) -> Result<TimeRange> {
        range(self.from.as_ref(), self.to.as_ref(), now, self.zone()?)
    }

    /// Returns the groups that it names.
    pub(crate) fn groups(&self) -> Vec<GroupPattern> {
        self.groups.as_ref().map(Groups::patterns).unwrap_or_default()
    }

    /// Checks everything and parses the query text.
    pub(crate) fn check(self, now: Timestamp) -> Result<Question> {
        // A query for lines in LogQL may stand beside one for numbers, with the step of both.
        if self.step.is_some() && self.language() != Some(Language::Logql) {
            let problem = Problem::bad_parameter("step is for queries in PromQL, LogQL and TraceQL");
            return Err(problem.hint("Insights has bin(), as in stats count(*) by bin(15s)"));
        }
        let (time_zone, range) = (self.zone()?, self.range(now)?);
        let plan = parse(&self.query, self.language.as_deref(), &ParseOptions { now, time_zone })?;
        let groups = if plan.sources.is_empty() { self.groups() } else { plan.sources.clone() };
        let scope = Scope { groups, limit: self.limit, time_zone, now };
        let range = plan.range(range, now, time_zone);
        Ok(Question { text: self.query, plan, scope, range, explain: self.explain, snapshot: None })
    }
}

impl Groups {
    pub(crate) fn patterns(&self) -> Vec<GroupPattern> {
        let patterns = match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Many(patterns) => patterns,
        };
        patterns.iter().filter(|pattern| !pattern.is_empty()).map(GroupPattern::new).collect()
    }
}

/// Parses a query text in the language named.
pub(crate) fn parse(text: &str, language: Option<&str>, options: &ParseOptions) -> Result<Plan> {
    match language_of(language)? {
        Language::Insights => Ok(language::parse_insights(text, options)?),
        Language::Logql => match logql::parse(text)? {
            logql::Query::Log(log) => Ok(log.plan(logql::Direction::Backward, LOGQL_LIMIT)),
            logql::Query::Metric(_) => {
                let message = "a LogQL metric query is answered under /loki/api/v1/";
                let problem = Problem::bad_request("unsupported", message);
                Err(problem.hint("`--explain`, or POST /api/v1/translate, says what is nearest to it in Insights"))
            }
        },
        Language::FilterPattern => Ok(language::parse_filter_pattern(text)?),
        Language::Lucene => Ok(language::parse_lucene(text, options.now)?),
        Language::Kql => Ok(language::parse_kql(text, options.now)?),
        Language::Promql => Err(Problem::bad_request("unsupported", "PromQL is not answered here")
            .hint("ask POST /api/v1/query, or the addresses of Prometheus below /prometheus/")),
        Language::Traceql => Err(Problem::bad_request("unsupported", "TraceQL is not answered here")
            .hint("ask POST /api/v1/query for series, or the addresses of Tempo below /tempo/")),
        Language::Esql => Err(Problem::bad_request("unsupported", "ES|QL is not answered here")
            .hint("ask POST /api/v1/query, or POST /elasticsearch/_query")),
    }
}

/// Returns the language of a name; Insights QL without one.
pub(crate) fn language_of(name: Option<&str>) -> Result<Language> {
    name.map_or(Ok(Language::Insights), |name| Language::named(name).ok_or_else(|| unknown_language(name)))
}

/// Nobody here speaks that.
pub(crate) fn unknown_language(name: &str) -> Problem {
    let problem = Problem::bad_request("unknown-language", format!("unknown query language {name:?}"));
    problem.hint(format!("known: {}", Language::ALL.map(Language::name).join(", ")))
}

/// Parses a query text for a live tail, which has no end to count a limit from.
pub(crate) fn parse_tail(text: &str, language: Option<&str>, options: &ParseOptions) -> Result<Plan> {
    let mut plan = parse(text, language, options)?;
    if language_of(language)? == Language::Logql {
        plan.edit(|operators| operators.retain(|operator| !matches!(operator, Operator::Limit(_))));
    }
    Ok(plan)
}

/// Reads the name of a time zone; UTC where there is none.
pub(crate) fn time_zone(name: Option<&str>) -> Result<Tz> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Tz::UTC) };
    name.parse().map_err(|_| {
        let problem = Problem::bad_request("unknown-time-zone", format!("unknown time zone {name:?}"));
        problem.hint("use a name of the tz database such as Asia/Jakarta")
    })
}

/// Returns the range from `from` to `to`, of which `to` itself is a part; the last hour where neither is given. A `from` with
/// two ends is the whole range.
pub(crate) fn range(from: Option<&Value>, to: Option<&Value>, now: Timestamp, zone: Tz) -> Result<TimeRange> {
    if let (Some(Value::String(text)), None) = (from, to)
        && plan::time::has_two_ends(text)
    {
        let range = plan::time::parse_range(text, now, zone).map_err(|error| bad_range(text, &error))?;
        return Ok(TimeRange { from: range.from.time, to: Timestamp(range.to.time.0.saturating_add(1)) });
    }
    let to = match to {
        // Events may carry times slightly ahead of this clock; "until now" means those too.
        None => Timestamp(now.0.saturating_add(Timestamp::MINUTE)),
        Some(value) => Timestamp(instant("to", value, now, zone)?.0.saturating_add(1)),
    };
    let from = match from {
        None => Timestamp(to.0.min(now.0).saturating_sub(DEFAULT_RANGE_NS)),
        Some(value) => instant("from", value, now, zone)?,
    };
    if from >= to {
        let problem = Problem::bad_request("empty-range", format!("the range is empty: from {from} is after its end"));
        return Err(problem.hint("from lies before to"));
    }
    Ok(TimeRange { from, to })
}

/// Returns the problem of a text that is not a range, with the place of the mistake.
pub(crate) fn bad_range(text: &str, error: &plan::time::TimeError) -> Problem {
    let span = plan::Span { start: error.place.start, end: error.place.end };
    QueryErrors::from(QueryError::new("bad-time", error.reason(), text, span).with_hint(error.hint())).into()
}

/// Reads one end of a range.
pub(crate) fn instant(name: &str, value: &Value, now: Timestamp, zone: Tz) -> Result<Timestamp> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Problem::bad_request("bad-time", format!("{name} is neither a text nor a number"))),
    };
    let bad_time = |error: plan::time::TimeError| Problem::bad_request("bad-time", format!("{name}: {error}"));
    plan::time::parse(&text, now, zone).map_err(bad_time)
}
