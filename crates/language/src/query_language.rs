//! The languages of queries, by the names that requests, rules and dashboards call them by.

use serde::{Deserialize, Serialize};

types::named! {
    /// A language of queries.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Language {
        /// Insights QL.
        #[default]
        Insights = "insights",
        /// LogQL.
        Logql = "logql",
        /// PromQL.
        Promql = "promql",
        /// Lucene.
        Lucene = "lucene",
        /// Kibana's KQL.
        Kql = "kql",
        /// CloudWatch's filter patterns.
        FilterPattern = "filter-pattern",
        /// TraceQL: its metrics queries.
        Traceql = "traceql",
        /// ES|QL.
        Esql = "esql",
    }
}

impl Language {
    /// All of them, as errors list them.
    pub const ALL: [Self; 8] = [
        Self::Insights,
        Self::Logql,
        Self::Lucene,
        Self::Kql,
        Self::FilterPattern,
        Self::Promql,
        Self::Traceql,
        Self::Esql,
    ];

    /// Returns the language of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }
}
