//! The signals of OTLP that are stored.

/// The kind of the records in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Log records.
    Logs,
    /// Spans.
    Traces,
}

/// Both spellings of a name in JSON.
pub(super) type JsonNames = [&'static str; 2];

impl Signal {
    /// Returns the field number of attributes in a record's message.
    pub(super) fn attribute(self) -> u64 {
        match self {
            Self::Logs => 6,
            Self::Traces => 9,
        }
    }

    /// Returns the names of the list of resources in a request, of scopes in a resource, and of records in a scope.
    pub(super) fn json_names(self) -> [JsonNames; 3] {
        match self {
            Self::Logs => {
                [["resourceLogs", "resource_logs"], ["scopeLogs", "scope_logs"], ["logRecords", "log_records"]]
            }
            Self::Traces => [["resourceSpans", "resource_spans"], ["scopeSpans", "scope_spans"], ["spans"; 2]],
        }
    }
}
