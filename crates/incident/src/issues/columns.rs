//! Which columns of an event tell what failed and where, and how they are read.

use chrono_tz::Tz;
use execute::{Tail, TailRows};
use language::{Language, ParseOptions, parse_showing};
use plan::{Expr, Function, HOST_FIELDS, MESSAGE_FIELDS, Name, Operator, SERVICE_FIELDS};
use types::{EventId, Timestamp, Value};

use super::signature::{ErrorEvent, cut};

/// Fields with the version of the program.
const VERSION_FIELDS: [&str; 7] =
    ["version", "service.version", "service_version", "app_version", "app.version", "release", "build"];

/// Fields with a stack trace, and with the type of an exception.
const TRACE_FIELDS: [&str; 11] = [
    "exception.stacktrace", "exception.stack_trace", "error.stack_trace", "error.stack", "err.stack", "stack_trace",
    "stacktrace", "stackTrace", "stack", "traceback", "exc_info",
];
const KIND_FIELDS: [&str; 6] =
    ["exception.type", "error.type", "error.kind", "err.type", "exc_type", "exception.class"];

/// Fields with the number of a process.
const PID_FIELDS: [&str; 4] = ["process.pid", "pid", "procid", "_PID"];

/// Fields with the id of a trace.
const TRACE_ID_FIELDS: [&str; 3] = ["trace_id", "traceId", "trace.id"];

/// What is an error.
const QUERY: &str = "filter @level >= \"error\"";

/// Longest text of an event that is looked at.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Returns what finds errors in a run of events.
pub(super) fn tail() -> Tail {
    let options = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };
    let plan = parse_showing(QUERY, Language::Insights, &["@message"], &options).expect("the query is valid");
    let mut operators = plan.operators().to_vec();
    if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
        *columns = ErrorEvent::columns();
    }
    Tail::new(&plan.with_operators(operators), Tz::UTC).expect("the query takes events one by one")
}

impl ErrorEvent {
    /// Returns the columns that [`Self::of_row`] reads.
    pub fn columns() -> Vec<(Name, Expr)> {
        let coalesced = |name: &str, fields: &[&str]| {
            let fields = fields.iter().map(|field| Expr::Field((*field).into())).collect();
            (Name::from(name), Expr::Call(Function::Coalesce, fields))
        };
        let text: Vec<&str> = MESSAGE_FIELDS.iter().copied().chain(["@message"]).collect();
        vec![
            coalesced("text", &text),
            coalesced("trace", &TRACE_FIELDS),
            coalesced("kind", &KIND_FIELDS),
            coalesced("service", &SERVICE_FIELDS),
            coalesced("host", &HOST_FIELDS),
            coalesced("version", &VERSION_FIELDS),
            coalesced("trace_id", &TRACE_ID_FIELDS),
            coalesced("pid", &PID_FIELDS),
        ]
    }

    /// Returns the event of a row that begins with these columns.
    pub fn of_row(id: EventId, row: &[Option<Value>]) -> Self {
        let text = |at: usize| row.get(at).and_then(Option::as_ref).map(text_of).filter(|text| !text.is_empty());
        let name =
            |at: usize| text(at).filter(|_| !matches!(row.get(at), Some(Some(Value::Object(_) | Value::List(_)))));
        Self {
            id,
            text: text(0).unwrap_or_default(),
            trace: text(1),
            kind: text(2),
            service: name(3).map(|name| cut(&name, 200).to_owned()),
            host: name(4),
            version: text(5),
            trace_id: text(6),
            pid: name(7),
        }
    }
}

/// Returns the errors of some rows that come after a position.
pub(super) fn errors_of(found: &TailRows, after: u64) -> Vec<ErrorEvent> {
    let error = |(id, row): (&String, &Vec<Option<Value>>)| {
        let id = EventId::decode(id).filter(|id| id.sequence > after)?;
        Some(ErrorEvent::of_row(id, row))
    };
    found.ids.iter().zip(&found.rows).filter_map(error).collect()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, TEXT_BYTES_MAX).to_owned(),
        // A stack trace may be a list of lines.
        Value::List(items) => {
            let lines: Vec<String> = items.iter().take(1_000).flatten().map(text_of).collect();
            cut(&lines.join("\n"), TEXT_BYTES_MAX).to_owned()
        }
        other => other.to_string(),
    }
}
