//! Units and kinds in names, and characters of labels.

use super::*;

#[test]
fn names_say_unit_and_kind_once() {
    let check = |name: &str, unit: &str, kind: Kind, expected: &str| {
        assert_eq!(metric_name(name, unit, kind).as_deref().unwrap_or("-"), expected, "{name} {unit}");
    };
    check("http.server.request.duration", "s", Kind::Histogram, "http_server_request_duration_seconds");
    check("process.cpu.time", "s", Kind::Counter, "process_cpu_time_seconds_total");
    check("requests_total", "{request}", Kind::Counter, "requests_total");
    check("total.requests", "1", Kind::Counter, "requests_total");
    check("memory.usage", "By", Kind::UpDownCounter, "memory_usage_bytes");
    check("disk_usage_bytes", "By", Kind::Gauge, "disk_usage_bytes");
    check("cpu.utilization", "1", Kind::Gauge, "cpu_utilization_ratio");
    check("load", "%", Kind::Gauge, "load_percent");
    check("network.speed", "By/s", Kind::Gauge, "network_speed_bytes_per_second");
    check("hits", "{hit}/m", Kind::Gauge, "hits_per_minute");
    check("a..b--c", "", Kind::Gauge, "a_b_c");
    check("2xx", "", Kind::Gauge, "_2xx");
    check("depth", "furlong", Kind::Gauge, "depth_furlong");
    check("job:rate", "", Kind::Gauge, "job:rate");
    check("x", "mm[Hg]", Kind::Gauge, "x_mm_Hg_");
    check("x", "[degF]", Kind::Counter, "x_degF__total");
    check("x", "m²", Kind::UpDownCounter, "x_m_");
    check("x", "m²/s²", Kind::Gauge, "x_m_per_s");
    check("x", "²", Kind::Gauge, "x");
    check("höhe", "m", Kind::Gauge, "h_he_meters");
    check("...", "", Kind::Summary, "-");
}

#[test]
fn labels_keep_what_prometheus_allows() {
    let check = |attribute: &str, expected: Option<&str>| {
        assert_eq!(label_name(attribute).ok().as_deref(), expected, "{attribute}");
    };
    check("http.request.method", Some("http_request_method"));
    check("2xx", Some("key_2xx"));
    check("_private", Some("key_private"));
    check("__reserved__", Some("__reserved__"));
    check("a..b", Some("a__b"));
    check("größe", Some("gr__e"));
    check("_", Some("key_"));
    check("é", Some("key_"));
    check("...", None);
    check("__", None);
    check("имя", None);
    check("", None);
    let refusal = label_name("имя").expect_err("a refusal");
    assert_eq!(refusal, "the name of attribute \"имя\" has no ASCII letter or digit, which a label needs");
}
