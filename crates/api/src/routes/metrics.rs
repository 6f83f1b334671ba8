//! `/metrics`: what the store and the server count, in Prometheus' text format 0.0.4, or as OpenMetrics 1.0 for a client that
//! prefers it, as Prometheus does.
//!
//! Every family has its `HELP` and `TYPE` and stands in one piece; counters end in `_total`, units are seconds and
//! bytes. Numbers are read when they are asked for, none is kept here.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use storage::Status;

use crate::routes::status::numbers;
use crate::routes::{alert_timings, clocks, fleet, pipelines, sources, upkeep};
use crate::state::{Api, Call};
use door::exposition::{Format, Kind, Page};
use door::{Outcome, Reply, Server};

pub(crate) fn get(call: Call) -> Outcome {
    call.server.must_reach_everything()?;
    call.look_up(page)
}

fn page(Call { server, parts, .. }: &Call) -> Outcome {
    let format = preferred(&parts.headers);
    // First, as it waits a moment for what was accepted just now.
    let derived = server.app.metrics.families();
    let mut page = Page::new(format);
    write_own(server, &server.state, &mut page);
    derived.iter().for_each(|family| page.derived(family));
    let content_type = match format {
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    let vary = HeaderValue::from_static("accept");
    Ok(Reply::content(content_type, page.into_text()).with_header(header::VARY, vary))
}

/// Returns the format that a client prefers: OpenMetrics only if its `Accept` names it, and nothing that it likes better.
fn preferred(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut text, mut open_metrics) = (0.0, 0.0);
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let media_type = parts.next().unwrap_or_default();
        let (mut quality, mut version) = (1.0_f32, None);
        for (name, value) in parts.collect::<Vec<_>>().iter().filter_map(|part| part.split_once('=')) {
            match name {
                "q" => quality = value.parse().unwrap_or(0.0),
                "version" => version = Some(value.trim_matches('"').to_owned()),
                _ => {}
            }
        }
        match (media_type.as_str(), version.as_deref()) {
            ("application/openmetrics-text", None | Some("1.0.0")) => open_metrics = quality.max(open_metrics),
            ("text/plain", _) => text = quality.max(text),
            _ => {}
        }
    }
    if open_metrics > 0.0 && open_metrics >= text { Format::OpenMetrics } else { Format::Text }
}

/// Lets derived metrics read the server's own ones.
pub(crate) fn publish(server: &Arc<Server>, api: &Arc<Api>) {
    let (of_server, of_api) = (Arc::downgrade(server), Arc::downgrade(api));
    server.app.metrics.set_own_page(move || match (of_server.upgrade(), of_api.upgrade()) {
        (Some(server), Some(api)) => own_text(&server, &api),
        _ => String::new(),
    });
}

/// Returns what catat counts of itself, as text. Blocks.
fn own_text(server: &Server, api: &Api) -> String {
    let mut page = Page::default();
    write_own(server, api, &mut page);
    page.into_text()
}

fn write_own(server: &Server, api: &Api, page: &mut Page) {
    let status = server.whole_store().status();
    write_server(server, api, page);
    write_store(&status, page);
    upkeep::write(&status, page);
    fleet::write(server, page);
    pipelines::write(server, page);
    alert_timings::write(server, page);
    sources::write(server, page);
    clocks::write(server, page);
    api.families.writers.iter().for_each(|write| write(server, page));
}

fn write_server(server: &Server, api: &Api, page: &mut Page) {
    page.family("catat_build_info", Kind::Gauge, "The version that runs; always 1.");
    page.sample("catat_build_info", &[("version", &server.app.version)], 1.0);
    let started = server.started.0 as f64 / 1e9;
    page.single("catat_start_time_seconds", Kind::Gauge, "When the server started, since the Unix epoch.", started);

    let counts = server.traffic.counts();
    page.family("catat_http_requests_total", Kind::Counter, "Requests answered, by route and status.");
    for ((route, status), served) in &counts {
        let labels = [("route", route.as_str()), ("status", &status.to_string())];
        page.sample("catat_http_requests_total", &labels, served.n_requests as f64);
    }
    let help = "Time until answers began, summed up, by route and status.";
    page.family("catat_http_request_seconds_total", Kind::Counter, help);
    for ((route, status), served) in &counts {
        let labels = [("route", route.as_str()), ("status", &status.to_string())];
        page.sample("catat_http_request_seconds_total", &labels, served.elapsed.as_secs_f64());
    }
    let (n_started, n_running) = server.queries.counts();
    page.single("catat_queries_total", Kind::Counter, "Queries started.", n_started as f64);
    let held = server.memory.held_bytes() as f64;
    page.single("catat_query_memory_bytes", Kind::Gauge, "Memory that all queries hold together.", held);
    let spilled = server.app.spill.as_ref().map_or(0, |space| space.bytes_used());
    let help = "Disk that all queries use together for what does not fit their memory.";
    page.single("catat_query_spill_bytes", Kind::Gauge, help, spilled as f64);
    write_cache(&server.app.cache.counts(), page);
    let help = "Notifications that wait to be delivered.";
    page.single("catat_notifications_waiting", Kind::Gauge, help, server.app.alerts.n_waiting() as f64);
    let channels = server.app.alerts.channels();
    page.family("catat_channel_failing", Kind::Gauge, "Whether the last attempt to tell a channel failed.");
    for channel in &channels {
        page.sample("catat_channel_failing", &[("channel", &channel.name)], f64::from(channel.health.failing));
    }
    let help = "Events that went to the group overflow, because theirs would have been one too many.";
    page.single("catat_events_overflowed_total", Kind::Counter, help, server.app.intake.n_overflowed() as f64);
    let help = "Spans that were dropped because they had been sent before.";
    page.single("catat_spans_repeated_total", Kind::Counter, help, server.app.intake.n_spans_repeated() as f64);
    for (door, numbers) in (api.families.doors)() {
        for (name, only_grows, help, value) in numbers {
            let (kind, end) = if only_grows { (Kind::Counter, "_total") } else { (Kind::Gauge, "") };
            page.single(&format!("catat_{door}_{name}{end}"), kind, &format!("{door}: {help}"), value as f64);
        }
    }
    if let Some(proxy) = &server.app.sign_in.proxy {
        let help = "Requests with the proxy's header that did not come from the proxy; it was ignored.";
        let n_ignored = proxy.n_ignored.load(std::sync::atomic::Ordering::Relaxed);
        page.single("catat_proxy_headers_ignored_total", Kind::Counter, help, n_ignored as f64);
    }
    page.single("catat_queries_running", Kind::Gauge, "Queries under way.", n_running as f64);
}

/// The cache of what queries found.
fn write_cache(counts: &execute::CacheCounts, page: &mut Page) {
    let help = "Partial results, matches and rows of immutable runs that queries found in the cache.";
    page.single("catat_query_cache_hits_total", Kind::Counter, help, counts.n_hits as f64);
    let help = "Those that they asked for and that were not there.";
    page.single("catat_query_cache_misses_total", Kind::Counter, help, counts.n_misses as f64);
    let help = "Those that went to make room.";
    page.single("catat_query_cache_evictions_total", Kind::Counter, help, counts.n_evicted as f64);
    let help = "Bytes of what queries found, in memory.";
    page.single("catat_query_cache_bytes", Kind::Gauge, help, counts.n_bytes as f64);
    let help = "Partial results, sets of matches and sets of rows in memory.";
    page.single("catat_query_cache_entries", Kind::Gauge, help, counts.n_entries as f64);
}

fn write_store(status: &Status, page: &mut Page) {
    for (name, kind, help, value) in numbers(status) {
        let end = if kind == Kind::Counter { "_total" } else { "" };
        match name.strip_suffix("_ms") {
            // Prometheus has seconds.
            Some(name) => page.single(&format!("catat_{name}_seconds{end}"), kind, help, value as f64 / 1e3),
            None => page.single(&format!("catat_{name}{end}"), kind, help, value as f64),
        }
    }
}
