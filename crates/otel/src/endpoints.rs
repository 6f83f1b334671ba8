//! The HTTP endpoints of Amazon CloudWatch Logs, below `/cloudwatch`: HLC's events, ND-JSON, JSON and OTLP.
//!
//! `x-aws-log-group` and `x-aws-log-stream` name the group and the stream of all events, or `logGroup` and `logStream` in the
//! address, except for OTLP. Neither has to exist before. A key is sent as `Authorization: Bearer`; signatures are for the
//! operations of the crate `cloudwatch`. Success is 200 and `{}`; if some events are invalid, the others are stored, and the
//! answer is 400 and names the first.

pub mod decode;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use types::GroupName;

use self::decode::{ValuesForm, ingest_values};
use crate::bodies::{LogTarget, store};
use crate::otlp;
use crate::otlp::decode::{Signal, ingest_otlp_into};
use crate::splunk::decode::{HecDefaults, HecForm, ingest_hec};
use door::{Call, ErrorFormat, Outcome, Parameters, Problem, Reply, Role, Routes};

const HLC: &str = "/cloudwatch/services/collector/event";
const BULK: &str = "/cloudwatch/ingest/bulk";
const JSON: &str = "/cloudwatch/ingest/json";

/// The endpoint for OTLP.
pub const OTLP: &str = "/cloudwatch/v1/logs";

/// Longest name of a stream, in characters.
const STREAM_CHARS_MAX: usize = 512;

/// Returns the routes of this API.
pub(crate) fn add(table: Routes<()>) -> Routes<()> {
    let table = table.post(HLC, Role::Ingest, hlc).post(OTLP, Role::Ingest, otlp);
    let table = table.post(BULK, Role::Ingest, |call| values(call, ValuesForm::Lines));
    table.post(JSON, Role::Ingest, |call| values(call, ValuesForm::Objects))
}

/// Reports whether a path is one of these endpoints except for OTLP.
pub fn is_address(path: &str) -> bool {
    [HLC, BULK, JSON].contains(&path)
}

fn hlc(Call { server, parameters, parts, .. }: Call<()>) -> Outcome {
    parameters.check_names(&["logGroup", "logStream"])?;
    let target = Some(target(&parameters, &parts.headers)?);
    store(&server, &parts.headers, move |intake, (body, encoding), sender| {
        let defaults = HecDefaults { target, ..HecDefaults::default() };
        let answer = ingest_hec(intake, body, encoding, HecForm::Events, &defaults, sender)?;
        Ok(reply(answer.fault.map(|(index, fault)| format!("event {}: {fault}", index + 1))))
    })
}

fn values(Call { server, parameters, parts, .. }: Call<()>, form: ValuesForm) -> Outcome {
    parameters.check_names(&["logGroup", "logStream"])?;
    let target = target(&parameters, &parts.headers)?;
    store(&server, &parts.headers, move |intake, body, sender| {
        let answer = ingest_values(intake, body, form, &target, sender)?;
        Ok(reply(answer.rejected.first().map(|one| format!("{} {}: {}", form.noun(), one.line, one.error))))
    })
}

fn otlp(Call { server, parameters, parts, .. }: Call<()>) -> Outcome {
    parameters.check_names(&[])?;
    let target = target(&parameters, &parts.headers)?;
    otlp::post_with(&server, Signal::Logs.names(), &parts.headers, move |server, (body, encoding), form, sender| {
        ingest_otlp_into(&server.app.intake, body, encoding, (Signal::Logs, form), sender, Some(&target))
    })
}

/// Returns the group and the stream that a request names.
fn target(parameters: &Parameters, headers: &HeaderMap) -> Result<LogTarget, Problem> {
    let bad = |message: String| Problem::bad_request("bad-parameter", message);
    let one = |name: &str, header: &str| {
        let of_header = headers.get(header).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
        match (parameters.get(name), of_header) {
            (Some(_), Some(_)) => Err(bad(format!("{name} is in the address, and {header} is sent; send one of them"))),
            (None, None) => Err(bad(format!("{name} is missing; send it as the header {header}"))),
            (Some(text), None) | (None, Some(text)) => Ok(text.to_owned()),
        }
    };
    let (group, stream) = (one("logGroup", "x-aws-log-group")?, one("logStream", "x-aws-log-stream")?);
    let group = GroupName::new(&group).ok_or_else(|| bad(format!("{group:?} is no name of a log group")))?;
    if stream.chars().count() > STREAM_CHARS_MAX || stream.contains([':', '*']) {
        return Err(bad(format!("a log stream has at most {STREAM_CHARS_MAX} characters, none of them : or *")));
    }
    Ok(LogTarget { group, stream })
}

fn reply(fault: Option<String>) -> Reply {
    match fault {
        None => Reply::json(&json!({})),
        Some(fault) => Reply::json(&json!({ "message": fault })).with_status(StatusCode::BAD_REQUEST),
    }
}

/// Errors of these endpoints.
pub struct EndpointFormat;

impl ErrorFormat for EndpointFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        (problem.status, Json(json!({ "message": problem.sentence() }))).into_response()
    }
}
