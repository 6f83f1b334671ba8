//! The languages that a rule's query may be written in: those that queries of the API take.

use language::{ParseOptions, logql};
use plan::error::Span;
use plan::{Name, Operator, PlanDraft, QueryError, QueryErrors};
use promql::ValueType;
use types::Timestamp;

/// The language of a rule's query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The query language of catat.
    Insights,
    /// Of Grafana Loki; its metric queries too.
    LogQl,
    /// Query strings of Lucene.
    Lucene,
    /// Kibana's own language.
    Kql,
    /// CloudWatch's filter patterns.
    FilterPattern,
    /// Of Prometheus, over samples.
    PromQl,
}

/// All of them by the names that rules and queries call them by.
const LANGUAGES: [(&str, Language); 6] = [
    ("insights", Language::Insights),
    ("logql", Language::LogQl),
    ("lucene", Language::Lucene),
    ("kql", Language::Kql),
    ("filter-pattern", Language::FilterPattern),
    ("promql", Language::PromQl),
];

/// What a rule asks, read.
pub(crate) enum RuleQuery {
    /// For events or groups.
    Plan(PlanDraft),
    /// For numbers with labels, made of events.
    Metric(logql::MetricQuery),
    /// For numbers with labels, made of samples.
    Series(promql::Query),
}

impl Language {
    /// Finds the language of a name; the error lists the names.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let known = || LANGUAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let found = LANGUAGES.iter().find(|(known, _)| *known == name);
        found.map(|(_, language)| *language).ok_or_else(|| format!("unknown \"{name}\"; known: {}", known()))
    }

    /// Returns the name in rules.
    pub fn name(self) -> &'static str {
        LANGUAGES.iter().find(|(_, language)| *language == self).map_or("", |(name, _)| name)
    }

    /// Returns the language as the crate `language` names it; `None` for one that it does not read as a foreign one.
    pub(crate) fn foreign(self) -> Option<language::Language> {
        match self {
            Self::Insights | Self::PromQl => None,
            Self::LogQl => Some(language::Language::LogQl),
            Self::Lucene => Some(language::Language::Lucene),
            Self::Kql => Some(language::Language::Kql),
            Self::FilterPattern => Some(language::Language::FilterPattern),
        }
    }

    /// Returns the query for the page, if its language can express it.
    pub(crate) fn shown(self, text: &str) -> Option<String> {
        match self.foreign() {
            None => (self == Self::Insights).then(|| text.trim().to_owned()),
            Some(language) => language::translate(text, language).ok(),
        }
    }

    /// Returns what is wrong with a query that [`Self::read`] takes, since a rule may be in force with it.
    pub(crate) fn mistake_in(self, text: &str) -> Option<QueryErrors> {
        let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
        if self == Self::Insights { language::parse_insights(text, &options).err() } else { None }
    }

    /// Reads a query. `names` are fields that the rule itself asks for: labels, where the query is in LogQL.
    pub(crate) fn read(self, text: &str, options: &ParseOptions, names: &[Name]) -> Result<RuleQuery, QueryErrors> {
        Ok(RuleQuery::Plan(match self {
            Self::Insights => language::parse_rule(text, options)?,
            Self::LogQl => match logql::parse(text)? {
                logql::Query::Metric(metric) => return Ok(RuleQuery::Metric(metric)),
                // As in the query: the part that a rule adds may ask for columns that the query does not show.
                logql::Query::Log(log) => {
                    let labels = names.iter().filter(|name| !name.starts_with('@'));
                    let labels: Vec<Operator> =
                        labels.map(|name| Operator::Extend { name: name.clone(), expr: log.label(name) }).collect();
                    let logql::LogQuery { sources, mut operators, .. } = log;
                    operators.extend(labels);
                    operators.push(Operator::Project { columns: Vec::new(), is_events: true });
                    PlanDraft { sources, operators, ..PlanDraft::default() }
                }
            },
            Self::Lucene => language::parse_lucene(text, options.now)?.into(),
            Self::Kql => language::parse_kql(text, options.now)?.into(),
            Self::FilterPattern => language::parse_filter_pattern(text)?.into(),
            Self::PromQl => return series_query(text).map(RuleQuery::Series),
        }))
    }
}

/// Reads a query in PromQL, which must give numbers at an instant.
pub(crate) fn series_query(text: &str) -> Result<promql::Query, QueryErrors> {
    let error = |message: String, start: usize, end: usize| {
        QueryErrors::from(QueryError::new("bad-query", message, text, Span { start, end }))
    };
    let query = promql::parse(text).map_err(|wrong| error(wrong.message, wrong.span.start, wrong.span.end))?;
    let refused = |what: &str| {
        error(format!("the query gives {what}; a rule needs a number or an instant vector"), 0, text.len())
    };
    match query.value_type() {
        ValueType::Scalar | ValueType::Vector => Ok(query),
        ValueType::String => Err(refused("a text")),
        ValueType::Matrix => Err(refused("a range vector")),
    }
}
