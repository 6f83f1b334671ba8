//! `POST /api/v1/ingest`: a batch of events in a format of ours.

use axum::http::{HeaderMap, StatusCode, header};
use ingest::{Encoding, Format, IngestRequest};
use serde_json::json;
use types::{GroupName, group_name_of_outside};

use crate::state::{Call, Shared};
use door::headers::{batch_id, encoding};
use door::intake_gates::Done;
use door::{Outcome, Parameters, Problem, Reply, RequestBody, Result};

/// Names of the parameters.
const PARAMETERS: [&str; 4] = ["group", "stream", "format", "field"];

/// Most fields that a request gives to all of its events.
const FIELDS_MAX: usize = 100;

pub(crate) fn post(Call { server, parameters, parts, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let encoding = encoding(&parts.headers)?;
    let format = format(&parameters, &parts.headers)?;
    let group = group_name_of_outside(parameters.get("group").unwrap_or("default"));
    let stream = parameters.get("stream").unwrap_or_default().to_owned();
    let batch_id = batch_id(&parts.headers)?;
    let fields = fields(&parameters, format)?;
    let envelope = Envelope { encoding, format, group, stream, fields, batch_id };
    Ok(Reply::body(server.app.limits.body_bytes_max, move |body| Ok(Reply::later(accept(server, body, envelope)))))
}

/// What a request says about its body.
struct Envelope {
    encoding: Encoding,
    format: Format,
    group: GroupName,
    stream: String,
    /// Names and values that every event gets.
    fields: Vec<(String, String)>,
    batch_id: Option<String>,
}

async fn accept(server: Shared, received: RequestBody, envelope: Envelope) -> Outcome {
    let (encoding, format) = (envelope.encoding, envelope.format);
    let of_thread = server.clone();
    let n_bytes = received.bytes().len();
    let expected = server.whole_store().expect();
    let work = move |done: Done<_>| {
        let request = IngestRequest {
            body: received.bytes(),
            encoding,
            format: envelope.format,
            group: envelope.group,
            stream: envelope.stream,
            fields: &envelope.fields,
            sender: of_thread.sender(envelope.batch_id.as_deref()),
        };
        let at_once = of_thread.app.intake.ingest_then(request, done).err().map(Err);
        drop(expected);
        at_once
    };
    let answer = server.intake.run_then(encoding, n_bytes, work).await??;
    let first = answer.rejected.first().filter(|_| answer.accepted == 0 && !answer.duplicate);
    // Bytes of a file are settled whatever becomes of their events: they are not to be sent again.
    let Some(first) = first.filter(|_| format != Format::Lines) else { return Ok(Reply::serialized(&answer)) };
    let message = format!("no record was accepted; line {}: {}", first.line, first.error);
    let mut body = json!(answer);
    body["error"] = Problem::bad_request("nothing-accepted", message).to_json();
    Ok(Reply::json(&body).with_status(StatusCode::BAD_REQUEST))
}

/// Returns the requested format, else that of the content type, else NDJSON.
fn format(parameters: &Parameters, headers: &HeaderMap) -> Result<Format> {
    if let Some(name) = parameters.get("format") {
        return match name {
            "ndjson" => Ok(Format::Ndjson),
            "text" => Ok(Format::Text),
            "lines" => Ok(Format::Lines),
            other => {
                let problem = Problem::bad_request("unknown-format", format!("unknown format {other:?}"));
                Err(problem.hint("known: ndjson, text, lines"))
            }
        };
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain");
    Ok(if is_text { Format::Text } else { Format::Ndjson })
}

/// Returns the fields of all parameters `field=NAME=VALUE`.
fn fields(parameters: &Parameters, format: Format) -> Result<Vec<(String, String)>> {
    let pair = |text: &str| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Problem::bad_parameter(format!("field is NAME=VALUE, not {text:?}"))),
    };
    let fields: Vec<(String, String)> = parameters.all("field").map(pair).collect::<Result<_, _>>()?;
    if fields.len() > FIELDS_MAX {
        return Err(Problem::bad_request("too-many-fields", format!("there may be {FIELDS_MAX} fields at most")));
    }
    if format == Format::Lines && !fields.is_empty() {
        return Err(Problem::bad_parameter("a body of the format lines says fields in its header"));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests;
