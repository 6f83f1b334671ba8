//! What a label of LogQL is in our events.
//!
//! The labels of a line that a Loki sender pushed are in the name of its stream, its level and the names of its
//! metadata in `@loki`; fields that were found in the line are none. Every other event has the labels `group`,
//! `filename`, `host` and `service_name`, and its fields can be asked for under their names.

use types::Value;

use plan::{Expr, Function, LabelsFunction};

/// Labels of a stream, in the order in which log queries give them.
pub const STREAM_LABELS: [&str; 5] = ["group", "stream", "level", "service_name", "host"];

/// Fields that they are made of.
pub const STREAM_FIELDS: [&str; 7] =
    ["@log", "@logStream", "@level", "service_name", "service.name", "service", "host"];

/// The field with what a Loki sender said of a line.
const METADATA: &str = "@loki";

fn field(name: &str) -> Expr {
    Expr::Field(name.into())
}

/// Returns a constant text.
pub(super) fn text(text: impl AsRef<str>) -> Expr {
    Expr::Literal(Some(Value::text(text.as_ref())))
}

/// Returns a function of labels.
pub(super) fn call(function: LabelsFunction, arguments: Vec<Expr>) -> Expr {
    Expr::Call(Function::Labels(function), arguments)
}

/// Returns what Go says of a label that cannot be read as a number, as `bytes` or as a `duration`.
pub(super) fn unreadable(kind: &str, label: Expr) -> Expr {
    call(LabelsFunction::Unreadable, vec![label, text(kind)])
}

/// Returns the field that a label is, for events that no Loki sender pushed.
pub(super) fn expr(label: &str) -> Expr {
    match label {
        "group" => field("@log"),
        "stream" | "filename" => field("@logStream"),
        "level" | "detected_level" => field("@level"),
        // Senders of OTLP say `service.name`, others `service`; Loki makes one label of them.
        "service_name" => {
            Expr::Call(Function::Coalesce, ["service_name", "service.name", "service"].map(field).to_vec())
        }
        other => field(other),
    }
}

/// Does the same where the field may have a name that no label can have: `a_b` is `a.b` and `a-b` too. `stream` is the
/// field of this name before the name of the log stream.
pub(super) fn any_field(label: &str) -> Expr {
    match label {
        "stream" => Expr::Call(Function::Coalesce, vec![field("stream"), field("@logStream")]),
        "group" | "filename" | "level" | "detected_level" | "service_name" | "host" => expr(label),
        label if label.starts_with("__") => Expr::Literal(None),
        label => {
            let spelled = spellings(label);
            if spelled.len() == 1 {
                return field(label);
            }
            Expr::Call(Function::Coalesce, spelled.iter().map(|name| field(name)).collect())
        }
    }
}

/// Returns a label before any stage.
pub(super) fn base(label: &str) -> Expr {
    let other = any_field(label);
    call(LabelsFunction::Base, vec![text(label), field("@logStream"), field(METADATA), other])
}

/// Returns the label set before any stage.
pub(super) fn begin() -> Expr {
    let fields = ["@logStream", METADATA, "@log", "host"].map(field);
    call(LabelsFunction::Begin, fields.into_iter().chain([expr("service_name"), field("@level")]).collect())
}

/// Reports whether a Loki sender pushed an event.
pub(super) fn is_pushed() -> Expr {
    call(LabelsFunction::IsPushed, vec![field("@logStream")])
}

/// Returns a label of the stream of a pushed event.
pub(super) fn of_stream(label: &str) -> Expr {
    call(LabelsFunction::OfStream, vec![field("@logStream"), text(label)])
}

/// Returns fields that Loki would call `name`: each of the first three `_` may be a point, of two a hyphen too.
fn spellings(name: &str) -> Vec<String> {
    let places: Vec<usize> = name.match_indices('_').map(|(at, _)| at).filter(|at| *at > 0).take(3).collect();
    let signs: &[char] = if places.len() > 2 { &['_', '.'] } else { &['_', '.', '-'] };
    let mut spelled = vec![name.to_owned()];
    for at in places {
        let with = |name: &String, sign: char| format!("{}{sign}{}", &name[..at], &name[at + 1..]);
        spelled =
            signs.iter().flat_map(|sign| spelled.iter().map(|name| with(name, *sign)).collect::<Vec<_>>()).collect();
    }
    spelled
}

#[cfg(test)]
mod tests;
