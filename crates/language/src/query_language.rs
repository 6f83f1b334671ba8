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
        /// Lucene.
        Lucene = "lucene",
        /// Kibana's KQL.
        Kql = "kql",
        /// CloudWatch's filter patterns.
        FilterPattern = "filter-pattern",
        /// PromQL.
        Promql = "promql",
        /// TraceQL: its metrics queries.
        Traceql = "traceql",
        /// ES|QL.
        Esql = "esql",
    }
}
