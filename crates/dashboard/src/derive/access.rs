//! Access logs of nginx, Apache, HAProxy, Caddy, Traefik and others: the numbers that nginx's traffic status module has, of
//! requests, responses by class, bytes, times, caches and upstreams, and what only lines tell: pages, clients, agents.

use super::board::{Board, lines, present};
use super::facts::EventFacts;
use super::insights::{count_if, field, percent_if, percentiles};
use crate::document::PanelKind;

/// Names of what a request has, of which the first present is taken.
const STATUS: [&str; 8] = [
    "status",
    "status_code",
    "http_status",
    "response_status",
    "http.status_code",
    "http.response.status_code",
    "DownstreamStatus",
    "response_code",
];
const PATH: [&str; 11] = [
    "path", "uri", "request_uri", "request.uri", "url", "url.path", "http.target", "RequestPath", "request",
    "http.url", "route",
];
const CLIENT: [&str; 9] = [
    "client", "remote_addr", "client_ip", "remote_ip", "request.remote_ip", "request.client_ip", "ClientHost",
    "clientip", "client.address",
];
const BYTES: [&str; 8] = [
    "bytes",
    "body_bytes_sent",
    "bytes_sent",
    "size",
    "response_size",
    "DownstreamContentSize",
    "http.response.body.size",
    "response_bytes",
];
const AGENT: [&str; 5] =
    ["user_agent", "http_user_agent", "agent", "user_agent.original", "request.headers.User-Agent.0"];
const VHOST: [&str; 5] = ["vhost", "server_name", "request.host", "RequestHost", "http_host"];
const METHOD: [&str; 6] =
    ["method", "request_method", "request.method", "RequestMethod", "http.method", "http.request.method"];
/// Names of times, with their units.
const TIME: [(&str, &str); 10] = [
    ("took", "s"),
    ("request_time", "s"),
    ("duration_ms", "ms"),
    ("latency_ms", "ms"),
    ("response_time_ms", "ms"),
    ("elapsed_ms", "ms"),
    ("ms", "ms"),
    ("duration", "s"),
    ("Duration", "ns"),
    ("latency", "s"),
];
const UPSTREAM: [&str; 5] = ["upstream_addr", "upstream", "backend", "ServiceName", "upstream_host"];
const UPSTREAM_TIME: [(&str, &str); 3] =
    [("upstream_response_time", "s"), ("upstream_time", "s"), ("upstream_ms", "ms")];
const CACHE: [&str; 3] = ["upstream_cache_status", "cache_status", "cache"];

/// Where the combined format has the name of the client's program: the last text in quotes.
const AGENT_IN_LINE: &str = r#"/" \d{3} \S+ "[^"]*" "(?<agent>[^"-][^"]*)"/"#;
const AGENT_IN_LINE_IS_THERE: &str = r#"@message like /" \d{3} \S+ "[^"]*" "[^"-][^"]*"/"#;

/// The fields that tell of a request how it ended and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFields {
    /// The status, as it is written in queries.
    pub status: String,
    /// The time, as it is written in queries, and how many milliseconds its unit has.
    pub time: Option<(String, f64)>,
}

/// Returns the fields of requests, where log lines are those of requests.
pub fn request_fields(facts: &EventFacts) -> Option<RequestFields> {
    let status = facts.first_of(&STATUS).filter(|_| is_recognised(facts)).map(field)?;
    let time = time(facts).map(|(name, unit)| {
        let ms = match unit {
            "s" => 1e3,
            "ns" => 1e-6,
            _ => 1.0,
        };
        (name, ms)
    });
    Some(RequestFields { status, time })
}

/// Reports whether events have what requests have.
pub(super) fn is_recognised(facts: &EventFacts) -> bool {
    facts.first_of(&STATUS).is_some() && (facts.first_of(&PATH).is_some() || facts.first_of(&METHOD).is_some())
}

pub(super) fn add(board: &mut Board<'_>) {
    let facts = board.lines();
    let Some(status) = facts.first_of(&STATUS).filter(|_| is_recognised(facts)) else { return };
    board.section("Requests");
    let status = field(status);
    let requests = format!("{status} between 100 and 599");
    let request =
        Requests { status: &status, condition: &requests, bytes: facts.first_of(&BYTES).map(field), time: time(facts) };
    add_numbers(board, &request);
    add_courses(board, &request);
    add_tables(board, &request);
    add_upstreams(board, &request);
}

/// What requests are told by.
struct Requests<'r> {
    status: &'r str,
    /// The condition that a line is one of a request.
    condition: &'r str,
    bytes: Option<String>,
    /// The time that it took, and the unit.
    time: Option<(String, &'static str)>,
}

/// Returns the field with the time of a request. HAProxy's is in ms, and its lines name a frontend.
fn time(facts: &EventFacts) -> Option<(String, &'static str)> {
    let (name, unit) = TIME.into_iter().find(|(name, _)| facts.has(name))?;
    let unit = if name == "took" && facts.has("frontend") { "ms" } else { unit };
    Some((field(name), unit))
}

fn add_numbers(board: &mut Board<'_>, request: &Requests<'_>) {
    let Requests { status, condition, bytes, time } = request;
    board.add(lines(PanelKind::Number, "Requests", condition, "stats count(*) as requests").unit("count"));
    let failed = format!("stats {} as percent", percent_if(&format!("{status} >= 500")));
    board.add(lines(PanelKind::Number, "Failed requests", condition, failed).unit("percent").grades(1.0, 5.0));
    if let Some(bytes) = bytes {
        let query = format!("stats sum({bytes}) as bytes");
        board.add(lines(PanelKind::Number, "Bytes sent", &format!("{condition} and {bytes} > 0"), query).unit("bytes"));
    }
    if let Some((time, unit)) = time {
        let query = format!("stats pct({time}, 95) as p95");
        board.add(
            lines(PanelKind::Number, "Request time, p95", &format!("{condition} and {time} >= 0"), query).unit(unit),
        );
    }
    if let Some(client) = board.lines().first_of(&CLIENT) {
        let query = format!("stats count_distinct({}) as clients", field(client));
        let condition = format!("{condition} and {}", present(client));
        board.add(lines(PanelKind::Number, "Clients", &condition, query).unit("count"));
    }
}

fn add_courses(board: &mut Board<'_>, request: &Requests<'_>) {
    let Requests { status, condition, bytes, time } = request;
    let by_class = format!(
        "stats count(*) as requests by bin($__interval), concat(substr(tostring({status}), 0, 1), \"xx\") as class"
    );
    board.add(lines(PanelKind::Area, "Requests by class of status", condition, by_class).unit("count").stacked());
    let failed = format!("{condition} and {status} >= 500");
    let by_status = format!("stats count(*) as requests by bin($__interval), {status} as status");
    board.add(lines(PanelKind::Bar, "Failed requests by status", &failed, by_status).unit("count").stacked());
    if let Some(bytes) = bytes {
        let query = format!("stats sum({bytes}) as bytes by bin($__interval)");
        let condition = format!("{condition} and {bytes} > 0");
        board.add(lines(PanelKind::Area, "Bytes sent over time", &condition, query).unit("bytes").without_legend());
    }
    if let Some((time, unit)) = time {
        let query = format!("stats {} by bin($__interval)", percentiles(time));
        board.add(lines(PanelKind::Line, "Request time", &format!("{condition} and {time} >= 0"), query).unit(unit));
    }
    for (title, names) in [("Requests by method", &METHOD[..]), ("Requests by site", &VHOST[..])] {
        if let Some(name) = board.lines().first_of(names) {
            let query = format!("stats count(*) as requests by {} as name | sort requests desc", field(name));
            let condition = format!("{condition} and {}", present(name));
            board.add(lines(PanelKind::Pie, title, &condition, query).unit("count"));
        }
    }
}

fn add_tables(board: &mut Board<'_>, request: &Requests<'_>) {
    let Requests { status, condition, bytes, time } = request;
    let mut numbers = format!("count(*) as requests, {} as failed", count_if(&format!("{status} >= 500")));
    if let Some(bytes) = bytes {
        numbers += &format!(", sum({bytes}) as bytes");
    }
    if let Some((time, _)) = time {
        numbers += &format!(", pct({time}, 95) as p95");
    }
    let facts = board.lines();
    if let Some(path) = facts.first_of(&PATH) {
        let (page, is_there) = (format!("regexp_replace({}, \"[?].*$\", \"\") as page", field(path)), present(path));
        let query = format!("stats {numbers} by {page} | sort requests desc | limit 10");
        board.add(lines(PanelKind::Table, "Pages asked for most", &format!("{condition} and {is_there}"), query));
        if let Some((time, _)) = time {
            let query =
                format!("stats count(*) as requests, {} by {page} | sort p95 desc | limit 10", percentiles(time));
            board.add(lines(
                PanelKind::Table,
                "Slowest pages",
                &format!("{condition} and {time} >= 0 and {is_there}"),
                query,
            ));
        }
        for (title, which) in [("Pages that failed", ">= 500"), ("Pages that are missing", "= 404")] {
            let query =
                format!("stats count(*) as requests by {page}, {status} as status | sort requests desc | limit 10");
            board.add(lines(PanelKind::Table, title, &format!("{status} {which} and {is_there}"), query));
        }
    }
    if let Some(client) = facts.first_of(&CLIENT) {
        let query = format!("stats {numbers} by {} as client | sort requests desc | limit 10", field(client));
        board.add(lines(
            PanelKind::Table,
            "Clients that asked most",
            &format!("{condition} and {}", present(client)),
            query,
        ));
    }
    match facts.first_of(&AGENT) {
        Some(agent) => {
            let query =
                format!("stats count(*) as requests by {} as agent | sort requests desc | limit 10", field(agent));
            board.add(lines(PanelKind::Table, "User agents", &format!("{condition} and {}", present(agent)), query));
        }
        None => {
            let query = format!(
                "parse @message {AGENT_IN_LINE} | stats count(*) as requests by agent | sort requests desc | limit 10"
            );
            board.add(lines(
                PanelKind::Table,
                "User agents",
                &format!("{condition} and {AGENT_IN_LINE_IS_THERE}"),
                query,
            ));
        }
    }
}

fn add_upstreams(board: &mut Board<'_>, request: &Requests<'_>) {
    let Requests { status, condition, .. } = request;
    let facts = board.lines();
    board.section("Upstreams");
    let time = UPSTREAM_TIME.into_iter().find(|(name, _)| facts.has(name));
    if let Some(upstream) = facts.first_of(&UPSTREAM) {
        let is_there = format!("{condition} and {}", present(upstream));
        let name = field(upstream);
        let failed = percent_if(&format!("{status} >= 500"));
        let query = format!("stats count(*) as requests by bin($__interval), {name} as upstream");
        board.add(lines(PanelKind::Area, "Requests by upstream", &is_there, query).unit("count").stacked());
        let time = time.map(|(name, _)| format!(", pct({name}, 95) as p95")).unwrap_or_default();
        let query = format!(
            "stats count(*) as requests, {failed} as failed_percent{time} by {name} as upstream | sort requests desc | limit 20"
        );
        board.add(lines(PanelKind::Table, "Upstreams", &is_there, query));
    }
    if let Some((name, unit)) = time {
        let query = format!("stats {} by bin($__interval)", percentiles(name));
        board.add(
            lines(PanelKind::Line, "Upstream response time", &format!("{condition} and {name} >= 0"), query).unit(unit),
        );
    }
    if let Some(cache) = facts.first_of(&CACHE) {
        let query = format!("stats count(*) as requests by {} as answer | sort requests desc", field(cache));
        board.add(lines(PanelKind::Pie, "Cache", &format!("{condition} and {}", present(cache)), query).unit("count"));
    }
}
