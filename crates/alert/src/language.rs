//! The languages that a rule's query may be written in: those that queries of the API take.

use language::{Language, ParseOptions, logql};
use plan::{Name, Operator, PlanDraft, QueryError, QueryErrors, Span};
use promql::ValueType;
use types::Timestamp;

/// Those that rules may be in, as errors list them.
const LANGUAGES: [Language; 6] =
    [Language::Insights, Language::Logql, Language::Lucene, Language::Kql, Language::FilterPattern, Language::Promql];

/// What a rule asks, read.
pub(crate) enum RuleQuery {
    /// For events or groups.
    Plan(PlanDraft),
    /// For numbers with labels, made of events.
    Metric(logql::MetricQuery),
    /// For numbers with labels, made of samples.
    Series(promql::Query),
}

/// Finds the language of a name; the error lists the names.
pub(crate) fn find(name: &str) -> Result<Language, String> {
    let found = Language::named(name).filter(|language| LANGUAGES.contains(language));
    found.ok_or_else(|| format!("unknown \"{name}\"; known: {}", LANGUAGES.map(Language::name).join(", ")))
}

/// Returns the query for the page, if its language can express it.
pub(crate) fn shown(language: Language, text: &str) -> Option<String> {
    if language == Language::Insights { Some(text.trim().to_owned()) } else { language::translate(text, language).ok() }
}

/// Returns what is wrong with a query that [`read`] takes, since a rule may be in force with it.
pub(crate) fn mistake_in(language: Language, text: &str) -> Option<QueryErrors> {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
    if language == Language::Insights { language::parse_insights(text, &options).err() } else { None }
}

/// Reads a query. `names` are fields that the rule itself asks for: labels, where the query is in LogQL.
pub(crate) fn read(
    language: Language,
    text: &str,
    options: &ParseOptions,
    names: &[Name],
) -> Result<RuleQuery, QueryErrors> {
    Ok(RuleQuery::Plan(match language {
        Language::Insights => language::parse_rule(text, options)?,
        Language::Logql => match logql::parse(text)? {
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
        Language::Lucene => language::parse_lucene(text, options.now)?.into(),
        Language::Kql => language::parse_kql(text, options.now)?.into(),
        Language::FilterPattern => language::parse_filter_pattern(text)?.into(),
        Language::Promql => return series_query(text).map(RuleQuery::Series),
        Language::Traceql | Language::Esql => {
            let message = format!("a rule has no query in {}", language.name());
            return Err(QueryError::new("unsupported", message, text, Span { start: 0, end: text.len() }).into());
        }
    }))
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
