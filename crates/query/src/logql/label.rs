//! What a label of LogQL is in our events.

use crate::function::Function;
use crate::plan::Expr;

/// Labels of a stream, in the order in which log queries give them.
pub const STREAM_LABELS: [&str; 5] = ["group", "stream", "level", "service_name", "host"];

/// Fields that they are made of.
pub const STREAM_FIELDS: [&str; 7] =
    ["@log", "@logStream", "@level", "service_name", "service.name", "service", "host"];

/// The value of a label.
pub(super) fn expr(label: &str) -> Expr {
    let field = |name: &str| Expr::Field(name.into());
    match label {
        "group" => field("@log"),
        "stream" => field("@logStream"),
        "level" | "detected_level" => field("@level"),
        // Senders of OTLP say `service.name`, others `service`; Loki makes one label of them.
        "service_name" => {
            Expr::Call(Function::Coalesce, ["service_name", "service.name", "service"].map(field).to_vec())
        }
        other => field(other),
    }
}

/// The fields that a label is taken from.
pub(super) fn fields(label: &str) -> Vec<&str> {
    match label {
        "group" => vec!["@log"],
        "stream" => vec!["@logStream"],
        "level" => vec!["@level"],
        // Beside `level`, which has the same value and stays.
        "detected_level" => Vec::new(),
        "service_name" => vec!["service_name", "service.name", "service"],
        other => vec![other],
    }
}
