//! Ready-made dashboards of the kinds that are recognised.

use std::collections::BTreeSet;

use types::{Locale, Timestamp};

use super::*;
use crate::document::PanelKind;

/// Facts in which every condition is met.
fn facts(subject: &str, group: &str, fields: &str, metrics: &str) -> Facts {
    let fields: Vec<FieldFacts> =
        fields.split_whitespace().map(|name| FieldFacts { name: name.to_owned(), n_distinct: Some(3) }).collect();
    let of = |is_own: bool| EventFacts {
        groups: if is_own { vec![group.to_owned()] } else { Vec::new() },
        n_events: if is_own { 10 } else { 0 },
        fields: if is_own { fields.clone() } else { Vec::new() },
        found: BTreeSet::new(),
    };
    let subject = Subject::parse(subject).expect("a subject");
    let names: BTreeSet<String> = metrics.split_whitespace().map(str::to_owned).collect();
    let label = (!names.is_empty()).then(|| subject.labels().first().map(|label| (*label).to_owned())).flatten();
    let groups = if names.is_empty() { Vec::new() } else { vec!["metrics/node".to_owned()] };
    let samples = SampleFacts { groups, names, label, found: BTreeSet::new() };
    let is_spans = group.starts_with("traces/");
    let mut facts = Facts { subject, lines: of(!is_spans && !fields.is_empty()), spans: of(is_spans), samples };
    facts.lines.found = conditions(&facts, Part::Lines);
    facts.spans.found = conditions(&facts, Part::Spans);
    facts.samples.found = conditions(&facts, Part::Samples);
    facts
}

const ALL_METRICS: &str = "node_cpu_seconds_total node_load1 node_load5 node_load15 node_memory_MemAvailable_bytes \
    node_memory_MemTotal_bytes node_memory_SwapTotal_bytes node_memory_SwapFree_bytes node_filesystem_avail_bytes \
    node_filesystem_size_bytes node_disk_read_bytes_total node_disk_written_bytes_total node_disk_io_time_seconds_total \
    node_network_receive_bytes_total node_network_transmit_bytes_total node_network_receive_errs_total \
    node_network_transmit_errs_total node_pressure_cpu_waiting_seconds_total node_pressure_io_waiting_seconds_total \
    node_filefd_allocated node_procs_running node_boot_time_seconds nginx_vts_main_connections \
    nginx_vts_server_requests_total nginx_vts_server_bytes_total nginx_vts_server_request_seconds \
    nginx_vts_server_cache_total nginx_vts_upstream_requests_total nginx_vts_upstream_response_seconds \
    nginx_vts_upstream_bytes_total catat_http_requests_total catat_http_request_seconds_total catat_queries_total \
    catat_queries_running catat_query_memory_bytes catat_query_spill_bytes catat_query_cache_bytes \
    catat_query_cache_hits_total catat_notifications_waiting catat_channel_failing catat_events_overflowed_total \
    catat_start_time_seconds http_requests_total http_seconds_bucket http_seconds_sum http_seconds_count queue_length";

/// Each kind: what is recognised by these fields, and the sections that follow.
const KINDS: [(&str, &str, &str, &str, &str); 14] = [
    ("group:shop", "shop", "@level @message", "", "Overview, What failed, Lines"),
    ("group:app", "app", "level service host duration_ms", "", "Overview, What failed, Lines"),
    (
        "group:web/access",
        "web/access",
        "status path method client bytes took vhost upstream_addr upstream_response_time upstream_cache_status user_agent",
        "",
        "Overview, Requests, Upstreams, What failed, Lines",
    ),
    (
        "group:lb",
        "lb",
        "status path method client bytes took frontend backend server",
        "",
        "Overview, Requests, Upstreams, What failed, Lines",
    ),
    ("group:auth.log", "auth.log", "appname hostname", "", "Overview, Logins by SSH, Units, What failed, Lines"),
    (
        "group:journal",
        "journal",
        "_SYSTEMD_UNIT SYSLOG_IDENTIFIER",
        "",
        "Overview, Logins by SSH, Units, What failed, Lines",
    ),
    ("group:pg", "pg", "pid database user", "", "Overview, PostgreSQL, What failed, Lines"),
    (
        "group:kubernetes/shop/web",
        "kubernetes/shop/web",
        "namespace pod container stream",
        "",
        "Overview, Kubernetes, What failed, Lines",
    ),
    (
        "group:flows",
        "flows",
        "srcAddr dstAddr dstPort action bytes packets interfaceId",
        "",
        "Overview, Flows, What failed, Lines",
    ),
    (
        "group:/aws/lambda/pay",
        "/aws/lambda/pay",
        "@type @duration @billedDuration @maxMemoryUsed @memorySize @initDuration @requestId",
        "",
        "Overview, Invocations, What failed, Lines",
    ),
    ("service:pay", "traces/pay", "name kind status status_message duration_ms trace_id", "", "Requests from spans"),
    ("group:catat/audit", "catat/audit", "action caller address", "", "Overview, Audit log, What failed, Lines"),
    ("group:metrics/node", "metrics/node", "", ALL_METRICS, "Machine, nginx, catat, Metrics"),
    ("host:web-1", "", "", ALL_METRICS, "Machine, nginx, catat"),
];

#[test]
fn each_kind_is_recognised_and_its_document_is_right() {
    for (subject, group, fields, metrics, expected) in KINDS {
        let board = derive(&facts(subject, group, fields, metrics)).expect(subject);
        crate::check(&board, Timestamp(0)).unwrap_or_else(|mistake| panic!("{subject}: {mistake}"));
        let mut sections: Vec<&str> = board.panels.iter().filter_map(|panel| panel.section.as_deref()).collect();
        sections.dedup();
        assert_eq!(sections.join(", "), expected, "{subject}");
    }
}

#[test]
fn every_title_but_names_of_metrics_has_its_indonesian() {
    for (subject, group, fields, metrics, _) in KINDS {
        let board = derive(&facts(subject, group, fields, metrics)).expect(subject);
        // Names of programs and of metrics are the same in both languages.
        let is_name = |title: &str| {
            ["nginx", "catat"].contains(&title)
                || metrics.split_whitespace().any(|name| title.starts_with(name.trim_end_matches("_bucket")))
        };
        for panel in &board.panels {
            for title in panel.section.iter().chain([&panel.title]) {
                assert!(super::indonesian::translation(title).is_some() || is_name(title), "{subject}: {title}");
            }
        }
        let translated = in_language(board.clone(), Locale::Indonesian);
        assert_ne!((&translated.description, &translated.panels), (&board.description, &board.panels), "{subject}");
        assert_eq!(in_language(board.clone(), Locale::English), board);
    }
    let board = derive(&facts("group:shop", "shop", "@level @message", "")).expect("a dashboard");
    let board = in_language(board, Locale::Indonesian);
    assert_eq!((&*board.title, &*board.panels[0].title), ("Grup shop", "Baris"));
}

#[test]
fn a_panel_whose_condition_no_event_meets_is_left_out() {
    let mut facts = facts("group:auth.log", "auth.log", "appname", "");
    let titles = |facts: &Facts| {
        let panels = derive(facts).map(|board| board.panels).unwrap_or_default();
        panels.into_iter().map(|panel| panel.title).collect::<Vec<_>>()
    };
    assert!(titles(&facts).contains(&"Failed attempts".to_owned()));
    facts.lines.found.retain(|condition| !condition.contains("Failed"));
    assert!(!titles(&facts).contains(&"Failed attempts".to_owned()));
    assert!(titles(&facts).contains(&"Logins".to_owned()));
    facts.lines.found.clear();
    assert_eq!(titles(&facts), ["Lines", "Lines by level", "Most frequent lines", "Newest lines"]);
    facts.lines.n_events = 0;
    assert_eq!(derive(&facts), None);
}

#[test]
fn spans_of_jobs_that_nobody_calls_are_shown_as_well() {
    let mut facts = facts("service:nightly", "traces/nightly", "name kind status duration_ms", "");
    facts.spans.found.clear();
    let panels = derive(&facts).expect("panels").panels;
    let titles: Vec<&str> = panels.iter().map(|panel| &*panel.title).collect();
    assert_eq!(titles, ["Spans", "Failed", "Duration, p95", "By operation", "Durations", "Operations", "Slowest"]);
}

#[test]
fn panels_fill_their_rows_and_do_not_overlap() {
    for (subject, group, fields, metrics, _) in KINDS {
        let panels = derive(&facts(subject, group, fields, metrics)).expect(subject).panels;
        for (at, one) in panels.iter().enumerate() {
            for other in &panels[at + 1..] {
                let is_apart = one.x + one.w <= other.x
                    || other.x + other.w <= one.x
                    || one.y + one.h <= other.y
                    || other.y + other.h <= one.y;
                assert!(is_apart, "{subject}: {} and {}", one.title, other.title);
            }
        }
        let ys: BTreeSet<u32> = panels.iter().map(|panel| panel.y).collect();
        for y in ys {
            let width: u32 = panels.iter().filter(|panel| panel.y == y).map(|panel| panel.w).sum();
            assert_eq!(width, 24, "{subject}: row {y}");
        }
    }
}

#[test]
fn names_are_quoted_in_queries() {
    let mut facts = facts("service:a\"b\\c", "traces/x", "name kind status duration_ms", "");
    let queries = |facts: &Facts| derive(facts).expect("panels").panels[0].queries[0].query.clone();
    assert!(queries(&facts).contains(r#"service = "a\"b\\c""#), "{}", queries(&facts));
    facts.subject = Subject::parse("host:web.1").expect("a subject");
    assert_eq!(facts.subject.sample_condition("instance"), r"instance like /^web\.1(:[0-9]+)?$/");
    assert_eq!(Subject::parse("group:"), None);
    assert_eq!(Subject::parse("shop"), None);
}

#[test]
fn a_host_s_series_are_selected_by_its_label() {
    let panels = derive(&facts("host:web-1", "", "", "node_load1 node_cpu_seconds_total")).expect("panels").panels;
    let queries: Vec<&str> = panels.iter().flat_map(|panel| &panel.queries).map(|query| &*query.query).collect();
    assert!(queries.contains(&r#"max(node_load1{instance=~"web\\-1(:[0-9]+)?"})"#), "{queries:?}");
    assert!(queries.iter().any(|query| query.contains(r#"(:[0-9]+)?",  mode="idle"}"#)), "{queries:?}");
    assert_eq!(panels.iter().filter(|panel| panel.kind == PanelKind::Number).count(), 2);
}
