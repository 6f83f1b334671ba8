//! Dashboards that nobody has to make: lines and samples of each kind go in, the dashboard is opened, and every panel has rows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::remote_write::{ONE, START, series, write};
use super::{ADMIN_KEY, House, encoded};

impl House {
    async fn send_lines(&self, group: &str, lines: &[&str]) {
        let uri = format!("/api/v1/ingest?group={}&format=text", encoded(group));
        let reply = self.post(&uri, lines.join("\n") + "\n").await;
        assert_eq!(reply.status, 200, "{group}: {}", reply.text());
    }

    /// Opens a dashboard and asks what each of its panels asks; returns the titles by section.
    async fn opened(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let reply = self.get(&format!("/api/v1/dashboards/{}", encoded(name))).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        let board = reply.json();
        assert_eq!((&board["source"], &board["own"], &board["name"]), (&json!("derived"), &json!(false), &json!(name)));
        let (mut titles, mut wrong) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
        for panel in board["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().unwrap_or_default().to_owned();
            for query in panel["queries"].as_array().into_iter().flatten() {
                wrong.extend(self.fault(query).await.map(|fault| format!("{title}: {query}: {fault}")));
            }
            titles.entry(panel["section"].as_str().unwrap_or_default().to_owned()).or_default().push(title);
        }
        assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
        titles
    }

    /// Asks a query of a panel; returns the answer if it has no rows, or a row without any value.
    async fn fault(&self, query: &Value) -> Option<String> {
        let mut body = query.clone();
        let members = body.as_object_mut().expect("an object");
        members.retain(|key, _| ["query", "language", "groups"].contains(&key.as_str()));
        members.insert("from".into(), "now-24h".into());
        members.insert("variables".into(), json!({}));
        if query["language"] == "promql" {
            members.insert("from".into(), "now-1h".into());
            members.insert("step".into(), "30s".into());
        }
        let reply = self.post("/api/v1/query", body.to_string()).await;
        let answer = if reply.status == 200 { reply.json() } else { Value::Null };
        let rows = answer["rows"].as_array().cloned().unwrap_or_default();
        let is_empty = |row: &Value| row.as_array().is_none_or(|cells| cells.iter().all(Value::is_null));
        (rows.is_empty() || rows.iter().any(is_empty)).then(|| reply.text())
    }
}

fn titles(opened: &BTreeMap<String, Vec<String>>, section: &str) -> String {
    opened.get(section).map(|titles| titles.join("; ")).unwrap_or_default()
}

#[tokio::test]
async fn any_log_has_its_levels_and_what_failed() {
    let house = House::new();
    house.fill().await;
    let web = house.opened("group:web/access").await;
    let overview = "Lines; Errors; Services; Lines by level; Errors over time; Lines by service; Durations";
    assert_eq!(titles(&web, "Overview"), overview);
    assert_eq!(titles(&web, "What failed"), "What failed most; Where it failed; Newest errors");
    let db = house.opened("group:db").await;
    assert_eq!(titles(&db, "Overview"), "Lines; Warnings; Lines by level", "what does not occur has no panel");
    assert_eq!(titles(&db, "What failed"), "");
    let service = house.opened("service:web").await;
    assert_eq!(titles(&service, "Overview"), "Lines; Errors; Lines by level; Errors over time; Durations");
    let unknown = house.get("/api/v1/dashboards/service%3Anobody").await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("not-found")), "{}", unknown.text());
    let earlier = house.get("/api/v1/dashboards/group%3Adb?from=now-7d&to=now-2d").await;
    assert_eq!(earlier.status, 404, "{}", earlier.text());
}

#[tokio::test]
async fn access_logs_have_the_numbers_of_requests() {
    let house = House::new();
    let lines = [
        r#"192.0.2.1 - - [20/Nov/2026:11:40:13 +0000] "GET /tea?kind=black HTTP/1.1" 200 5120 "-" "curl/8.5.0" rt=0.031 uct=0.001"#,
        r#"192.0.2.2 - - [20/Nov/2026:11:41:13 +0000] "POST /order HTTP/1.1" 503 90 "-" "Mozilla/5.0 (X11)" rt=1.500 uct=0.001"#,
        r#"192.0.2.2 - - [20/Nov/2026:11:42:13 +0000] "GET /gone HTTP/1.1" 404 90 "-" "Mozilla/5.0 (X11)" rt=0.002 uct=0.001"#,
    ];
    house.send_lines("nginx/access.log", &lines).await;
    let opened = house.opened("group:nginx/access.log").await;
    let expected = "Requests; Failed requests; Bytes sent; Request time, p95; Clients; Requests by class of status; \
                    Failed requests by status; Bytes sent over time; Request time; Requests by method; Pages asked for most; \
                    Slowest pages; Pages that failed; Pages that are missing; Clients that asked most; User agents";
    assert_eq!(titles(&opened, "Requests"), expected);
    assert_eq!(titles(&opened, "Upstreams"), "");
    let json = [
        json!({"@timestamp": "2026-11-20T11:50:00Z", "status": 200, "request_uri": "/a", "request_method": "GET", "remote_addr": "192.0.2.1",
            "body_bytes_sent": 7, "request_time": 0.2, "upstream_addr": "10.0.0.1:80", "upstream_response_time": 0.1,
            "upstream_cache_status": "MISS", "http_user_agent": "curl", "server_name": "shop.example"}),
        json!({"@timestamp": "2026-11-20T11:51:00Z", "status": "200", "request_uri": "/b", "request_method": "GET", "remote_addr": "192.0.2.1",
            "body_bytes_sent": 7, "request_time": "0.2", "upstream_addr": "10.0.0.2:80", "upstream_response_time": "0.1",
            "upstream_cache_status": "HIT", "http_user_agent": "curl", "server_name": "shop.example"}),
    ];
    house
        .send_lines("nginx/json", &json.map(|line| line.to_string()).iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let opened = house.opened("group:nginx/json").await;
    assert_eq!(titles(&opened, "Upstreams"), "Requests by upstream; Upstreams; Upstream response time; Cache");
    assert!(
        titles(&opened, "Requests")
            .ends_with("Requests by site; Pages asked for most; Slowest pages; Clients that asked most; User agents")
    );
}

#[tokio::test]
async fn logins_units_and_databases_are_recognised() {
    let house = House::new();
    let auth = [
        "Nov 20 11:40:01 web-1 sshd[4711]: Failed password for invalid user tea from 192.0.2.7 port 50022 ssh2",
        "Nov 20 11:40:02 web-1 sshd[4711]: Invalid user tea from 192.0.2.7 port 50022",
        "Nov 20 11:40:03 web-1 sshd[4712]: Accepted publickey for ann from 192.0.2.8 port 50023 ssh2: ED25519 SHA256:x",
        "Nov 20 11:40:04 web-1 systemd[1]: Started shop.service - The shop.",
        "Nov 20 11:40:05 web-1 systemd[1]: shop.service: Main process exited, code=exited, status=1/FAILURE",
        "Nov 20 11:40:05 web-1 systemd[1]: shop.service: Failed with result 'exit-code'.",
        "Nov 20 11:40:06 web-1 systemd[1]: shop.service: Scheduled restart job, restart counter is at 1.",
    ];
    house.send_lines("auth.log", &auth).await;
    let opened = house.opened("group:auth.log").await;
    let logins = "Logins; Failed attempts; Addresses that failed; Unknown users; Failed attempts over time; Logins over time; \
                  Addresses that failed most; Users that were tried most; Unknown users that were tried most; Who came in";
    assert_eq!(titles(&opened, "Logins by SSH"), logins);
    let units =
        "Units that failed; Units that were restarted; Started and stopped most often; Starts and stops over time";
    assert_eq!(titles(&opened, "Units"), units);
    let host = house.opened("host:web-1").await;
    assert_eq!(titles(&host, "Logins by SSH"), logins);
    let journal = [
        r#"{"__REALTIME_TIMESTAMP":"1795175700123456","_HOSTNAME":"web-1","PRIORITY":"3","_SYSTEMD_UNIT":"shop.service","MESSAGE":"no tea"}"#,
        r#"{"__REALTIME_TIMESTAMP":"1795175701123456","_HOSTNAME":"web-1","PRIORITY":"6","_SYSTEMD_UNIT":"cart.service","MESSAGE":"tea"}"#,
    ];
    house.send_lines("journal", &journal).await;
    assert_eq!(titles(&house.opened("group:journal").await, "Units"), "Lines by unit; Errors by unit");
    let postgres = [
        "2026-11-20 11:40:13.123 UTC [77] LOG:  checkpoint complete: wrote 5 buffers",
        "2026-11-20 11:40:14.123 UTC [78] bob@shop LOG:  connection authorized: user=bob database=shop",
        "2026-11-20 11:40:15.123 UTC [78] bob@shop ERROR:  deadlock detected at character 15",
        "2026-11-20 11:40:16.123 UTC [78] bob@shop LOG:  duration: 1234.500 ms  statement: select * from tea",
    ];
    house.send_lines("postgresql", &postgres).await;
    let expected = "Deadlocks; Checkpoints; Connections; Lines by severity; Errors by database; Errors by user; \
                    Durations of statements; Slowest statements";
    assert_eq!(titles(&house.opened("group:postgresql").await, "PostgreSQL"), expected);
}

#[tokio::test]
async fn the_cloud_s_logs_are_recognised() {
    let house = House::new();
    let flows = [
        "2 123456789010 eni-0a1b2c3d 192.0.2.1 198.51.100.2 49152 443 6 10 840 1795175700 1795175760 ACCEPT OK",
        "2 123456789010 eni-0a1b2c3d 192.0.2.9 198.51.100.2 49152 22 6 1 40 1795175700 1795175760 REJECT OK",
        "2 123456789010 eni-0a1b2c3d - - - - - - - 1795175700 1795175760 - NODATA",
    ];
    house.send_lines("vpc/flows", &flows).await;
    let expected = "Flows; Traffic; Rejected flows; Traffic by decision; Flows by decision; Pairs with most traffic; \
                    Sources with most traffic; Destinations with most traffic; Interfaces; Rejected most; Ports of rejected flows";
    assert_eq!(titles(&house.opened("group:vpc/flows").await, "Flows"), expected);
    let invocations = [
        "START RequestId: 8f5c3d2a-1b2c-4d5e-9f00-aabbccddeeff Version: $LATEST",
        "REPORT RequestId: 8f5c3d2a-1b2c-4d5e-9f00-aabbccddeeff\tDuration: 102.25 ms\tBilled Duration: 103 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tInit Duration: 210.5 ms\t",
        "REPORT RequestId: 8f5c3d2a-1b2c-4d5e-9f00-aabbccddee00\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout",
    ];
    house.send_lines("aws/lambda/pay", &invocations).await;
    let expected = "Invocations; Failed invocations; Duration, p95; Cold starts; Billed; Invocations over time; Timeouts and errors; \
                    Durations; Memory; Functions; Longest invocations";
    assert_eq!(titles(&house.opened("group:aws/lambda/pay").await, "Invocations"), expected);
    let pods = [
        json!({"@timestamp": "2026-11-20T11:50:00Z", "message": "ready", "level": "info", "namespace": "shop", "pod": "web-1",
            "container": "web", "stream": "stdout"}),
        json!({"@timestamp": "2026-11-20T11:51:00Z", "message": "no tea", "level": "error", "namespace": "shop", "pod": "web-2",
            "container": "proxy", "stream": "stderr"}),
    ];
    house
        .send_lines(
            "kubernetes/shop",
            &pods.map(|line| line.to_string()).iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
    let expected = "Pods; Lines by container; Lines by pod; Errors by pod; Lines on standard error";
    assert_eq!(titles(&house.opened("group:kubernetes/shop").await, "Kubernetes"), expected);
}

#[tokio::test]
async fn spans_have_rates_errors_and_durations() {
    let house = House::new();
    let span = |id: &str, kind: u8, status: u8, name: &str| {
        json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": id, "name": name, "kind": kind,
            "startTimeUnixNano": "1795175700000000000", "endTimeUnixNano": "1795175700285000000",
            "status": {"code": status, "message": "upstream is down"}})
    };
    let spans = [
        span("eee19b7ec3c1b174", 2, 2, "GET /cart"),
        span("eee19b7ec3c1b175", 2, 1, "GET /tea"),
        span("eee19b7ec3c1b176", 3, 1, "SELECT"),
    ];
    let service = json!([{"key": "service.name", "value": {"stringValue": "shop"}}]);
    let body = json!({"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [{"spans": spans}]}]});
    let request = axum::http::Request::post("/v1/traces").header("content-type", "application/json");
    let reply = house.send(request.body(body.to_string().into()).expect("a request")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let expected = "Requests; Failed; Duration, p95; By operation; Failed over time; Durations; Operations; \
                    What failed most in operations; Slowest; Calls to others; Services that it talks to";
    for name in ["service:shop", "group:traces/shop"] {
        assert_eq!(titles(&house.opened(name).await, "Requests from spans"), expected, "{name}");
    }
}

#[tokio::test]
async fn metrics_of_machines_and_programs_are_shown_by_their_names() {
    let house = House::new();
    let of = |job: &str, name: &str, more: &[(&str, &str)], values: [f64; 3]| {
        let mut labels = vec![("__name__", name), ("instance", "web-1:9100"), ("job", job)];
        labels.extend(more);
        labels.sort_unstable();
        let at = |n: usize| START + 30_000 * n as i64;
        series(&labels, &[(at(0), values[0]), (at(1), values[1]), (at(2), values[2])])
    };
    let message = [
        of("node", "node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], [1.0, 20.0, 40.0]),
        of("node", "node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], [1.0, 9.0, 18.0]),
        of("node", "node_load1", &[], [0.5, 0.6, 0.7]),
        of("node", "node_memory_MemTotal_bytes", &[], [100.0, 100.0, 100.0]),
        of("node", "node_memory_MemAvailable_bytes", &[], [50.0, 40.0, 30.0]),
        of("node", "node_filesystem_size_bytes", &[("fstype", "ext4"), ("mountpoint", "/")], [100.0, 100.0, 100.0]),
        of("node", "node_filesystem_avail_bytes", &[("fstype", "ext4"), ("mountpoint", "/")], [50.0, 40.0, 30.0]),
        of("node", "node_disk_read_bytes_total", &[("device", "sda")], [1.0, 2.0, 3.0]),
        of("node", "node_network_receive_bytes_total", &[("device", "eth0")], [1.0, 2.0, 3.0]),
        of("shop", "http_requests_total", &[("code", "200")], [1.0, 2.0, 3.0]),
        of("shop", "queue_length", &[], [1.0, 2.0, 3.0]),
        of("nginx", "nginx_vts_server_requests_total", &[("code", "2xx"), ("host", "a")], [1.0, 2.0, 3.0]),
        of("catat", "catat_queries_total", &[], [1.0, 2.0, 3.0]),
    ];
    assert_eq!(write(&house, &message.concat(), ONE).await.status, 204);
    let machine = "Processors; Memory; Fullest disk; Load; Processors by mode; Busy processors by machine; Load of the machine; \
                   Memory used; Disk space used; Bytes read and written; Network traffic";
    assert_eq!(titles(&house.opened("group:metrics/node").await, "Machine"), machine);
    assert_eq!(titles(&house.opened("host:web-1").await, "Machine"), machine);
    assert_eq!(titles(&house.opened("group:metrics/shop").await, "Metrics"), "http_requests_total; queue_length");
    assert_eq!(titles(&house.opened("group:metrics/nginx").await, "nginx"), "Requests by class of status");
    assert_eq!(titles(&house.opened("group:metrics/catat").await, "catat"), "Queries");
}

#[tokio::test]
async fn derived_dashboards_are_listed_when_asked_for_and_only_what_a_caller_reaches() {
    let house = House::new();
    house.fill().await;
    let names = |listed: Value| {
        let all = listed["dashboards"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(house.get("/api/v1/dashboards").await.json()), Vec::<String>::new());
    let all = names(house.get("/api/v1/dashboards?derived=true").await.json());
    assert_eq!(all, ["group:db", "group:web/access", "service:api", "service:web"]);
    let order = json!({"name": "db", "role": "read", "groups": ["db"]}).to_string();
    let made = house.administer("POST", "/api/v1/keys", order).await.json();
    let key = made["key"].as_str().expect("a key");
    let own = names(house.get_with("/api/v1/dashboards?derived=true", "x-catat-key", key).await.json());
    assert_eq!(own, ["group:db"]);
    let other = house.get_with("/api/v1/dashboards/group%3Aweb%2Faccess", "x-catat-key", key).await;
    assert_eq!(other.status, 404, "{}", other.text());
    assert_eq!(house.get_with("/api/v1/dashboards/service%3Aweb", "x-catat-key", key).await.status, 404);
    let whole = house.get_with("/api/v1/dashboards/service%3Aweb", "x-catat-key", ADMIN_KEY).await;
    assert_eq!(whole.status, 200, "{}", whole.text());
}
