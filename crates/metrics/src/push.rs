//! Pushgateway's API: batch jobs push their samples in groups, and the last push of a group stays until it is deleted.
//!
//! A group is named by the labels in the path. `PUT` replaces a group, `POST` only its metrics of the same names, `DELETE`
//! removes it. Groups are documents of the control store ([`documents`]); their samples are written when they are pushed, and
//! again every `[pushgateway] interval` ([`repeat`]), as if a Prometheus scraped a Pushgateway with `honor_labels`. What
//! goes ends with a stale marker.

mod documents;
mod key;
mod repeat;
mod samples;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use axum::http::{StatusCode, header};
use door::headers::encoding;
use door::{FamilyServer, Outcome, Problem, Reply, RequestBody, Result};
use exposition::{Family, Format, read};
use ingest::decode;
use ingest::sample::{SeriesLabels, sample_group};
use types::Limits;

use self::documents::{PushedFamily, PushedGroup};
use self::key::GroupingKey;
use crate::metadata::{Call, Metadata, MetricsState};

pub(crate) use self::documents::forget;
pub use self::repeat::{repeat, repeat_pushes};
pub(crate) use self::samples::replace;

/// Most bytes of a push, and most samples.
const BODY_BYTES_MAX: usize = 4 << 20;
const SAMPLES_MAX: usize = 20_000;

/// What a push does to the metrics of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// All are replaced.
    Replace,
    /// Those of the same name are replaced.
    Update,
}

/// Replaces a group.
pub(crate) fn put(call: Call) -> Outcome {
    push(call, Mode::Replace)
}

/// Replaces the metrics of a group that have the same names as those pushed.
pub(crate) fn post(call: Call) -> Outcome {
    push(call, Mode::Update)
}

/// Deletes a group. One that does not exist is no error.
pub(crate) fn delete(Call { server, parts, .. }: Call) -> Outcome {
    let key = GroupingKey::of_path(parts.uri.path())?;
    server.must_reach(&sample_group(key.job()))?;
    let work = move || {
        let mut clock = server.state.push_clock();
        if let Some(group) = documents::get(&server, &key)? {
            let time = clock.next(server.now());
            samples::write(&server, time, &[], &group.series(&server.app.intake.limits))?;
            documents::remove(&server, &key)?;
        }
        Ok(StatusCode::ACCEPTED.into())
    };
    Ok(Reply::Intake(ingest::Encoding::Identity.into(), 0, Box::new(work)))
}

fn push(Call { server, parts, .. }: Call, mode: Mode) -> Outcome {
    let key = GroupingKey::of_path(parts.uri.path())?;
    server.must_reach(&sample_group(key.job()))?;
    let headers = &parts.headers;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(format) = Format::of_content_type(content_type) else {
        let message = format!("content type {content_type:?} is not supported for pushes");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", message);
        return Err(problem.hint("push the text format (text/plain; version=0.0.4) or OpenMetrics"));
    };
    let encoding = encoding(headers)?;
    let bytes_max = server.app.limits.body_bytes_max.min(BODY_BYTES_MAX);
    let store = move |body: &[u8]| {
        let body = decode(body, encoding, bytes_max)?;
        let text = std::str::from_utf8(&body).map_err(|_| Problem::bad_request("bad-push", "the push is not UTF-8"))?;
        let families =
            read(text, format, SAMPLES_MAX).map_err(|error| Problem::bad_request("bad-push", error.to_string()))?;
        apply(&server, &key, families, mode)?;
        Ok(StatusCode::OK.into())
    };
    let read = move |received: Result<RequestBody>| match received {
        Ok(received) => Ok(Reply::intake(encoding.into(), received, store)),
        Err(problem) if problem.status == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(problem.hint("push fewer samples, or to more groups"))
        }
        Err(problem) => Err(problem),
    };
    Ok(Reply::Body(bytes_max, Box::new(read)))
}

/// Stores a push: its samples first, so that nothing is listed as pushed that was refused.
fn apply(server: &FamilyServer<MetricsState>, key: &GroupingKey, families: Vec<Family>, mode: Mode) -> Result<()> {
    let limits = &server.app.intake.limits;
    let mut clock = server.state.push_clock();
    let before = documents::get(server, key)?;
    let time = clock.next(server.now());
    let mut group = before.clone().unwrap_or_else(|| PushedGroup::new(key));
    let pushed = match pushed_families(key, families, limits) {
        Ok(pushed) => documents::conflict(server, key, &pushed)?.map_or(Ok(pushed), Err),
        Err(problem) => Err(problem),
    };
    match pushed {
        Ok(pushed) => {
            note(&server.state, &pushed);
            group.apply(pushed, mode == Mode::Replace);
            group.pushed_ms = time;
        }
        Err(problem) => {
            group.failed_ms = time;
            documents::put(server, key, &group)?;
            samples::write(server, time, &group.samples(limits), &[])?;
            return Err(Problem::bad_request("bad-push", problem));
        }
    }
    let json = documents::checked(server, key, &group)?;
    let samples = group.samples(limits);
    samples::replace(server, time, &samples, before.iter().flat_map(|before| before.series(limits)).collect())?;
    documents::put_json(server, key, &json)
}

/// Notes type, help and unit of metrics.
fn note(state: &MetricsState, families: &BTreeMap<String, PushedFamily>) {
    families.iter().for_each(|(name, family)| state.note(name, family.metadata()));
    for (metric, help) in samples::OF_PUSHES {
        let help = help.to_owned();
        state.note(metric, Metadata { kind: "gauge", help, unit: String::new() });
    }
}

/// Returns what a push holds, with the labels of the group; or why the push cannot be kept.
fn pushed_families(
    key: &GroupingKey,
    families: Vec<Family>,
    limits: &Limits,
) -> Result<BTreeMap<String, PushedFamily>, String> {
    let mut seen = HashSet::new();
    let mut pushed = BTreeMap::new();
    for family in families {
        let mut of_family = PushedFamily::new(&family.metadata);
        for sample in family.samples {
            let line = sample.line;
            if sample.time.is_some() {
                return Err(format!("line {line}: pushed samples have no times; theirs is that of the push"));
            }
            if samples::is_own(&sample.name) {
                return Err(format!("line {line}: {:?} is written by the server itself", sample.name));
            }
            let own = sample.labels.iter().filter(|(name, _)| !key.has(name));
            let own = own.map(|(name, value)| (Cow::from(&**name), Cow::from(&**value)));
            let labels = SeriesLabels::new(own.chain(key.labels(&sample.name)), limits)
                .map_err(|problem| format!("line {line}: {problem}"))?;
            if !seen.insert(labels.text().to_owned()) {
                return Err(format!("line {line}: a second sample of {}", labels.text()));
            }
            of_family.add(&labels, sample.value);
        }
        pushed.insert(family.name, of_family);
    }
    Ok(pushed)
}
