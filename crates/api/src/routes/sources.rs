//! `/api/v1/sources`: shippers, how they stand, and what of their files never arrived; in a fleet, whichever node they report to.

use execute::PartialReason;
use ingest::{SourceState, SourceView, SourcesView};
use serde::Serialize;
use serde_json::{Value, json};

use crate::routes::fleet::told;
use crate::state::Call;
use door::exposition::Kind::Gauge;
use door::exposition::Page;
use door::{Outcome, Problem, Reply, RequestBody, Result, Server, Shared, reason_json};

/// The report of a shipper: some two thousand files at most.
pub(super) const BODY_BYTES_MAX: usize = 2 << 20;

/// Sources in the metrics; a shipper more is a time series more, in each family.
const METRICS_MAX: usize = 1_000;

/// All sources, and why some may be missing.
#[derive(Serialize)]
struct ListedSources {
    #[serde(flatten)]
    view: SourcesView,
    partial: bool,
    partial_reasons: Vec<Value>,
}

pub(crate) fn list(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["host", "state"])?;
    let state = parameters.get("state").map(state_of).transpose()?;
    let host = parameters.get("host").map(str::to_owned);
    Ok(Reply::later(async move {
        let (mut view, missing) = view(&server).await?;
        let is_asked = |source: &SourceView| {
            host.as_ref().is_none_or(|host| *host == source.host) && state.is_none_or(|state| state == source.state)
        };
        view.sources.retain(is_asked);
        let partial_reasons: Vec<Value> = missing.iter().map(reason_json).collect();
        Ok(Reply::serialized(&ListedSources { view, partial: !partial_reasons.is_empty(), partial_reasons }))
    }))
}

/// Returns the sources that the caller may see, and why some may be missing.
pub(crate) async fn view(server: &Shared) -> Result<(SourcesView, Vec<PartialReason>)> {
    let (told, missing) = told::ask(server).await;
    let of_thread = server.clone();
    let work = move || {
        let (sources, store) = (&of_thread.app.intake.sources, of_thread.whole_store());
        sources.view_with(told, store, &of_thread.caller.scope, of_thread.now())
    };
    Ok((server.lookups.run(work).await?, missing))
}

fn state_of(name: &str) -> Result<SourceState> {
    SourceState::named(name).ok_or_else(|| {
        Problem::bad_parameter(format!("state is not {name:?}")).hint("known: up, down, stopped, unknown")
    })
}

pub(crate) fn post(Call { server, path: [source, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let (now, scope, sources) = (server.now(), &server.caller.scope, &server.app.intake.sources);
    let n_files = sources.report(source, body.bytes(), scope, now);
    let n_files = n_files.map_err(|error| Problem::bad_request("bad-report", error.to_string()))?;
    // What cannot be written down now is written down the next time.
    if let Err(error) = sources.look_after(server.whole_store(), now) {
        tracing::warn!(%error, "names of sources not saved");
    }
    Ok(Reply::json(&json!({ "files": n_files })))
}

/// Answers which ranges of a file are held, for a shipper that does not know.
pub(crate) fn held(Call { server, path: [source, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let ranges = server.app.intake.held(source, body.bytes(), &server.caller.scope, server.now());
    let ranges = ranges.map_err(|error| Problem::bad_request("bad-report", error.to_string()))?;
    Ok(Reply::json(&json!({ "ranges": ranges })))
}

/// How sources stand. Blocks.
pub(crate) fn write(server: &Server, page: &mut Page) {
    let view = server.app.intake.sources.view(server.whole_store(), &types::GroupScope::All, server.now());
    let sources = || view.sources.iter().filter(|source| source.state != SourceState::Unknown).take(METRICS_MAX);
    if sources().next().is_none() {
        return;
    }
    type Count = fn(&SourceView) -> u64;
    let families: [(&str, &str, Count); 3] = [
        ("catat_source_up", "Whether a shipper told of itself within 30 s.", |source| {
            u64::from(source.state == SourceState::Up)
        }),
        ("catat_source_lag_bytes", "Bytes of its files that it is still to send.", |source| source.lag_bytes),
        ("catat_source_gap_bytes", "Bytes of its files that never arrived.", |source| source.gap_bytes),
    ];
    for (name, help, count) in families {
        page.family(name, Gauge, help);
        for source in sources() {
            page.sample(name, &[("source", &source.source), ("host", &source.host)], count(source) as f64);
        }
    }
}
