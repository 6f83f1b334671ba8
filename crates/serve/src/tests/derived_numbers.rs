//! Numbers of dashboards that nobody has to make, beside counts of the drawn events themselves: every total is the sum of its
//! series, every share lies between its parts, every bin has its own.

mod checks;
mod drawn;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::checks::Check::{self, Count, Distinct, Share, Sum, Within};
use self::checks::{Is, checks, host, service};
use self::drawn::{Drawn, drawn};
use super::remote_write::{ONE, START, series, write};
use super::{House, encoded};

fn text<'e>(event: &'e Value, name: &str) -> &'e str {
    event[name].as_str().unwrap_or_default()
}

/// A panel's answer: names of columns, and rows.
struct PanelAnswer {
    names: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// Seconds of a bin, where there are bins.
    bin_s: Option<i64>,
    /// Whether rows beyond a limit are left out.
    is_cut: bool,
}

impl PanelAnswer {
    async fn of(house: &House, query: &Value) -> Self {
        let body = json!({"query": query["query"], "groups": query["groups"], "from": "2026-11-20T10:00:00Z",
            "to": "2026-11-20T12:00:00Z", "variables": {}});
        let reply = house.post("/api/v1/query", body.to_string()).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        let answer = reply.json();
        let name = |column: &Value| column["name"].as_str().unwrap_or_default().to_owned();
        let names: Vec<String> = answer["columns"].as_array().into_iter().flatten().map(name).collect();
        let row = |row: &Value| row.as_array().cloned().unwrap_or_default();
        let rows: Vec<Vec<Value>> = answer["rows"].as_array().into_iter().flatten().map(row).collect();
        let width = names.first().and_then(|name| name.strip_prefix("bin(")?.strip_suffix(')'));
        let bin_s = width.map(|width| types::parse_duration_ns(width).expect(width) / types::Timestamp::SECOND);
        let limit = query["query"].as_str().and_then(|text| text.split("limit ").nth(1));
        let limit = limit.and_then(|text| text.split(' ').next()?.trim().parse::<usize>().ok());
        let is_cut = limit.is_some_and(|limit| rows.len() >= limit);
        Self { names, rows, bin_s, is_cut }
    }

    fn bin(&self, row: &[Value]) -> Option<i64> {
        self.bin_s?;
        let at = types::Timestamp::parse_rfc3339(row[0].as_str()?)?;
        Some(at.0 / types::Timestamp::SECOND)
    }

    fn numbers(&self, column: &str) -> Vec<(Option<i64>, f64)> {
        let at =
            self.names.iter().position(|name| name == column).unwrap_or_else(|| panic!("{column} in {:?}", self.names));
        self.rows.iter().filter_map(|row| Some((self.bin(row), row[at].as_f64()?))).collect()
    }

    /// Adds up a column by bin.
    fn sums(&self, column: &str) -> BTreeMap<Option<i64>, f64> {
        let mut sums = BTreeMap::new();
        self.numbers(column).iter().for_each(|(bin, number)| *sums.entry(*bin).or_default() += number);
        sums
    }

    fn bin_of(&self, event: &Drawn) -> Option<i64> {
        self.bin_s.map(|width| event.at - event.at.rem_euclid(width))
    }

    /// Adds up what is drawn by bin; only bins with something.
    fn expected(&self, events: &[&Drawn], number: &dyn Fn(&Value) -> Option<f64>) -> BTreeMap<Option<i64>, f64> {
        let mut sums = BTreeMap::new();
        for event in events {
            if let Some(number) = number(&event.facts) {
                *sums.entry(self.bin_of(event)).or_default() += number;
            }
        }
        sums
    }

    /// Returns what is wrong with a column.
    fn fault(&self, column: &str, check: &Check, events: &[&Drawn]) -> Option<String> {
        let one = |is: Is| move |event: &Value| is(event).then_some(1.0);
        let totals = |expected: BTreeMap<Option<i64>, f64>| {
            let found = self.sums(column);
            let is_equal = |(bin, sum): (&Option<i64>, &f64)| {
                let found = found.get(bin).copied().unwrap_or_default();
                if self.is_cut { found <= sum + 1e-6 } else { (found - sum).abs() < 1e-6 }
            };
            let is_right = expected.iter().all(is_equal) && found.keys().all(|bin| expected.contains_key(bin));
            (!is_right).then(|| format!("{found:?}, not {expected:?}"))
        };
        match check {
            Count(is) => totals(self.expected(events, &one(*is))),
            Sum(number) => totals(self.expected(events, number)),
            Distinct(of) => {
                let values: BTreeSet<String> = events.iter().filter_map(|event| of(&event.facts)).collect();
                let found = self.sums(column);
                (found.get(&None) != Some(&(values.len() as f64))).then(|| format!("{found:?}, not {values:?}"))
            }
            Within(number) => {
                let all: Vec<f64> = events.iter().filter_map(|event| number(&event.facts)).collect();
                let (least, most) =
                    all.iter().fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(*one), most.max(*one)));
                let is_within =
                    |(_, found): &(Option<i64>, f64)| (least * 0.98 - 0.01..=most * 1.02 + 0.01).contains(found);
                let found = self.numbers(column);
                (!found.iter().all(is_within)).then(|| format!("{found:?}, beyond {least} to {most}"))
            }
            Share(all, bad) => {
                let is_both = |event: &Value| (all(event) && bad(event)).then_some(1.0);
                let (all, bad) = (self.expected(events, &one(*all)), self.expected(events, &is_both));
                let found = self.numbers(column);
                if !found.iter().all(|(_, share)| (0.0..=100.0).contains(share)) {
                    return Some(format!("{found:?}"));
                }
                // Shares by name are weighed by how many each has.
                let weight = ["n", "requests"].into_iter().find(|name| self.names.iter().any(|own| own == name));
                let weights: Vec<f64> = match weight {
                    Some(weight) => self.numbers(weight).into_iter().map(|(_, n)| n).collect(),
                    None => found.iter().map(|(bin, _)| all.get(bin).copied().unwrap_or_default()).collect(),
                };
                let mut counted: BTreeMap<Option<i64>, f64> = BTreeMap::new();
                found
                    .iter()
                    .zip(&weights)
                    .for_each(|((bin, share), n)| *counted.entry(*bin).or_default() += share * n / 100.0);
                let is_equal = |(bin, _): (&Option<i64>, &f64)| {
                    let bad = bad.get(bin).copied().unwrap_or_default();
                    counted.get(bin).is_some_and(|counted| {
                        if self.is_cut { *counted <= bad + 1e-6 } else { (counted - bad).abs() < 1e-6 }
                    })
                };
                let is_right = all.iter().all(is_equal) && counted.keys().all(|bin| all.contains_key(bin));
                (!is_right).then(|| format!("{found:?}, not {bad:?} of {all:?}"))
            }
        }
    }
}

/// Opens a dashboard and checks each panel beside the events that it is about.
async fn check(house: &House, name: &str, events: &[&Drawn]) -> usize {
    let reply = house.get(&format!("/api/v1/dashboards/{}", encoded(name))).await;
    assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    let (mut faults, mut n_checked) = (Vec::new(), 0);
    for panel in reply.json()["panels"].as_array().expect("panels") {
        let (section, title) = (text(panel, "section"), text(panel, "title"));
        let is_own = |event: &&&Drawn| event.group.starts_with("traces/") == (section == "Requests from spans");
        let events: Vec<&Drawn> = events.iter().filter(is_own).copied().collect();
        for query in panel["queries"].as_array().into_iter().flatten() {
            let shown = PanelAnswer::of(house, query).await;
            for (column, check) in checks(section, title, text(query, "query")) {
                n_checked += 1;
                let fault = shown.fault(column, &check, &events);
                faults.extend(fault.map(|fault| format!("{name}: {section}: {title}: {column}: {fault}\n{query}")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    n_checked
}

#[tokio::test]
async fn panels_agree_with_the_events_that_they_are_about() {
    for seed in 1..=2 {
        let (house, all) = (House::new(), drawn(seed));
        let groups: BTreeSet<&str> = all.iter().map(|event| event.group).collect();
        for group in &groups {
            let lines: Vec<&str> = all.iter().filter(|event| event.group == *group).map(|event| &*event.line).collect();
            let format = if lines[0].starts_with('{') { "" } else { "&format=text" };
            let sent =
                house.post(&format!("/api/v1/ingest?group={}{format}", encoded(group)), lines.join("\n") + "\n").await;
            assert_eq!(sent.status, 200, "{group}: {}", sent.text());
        }
        let mut n_checked = 0;
        for group in &groups {
            let own: Vec<&Drawn> = all.iter().filter(|event| event.group == *group).collect();
            n_checked += check(&house, &format!("group:{group}"), &own).await;
        }
        let of = |is: &dyn Fn(&Drawn) -> bool| all.iter().filter(|event| is(event)).collect::<Vec<_>>();
        let of_pay = of(&|event| event.group == "traces/pay");
        n_checked += check(&house, "service:pay", &of_pay).await;
        for name in ["svc-0", "svc-1"] {
            let own = of(&|event| service(&event.facts).as_deref() == Some(name));
            n_checked += check(&house, &format!("service:{name}"), &own).await;
        }
        let own = of(&|event| host(&event.facts).as_deref() == Some("host-1"));
        n_checked += check(&house, "host:host-1", &own).await;
        assert!(n_checked > 100, "{n_checked}");
    }
}

/// Asks a query of a panel over samples; returns its numbers by the labels of their series.
async fn sampled(house: &House, query: &Value) -> BTreeMap<String, Vec<f64>> {
    let body = json!({"query": query["query"], "language": "promql", "groups": query["groups"], "from": START / 1_000,
        "to": START / 1_000 + 600, "step": "30s", "variables": {}});
    let reply = house.post("/api/v1/query", body.to_string()).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    let answer = reply.json();
    let columns: Vec<&str> =
        answer["columns"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    let value = columns.iter().position(|name| *name == "value").unwrap_or_else(|| panic!("{columns:?}"));
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in answer["rows"].as_array().into_iter().flatten() {
        let label = |at: usize| row[at].as_str().filter(|_| at != value && columns[at] != "@timestamp");
        let labels: Vec<&str> = (0..columns.len()).filter_map(label).collect();
        all.entry(labels.join(" ")).or_default().extend(row[value].as_f64());
    }
    all
}

#[tokio::test]
async fn panels_of_samples_count_nothing_twice_and_no_share_is_beyond_its_whole() {
    let house = House::new();
    let of = |name: &str, more: &[(&str, &str)], value: &dyn Fn(f64) -> f64| {
        let mut labels = vec![("__name__", name), ("instance", "web-1:9100"), ("job", "all")];
        labels.extend(more);
        labels.sort_unstable();
        let samples: Vec<(i64, f64)> = (0..20).map(|n| (START + 30_000 * n, value(n as f64))).collect();
        series(&labels, &samples)
    };
    // A counter of idle time that a late scrape makes run faster than the clock.
    let message = [
        of("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], &|n| n * 30.2),
        of("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], &|n| n * 0.1),
        of("node_memory_MemTotal_bytes", &[], &|_| 100.0),
        of("node_memory_MemAvailable_bytes", &[], &|n| 50.0 - n),
        of("node_disk_io_time_seconds_total", &[("device", "sda")], &|n| n * 30.3),
        of("nginx_vts_server_requests_total", &[("code", "2xx"), ("host", "a")], &|n| n * 60.0),
        of("nginx_vts_server_requests_total", &[("code", "5xx"), ("host", "a")], &|n| n * 30.0),
        of("nginx_vts_server_requests_total", &[("code", "total"), ("host", "a")], &|n| n * 90.0),
        of("nginx_vts_server_requests_total", &[("code", "2xx"), ("host", "*")], &|n| n * 60.0),
        of("nginx_vts_server_bytes_total", &[("direction", "out"), ("host", "a")], &|n| n * 300.0),
        of("nginx_vts_server_bytes_total", &[("direction", "out"), ("host", "*")], &|n| n * 300.0),
        of("threads_count", &[], &|_| 8.0),
        of("wait_seconds", &[("quantile", "0.5")], &|_| 1.0),
        of("wait_seconds", &[("quantile", "0.99")], &|_| 9.0),
        of("wait_seconds_sum", &[], &|n| n * 60.0),
        of("wait_seconds_count", &[], &|n| n * 30.0),
    ];
    assert_eq!(write(&house, &message.concat(), ONE).await.status, 204);
    let board = house.get("/api/v1/dashboards/group%3Ametrics%2Fall").await.json();
    let mut ends: BTreeMap<String, f64> = BTreeMap::new();
    for panel in board["panels"].as_array().expect("panels") {
        for query in panel["queries"].as_array().into_iter().flatten() {
            for (labels, numbers) in sampled(&house, query).await {
                let title = text(panel, "title");
                let is_share = panel["unit"] == "percent";
                assert!(!is_share || numbers.iter().all(|one| (0.0..=100.0).contains(one)), "{title}: {numbers:?}");
                let name = [title, text(query, "label"), &labels].join("/");
                ends.insert(name, numbers.last().copied().unwrap_or(f64::NAN));
            }
        }
    }
    let sum =
        |title: &str| ends.iter().filter(|(name, _)| name.starts_with(title)).map(|(_, number)| number).sum::<f64>();
    assert!((sum("Requests by class of status/") - 3.0).abs() < 0.01, "{ends:?}");
    assert!((sum("Traffic by direction/") - 10.0).abs() < 0.01, "{ends:?}");
    assert_eq!(
        (ends["Memory used/used/"], ends["Memory used/total/"], ends["Memory//"]),
        (69.0, 100.0, 69.0),
        "{ends:?}"
    );
    assert_eq!((ends["threads_count/mean/"], ends["threads_count/max/"]), (8.0, 8.0), "{ends:?}");
    assert_eq!((ends["wait_seconds/{quantile}/0.5"], ends["wait_seconds/{quantile}/0.99"]), (1.0, 9.0), "{ends:?}");
    assert!((ends["wait_seconds_count//"] - 1.0).abs() < 0.01, "{ends:?}");
}
