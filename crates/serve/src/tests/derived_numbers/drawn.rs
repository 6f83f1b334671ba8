//! Events of every kind for which there is a ready-made dashboard, drawn at random.

use serde_json::{Value, json};

use super::text;

/// Events are of the two hours before the clock of tests.
const FROM: i64 = 1_795_168_800;
const SECONDS: u64 = 7_000;

/// What is drawn of an event: the names by which checks know it, and the line that is sent.
pub(super) struct Drawn {
    pub(super) at: i64,
    pub(super) group: &'static str,
    pub(super) facts: Value,
    pub(super) line: String,
}

/// Draws numbers below a bound; the same seed draws the same.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn at(&mut self) -> i64 {
        FROM + self.below(SECONDS) as i64
    }
}

/// Draws events of every kind that is recognised by its lines.
pub(super) fn drawn(seed: u64) -> Vec<Drawn> {
    let mut draw = Draw(seed);
    let mut all = Vec::new();
    for _ in 0..400 {
        let (at, kind) = (draw.at(), draw.below(8));
        let (group, facts) = match kind {
            0 | 1 => ("web/access", request(&mut draw)),
            2 | 3 => (draw.pick(&["traces/pay", "traces/cart"]), span(&mut draw)),
            4 => ("kubernetes/shop", pod(&mut draw)),
            _ => (draw.pick(&["app/a", "app/b"]), line(&mut draw)),
        };
        let mut sent = facts.clone();
        sent["@timestamp"] = types::Timestamp(at * types::Timestamp::SECOND).to_string().into();
        if group.starts_with("traces/") {
            sent["service"] = group.trim_start_matches("traces/").into();
            let id = format!("{:016x}", all.len() + 1);
            (sent["span_id"], sent["trace_id"]) = (id.clone().into(), format!("{id}{id}").into());
        }
        let facts = if group.starts_with("traces/") { sent.clone() } else { facts };
        all.push(Drawn { at, group, facts, line: sent.to_string() });
    }
    for _ in 0..120 {
        let (drawn_at, (group, facts, rest)) = (draw.at(), as_text(&mut draw));
        // Reports have no time; theirs is that of their arrival.
        let at = if group.starts_with("aws/") { FROM + 7_200 } else { drawn_at };
        let time = types::Timestamp(at * types::Timestamp::SECOND).to_string();
        let line = match group {
            "auth.log" => format!("Nov 20 {} web-1 {rest}", &time[11..19]),
            "postgresql" => format!("2026-11-20 {}.000 UTC {rest}", &time[11..19]),
            "vpc/flows" => format!("2 123456789010 {rest} {at} {at} {} OK", text(&facts, "action")),
            _ => rest,
        };
        all.push(Drawn { at, group, facts, line });
    }
    all
}

fn request(draw: &mut Draw) -> Value {
    let status = draw.pick(&[200, 200, 204, 301, 404, 500, 503]);
    let level = if status >= 500 { "error" } else { "info" };
    let mut event = json!({"message": "a request", "level": level, "status": status, "path": format!("/p{}", draw.below(14)),
        "method": draw.pick(&["GET", "POST"]), "client": format!("192.0.2.{}", draw.below(20)), "bytes": draw.below(900) + 1,
        "server_name": format!("site-{}", draw.below(14)), "upstream_addr": format!("10.0.0.{}:80", draw.below(3)),
        "upstream_cache_status": draw.pick(&["HIT", "MISS"]), "user_agent": draw.pick(&["curl", "wget"])});
    if draw.below(4) > 0 {
        (event["request_time"], event["upstream_response_time"]) = (json!(draw.below(900) as f64 / 1e3), json!(0.25));
    }
    event
}

fn span(draw: &mut Draw) -> Value {
    let kind = draw.pick(&["server", "server", "client", "internal"]);
    let status = draw.pick(&["ok", "ok", "ok", "unset", "error"]);
    json!({"@type": "span", "message": "a span", "kind": kind, "status": status, "level": if status == "error" { "error" } else { "info" },
        "name": draw.pick(&["GET /a", "GET /b", "SELECT"]), "duration_ms": draw.below(500) as f64 / 4.0, "status_message": "no"})
}

fn pod(draw: &mut Draw) -> Value {
    json!({"message": "a line of a container", "level": draw.pick(&["info", "error"]), "namespace": "shop", "pod": format!("web-{}", draw.below(3)),
        "container": draw.pick(&["web", "proxy"]), "stream": draw.pick(&["stdout", "stderr"])})
}

/// Draws a line whose sender calls host and service by names of its own, or not at all.
fn line(draw: &mut Draw) -> Value {
    let mut event = json!({"message": "a line", "level": draw.pick(&["info", "info", "warn", "error"]), "elapsed_ms": draw.below(90)});
    let (host, service) = (format!("host-{}", draw.below(3)), format!("svc-{}", draw.below(3)));
    if let name @ ("host" | "hostname") = draw.pick(&["host", "hostname", ""]) {
        event[name] = host.into();
    }
    if let name @ ("service" | "service.name") = draw.pick(&["service", "service.name", ""]) {
        event[name] = service.into();
    }
    event
}

/// Draws a line of a program that is recognised by its text, without its time.
fn as_text(draw: &mut Draw) -> (&'static str, Value, String) {
    let n = draw.below(4);
    let ms = draw.below(3_000) + 1;
    match draw.below(6) {
        0 => {
            let (failed, cold) = (n == 0, n == 1);
            let id = format!("8f5c3d2a-1b2c-4d5e-9f00-{:012x}", ms);
            let more = match n {
                0 => "\tStatus: timeout",
                1 => "\tInit Duration: 210.5 ms\t",
                _ => "\t",
            };
            let line = format!(
                "REPORT RequestId: {id}\tDuration: {ms}.00 ms\tBilled Duration: {ms} ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB{more}"
            );
            let level = if failed { "error" } else { "info" };
            (
                "aws/lambda/pay",
                json!({"what": "report", "failed": failed, "cold": cold, "took": ms, "level": level}),
                line,
            )
        }
        1 => {
            let action = draw.pick(&["ACCEPT", "REJECT"]);
            let line = format!("eni-{n} 192.0.2.{n} 198.51.100.2 49152 443 6 10 {ms}");
            ("vpc/flows", json!({"what": "flow", "action": action, "bytes": ms}), line)
        }
        2 => {
            let address = format!("192.0.2.{n}");
            let (what, line) = match n {
                0 => ("login", format!("sshd[4712]: Accepted publickey for ann from {address} port 50023 ssh2")),
                1 => ("invalid", format!("sshd[4711]: Invalid user tea from {address} port 50022")),
                _ => ("failed login", format!("sshd[4711]: Failed password for root from {address} port 50022 ssh2")),
            };
            ("auth.log", json!({"what": what, "address": address, "service": "sshd"}), line)
        }
        3 => {
            let (what, line) = match n {
                0 => ("started", "systemd[1]: Started shop.service - The shop."),
                1 => ("exited", "systemd[1]: shop.service: Main process exited, code=exited, status=1/FAILURE"),
                2 => ("failed", "systemd[1]: shop.service: Failed with result 'exit-code'."),
                _ => ("restarted", "systemd[1]: shop.service: Scheduled restart job, restart counter is at 1."),
            };
            let level = if ["exited", "failed"].contains(&what) { "error" } else { "info" };
            ("auth.log", json!({"what": what, "service": "systemd", "level": level}), line.to_owned())
        }
        4 | 5 => {
            let (what, level, line) = match n {
                0 => ("checkpoint", "info", "[77] LOG:  checkpoint complete: wrote 5 buffers".to_owned()),
                1 => ("deadlock", "error", "[78] bob@shop ERROR:  deadlock detected at character 15".to_owned()),
                _ => ("statement", "info", format!("[78] bob@shop LOG:  duration: {ms}.500 ms  statement: select 1")),
            };
            let took = (what == "statement").then_some(ms as f64 + 0.5);
            ("postgresql", json!({"what": what, "level": level, "took": took}), line)
        }
        other => panic!("{other}"),
    }
}
