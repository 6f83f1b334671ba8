//! What the columns of ready-made panels must hold, told by the events alone.

use serde_json::Value;

use super::text;

pub(super) type Is = fn(&Value) -> bool;
type Number = fn(&Value) -> Option<f64>;

/// What a column must hold.
pub(super) enum Check {
    Count(Is),
    Sum(Number),
    /// Of the first, the second ones in percent.
    Share(Is, Is),
    /// Lies between the least and the greatest.
    Within(Number),
    Distinct(fn(&Value) -> Option<String>),
}

use Check::{Count, Distinct, Share, Sum, Within};

fn any(_: &Value) -> bool {
    true
}

fn is_error(event: &Value) -> bool {
    text(event, "level") == "error"
}

fn place(event: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| event[*name].as_str().map(str::to_owned))
}

pub(super) fn host(event: &Value) -> Option<String> {
    place(event, &["host", "hostname", "pod"])
}

pub(super) fn service(event: &Value) -> Option<String> {
    place(event, &["service.name", "service", "container"])
}

fn is_request(event: &Value) -> bool {
    event["status"].is_u64()
}

fn is_failed_request(event: &Value) -> bool {
    event["status"].as_u64() >= Some(500)
}

fn took(event: &Value) -> Option<f64> {
    event["request_time"].as_f64()
}

fn is_served(event: &Value) -> bool {
    ["server", "consumer"].contains(&text(event, "kind"))
}

fn is_called(event: &Value) -> bool {
    ["client", "producer"].contains(&text(event, "kind"))
}

fn is_failed(event: &Value) -> bool {
    text(event, "status") == "error"
}

fn of_served(event: &Value) -> Option<f64> {
    event["duration_ms"].as_f64().filter(|_| is_served(event))
}

fn of_called(event: &Value) -> Option<f64> {
    event["duration_ms"].as_f64().filter(|_| is_called(event))
}

fn is_of(what: &'static str) -> Is {
    match what {
        "report" => |event| event["what"] == "report",
        "failed report" => |event| event["what"] == "report" && event["failed"] == true,
        "cold report" => |event| event["what"] == "report" && event["cold"] == true,
        "flow" => |event| event["what"] == "flow",
        "rejected" => |event| event["action"] == "REJECT",
        "failed login" => |event| event["what"] == "failed login",
        "login" => |event| event["what"] == "login",
        "invalid" => |event| event["what"] == "invalid",
        "stopped" => |event| ["exited", "failed"].contains(&text(event, "what")),
        "started" => |event| event["what"] == "started",
        "restarted" => |event| event["what"] == "restarted",
        other => panic!("{other}"),
    }
}

type Checks = Vec<(&'static str, Check)>;

/// Returns what the columns of a panel must hold; a panel without numbers has no check.
pub(super) fn checks(section: &str, title: &str, query: &str) -> Checks {
    match (section, title) {
        // The service, if events name several, else the host.
        ("What failed", "Where it failed")
            if ["by host", "by coalesce(host", "by pod"].iter().any(|by| query.contains(by)) =>
        {
            vec![("errors", Count(|event| is_error(event) && host(event).is_some()))]
        }
        ("What failed", "Where it failed") => {
            vec![("errors", Count(|event| is_error(event) && service(event).is_some()))]
        }
        ("Overview" | "What failed" | "Lines", _) => of_lines(section, title),
        ("Requests" | "Upstreams", _) => of_requests(section, title),
        ("Requests from spans", _) => of_spans(title),
        _ => of_programs(section, title),
    }
}

fn percentiles(of: Number) -> Checks {
    vec![("p50", Within(of)), ("p95", Within(of)), ("p99", Within(of))]
}

fn of_lines(section: &str, title: &str) -> Checks {
    match (section, title) {
        ("Overview", "Lines" | "Lines by level" | "Lines by group") => vec![("lines", Count(any))],
        ("Overview", "Errors" | "Errors over time") => vec![("errors", Count(is_error))],
        ("Overview", "Warnings") => vec![("warnings", Count(|event| text(event, "level") == "warn"))],
        ("Overview", "Hosts") => vec![("n", Distinct(host))],
        ("Overview", "Services") => vec![("n", Distinct(service))],
        ("Overview", "Lines by host") => vec![("lines", Count(|event| host(event).is_some()))],
        ("Overview", "Lines by service") => vec![("lines", Count(|event| service(event).is_some()))],
        ("Overview", "Durations") => percentiles(|event| event["elapsed_ms"].as_f64()),
        ("What failed", "What failed most") => vec![("@sampleCount", Count(is_error))],
        ("Lines", "Most frequent lines") => vec![("@sampleCount", Count(any))],
        ("What failed" | "Lines", "Newest errors" | "Newest lines") => Vec::new(),
        other => panic!("no check for {other:?}"),
    }
}

fn of_requests(section: &str, title: &str) -> Checks {
    match (section, title) {
        (
            "Requests",
            "Requests" | "Requests by class of status" | "Requests by method" | "Requests by site" | "User agents",
        ) => {
            vec![("requests", Count(is_request))]
        }
        ("Requests", "Failed requests") => vec![("percent", Share(is_request, is_failed_request))],
        ("Requests", "Failed requests by status" | "Pages that failed") => vec![("requests", Count(is_failed_request))],
        ("Requests", "Pages that are missing") => vec![("requests", Count(|event| event["status"] == 404))],
        ("Requests", "Bytes sent" | "Bytes sent over time") => vec![("bytes", Sum(|event| event["bytes"].as_f64()))],
        ("Requests", "Request time, p95") => vec![("p95", Within(took))],
        ("Requests", "Request time") => percentiles(took),
        ("Requests", "Clients") => vec![("clients", Distinct(|event| place(event, &["client"])))],
        ("Requests", "Pages asked for most" | "Clients that asked most") => vec![
            ("requests", Count(is_request)),
            ("failed", Count(is_failed_request)),
            ("bytes", Sum(|event| event["bytes"].as_f64())),
            ("p95", Within(took)),
        ],
        ("Requests", "Slowest pages") => {
            let mut all = percentiles(took);
            all.push(("requests", Count(|event| is_request(event) && took(event).is_some())));
            all
        }
        ("Upstreams", "Requests by upstream") => vec![("requests", Count(is_request))],
        ("Upstreams", "Upstreams") => {
            vec![("requests", Count(is_request)), ("failed_percent", Share(is_request, is_failed_request))]
        }
        ("Upstreams", "Upstream response time") => percentiles(|event| event["upstream_response_time"].as_f64()),
        ("Upstreams", "Cache") => vec![("requests", Count(is_request))],
        other => panic!("no check for {other:?}"),
    }
}

fn of_spans(title: &str) -> Checks {
    match ("Requests from spans", title) {
        ("Requests from spans", "Requests" | "By operation") => vec![("n", Count(is_served))],
        ("Requests from spans", "Failed" | "Failed over time") => vec![("percent", Share(is_served, is_failed))],
        ("Requests from spans", "Duration, p95") => vec![("p95", Within(of_served))],
        ("Requests from spans", "Durations") => percentiles(of_served),
        ("Requests from spans", "Operations") => {
            let mut all = percentiles(of_served);
            all.extend([("n", Count(is_served)), ("failed_percent", Share(is_served, is_failed))]);
            all
        }
        ("Requests from spans", "Calls to others") => {
            let mut all = percentiles(of_called);
            all.extend([("n", Count(is_called)), ("failed_percent", Share(is_called, is_failed))]);
            all
        }
        ("Requests from spans", "What failed most in operations") => vec![("failures", Count(is_failed))],
        ("Requests from spans", "Slowest" | "Services that it talks to") => Vec::new(),
        other => panic!("no check for {other:?}"),
    }
}

fn of_programs(section: &str, title: &str) -> Checks {
    match (section, title) {
        ("Invocations", "Invocations" | "Invocations over time") => vec![("invocations", Count(is_of("report")))],
        ("Invocations", "Timeouts and errors") => vec![("invocations", Count(is_of("failed report")))],
        ("Invocations", "Failed invocations") => vec![("percent", Share(is_of("report"), is_of("failed report")))],
        ("Invocations", "Cold starts") => vec![("percent", Share(is_of("report"), is_of("cold report")))],
        ("Invocations", "Billed") => vec![("seconds", Sum(|event| event["took"].as_f64().map(|ms| ms / 1e3)))],
        ("Invocations", "Duration, p95") => vec![("p95", Within(|event| event["took"].as_f64()))],
        ("Invocations", "Durations") => percentiles(|event| event["took"].as_f64()),
        ("Invocations", "Functions") => vec![("invocations", Count(is_of("report")))],
        ("Invocations", "Memory" | "Longest invocations") => Vec::new(),
        ("Flows", "Flows" | "Flows by decision") => vec![("flows", Count(is_of("flow")))],
        ("Flows", "Traffic" | "Traffic by decision") => vec![("bytes", Sum(|event| event["bytes"].as_f64()))],
        ("Flows", "Rejected flows" | "Rejected most" | "Ports of rejected flows") => {
            vec![("flows", Count(is_of("rejected")))]
        }
        ("Flows", _) => vec![("bytes", Sum(|event| event["bytes"].as_f64())), ("flows", Count(is_of("flow")))],
        ("Logins by SSH", "Logins" | "Logins over time") => vec![("logins", Count(is_of("login")))],
        ("Logins by SSH", "Failed attempts" | "Failed attempts over time") => {
            vec![("attempts", Count(is_of("failed login")))]
        }
        ("Logins by SSH", "Addresses that failed") => {
            vec![(
                "addresses",
                Distinct(|event| place(event, &["address"]).filter(|_| event["what"] == "failed login")),
            )]
        }
        ("Logins by SSH", "Unknown users") => vec![("attempts", Count(is_of("invalid")))],
        ("Logins by SSH", "Unknown users that were tried most") => vec![("n", Count(is_of("invalid")))],
        ("Logins by SSH", "Who came in") => vec![("n", Count(is_of("login")))],
        ("Logins by SSH", _) => vec![("n", Count(is_of("failed login")))],
        ("Units", "Units that failed") => vec![("n", Count(is_of("stopped")))],
        ("Units", "Units that were restarted") => vec![("restarts", Count(is_of("restarted")))],
        ("Units", "Started and stopped most often" | "Starts and stops over time") => {
            vec![("n", Count(is_of("started")))]
        }
        ("Kubernetes", "Pods") => vec![("pods", Distinct(|event| place(event, &["pod"])))],
        ("Kubernetes", "Errors by pod") => vec![("errors", Count(is_error))],
        ("Kubernetes", "Lines on standard error") => vec![("lines", Count(|event| event["stream"] == "stderr"))],
        ("Kubernetes", _) => vec![("lines", Count(any))],
        ("PostgreSQL", "Deadlocks") => vec![("n", Count(|event| event["what"] == "deadlock"))],
        ("PostgreSQL", "Checkpoints") => vec![("n", Count(|event| event["what"] == "checkpoint"))],
        ("PostgreSQL", "Lines by severity") => vec![("lines", Count(any))],
        ("PostgreSQL", "Errors by database" | "Errors by user") => vec![("errors", Count(is_error))],
        ("PostgreSQL", "Durations of statements") => vec![("p95", Within(|event| event["took"].as_f64()))],
        ("PostgreSQL", "Slowest statements") => Vec::new(),
        other => panic!("no check for {other:?}"),
    }
}
