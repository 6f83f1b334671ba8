//! What runs tell without making values, and tables instead of maps, never change an answer.

use std::collections::{BTreeMap, BTreeSet};

use types::Addresses;

use super::*;

/// Returns the status of event `n`, which some have not; some are beyond what tables hold.
fn status(n: i64) -> Option<i64> {
    match n % 11 {
        0 | 7 => None,
        1 => Some(-3),
        2 => Some(1 << 40),
        // Ever more of them, so that tables grow.
        3 => Some(600 + n / 500),
        rest => Some(200 + rest * 37),
    }
}

fn service(n: i64) -> String {
    format!("s{}", n % 601)
}

fn address(n: i64) -> Option<String> {
    let spread = n.wrapping_mul(7919) % 5003;
    (n % 5 != 3).then(|| format!("10.{}.{}.{}", spread / 2500, spread / 200 % 12, spread % 200))
}

/// A run that keeps `client` as addresses, and knows which rows have a field.
struct Telling {
    run: BatchRun,
    n_told: AtomicUsize,
}

impl Telling {
    fn column(&self, block: usize, name: &str, rows: &RowSet) -> Result<Column, ScanError> {
        Ok(self.run.read(block, &[name], rows)?.remove(0))
    }
}

impl Run for Telling {
    fn info(&self) -> &RunInfo {
        self.run.info()
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.run.minutes()
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.run.read(block, names, rows)
    }

    fn presence(&self, block: usize, name: &str) -> Result<Option<RowSet>, ScanError> {
        self.n_told.fetch_add(1, Relaxed);
        Ok(Some(self.column(block, name, &RowSet::all(self.block_rows(block)))?.presence()))
    }

    fn read_addresses(&self, block: usize, name: &str, rows: &RowSet) -> Result<Option<Addresses>, ScanError> {
        if name != "client" {
            return Ok(None);
        }
        self.n_told.fetch_add(1, Relaxed);
        let column = self.column(block, name, rows)?;
        let number = |row: usize| match column.value(row) {
            Some(Value::String(text)) => text.parse::<std::net::Ipv4Addr>().map_or(0, u32::from),
            _ => 0,
        };
        Ok(Some(Addresses { values: (0..rows.count()).map(number).collect(), present: Some(column.presence()) }))
    }
}

fn made(from: i64, n_events: i64) -> BatchRun {
    let mut builder = BatchBuilder::new();
    for n in from..from + n_events {
        builder.set_timestamp(Timestamp(n * SECOND));
        builder.set_message("m");
        builder.field_text("service", &service(n));
        if let Some(status) = status(n) {
            builder.field_integer("status", status);
        }
        if let Some(address) = address(n) {
            builder.field_text("client", &address);
        }
        builder.commit();
    }
    BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(builder.finish()))
}

/// Returns the same events: as they are, and by runs that tell what they know; the last third as it is in both.
fn both() -> [Vec<Arc<dyn Run>>; 2] {
    let plain = || -> Arc<dyn Run> { Arc::new(made(40_000, 20_000)) };
    let telling = Arc::new(Telling { run: made(0, 40_000), n_told: AtomicUsize::new(0) });
    [vec![Arc::new(made(0, 40_000)), plain()], vec![telling, plain()]]
}

#[test]
fn what_a_run_tells_without_values_changes_no_answer() {
    let [plain, telling] = both();
    for text in [
        "stats count_distinct(client) as n",
        "stats count_distinct(client) as n, count(*) as all by status | sort status",
        "stats count(*) as n by client | sort n desc, client | limit 50",
        "stats count(*) as n by client, status | sort n desc, client, status | limit 500",
        "filter client like \"10.1.\" | stats count(*) as n by client | sort n desc, client",
        "filter ispresent(client) | stats count(*) as n",
        "filter client like /./ | stats count(*) as n by client | sort n desc, client | limit 50",
        "filter client like /.+/ and status = 200 | stats count_distinct(client) as n",
        "filter not ispresent(status) and status != 5 | stats count(*) as n by client | sort n desc, client | limit 9",
        "filter status > 300 and ispresent(client) | stats count(*) as n, count_distinct(client) as d",
        "fields concat(client, \"x\") as client | filter ispresent(client) | stats count_distinct(client) as n",
        "filter ispresent(nowhere) or ispresent(@timestamp) | stats count(nowhere) as n, count(*) as all",
    ] {
        let [a, b] = [&plain, &telling].map(|runs| Asked::default().answer(text, runs).expect("an answer"));
        assert!(!a.rows.is_empty(), "{text}");
        assert_eq!(shown(&a), shown(&b), "{text}");
    }
}

#[test]
fn the_first_groups_of_an_order_are_those_of_all_groups() {
    let [plain, _] = both();
    for order in [
        "stats min(status) as m by client | sort m, client desc",
        "stats max(status) - min(status) as span by client | sort span desc, client",
        "stats avg(status) as a, count(*) as n by client, service | sort a desc, client, service",
        "stats sum(status) as n by client | fields client, n, n * 2 as twice | sort twice desc, client",
        "stats sum(status) as status by client | sort status, client",
        "stats count(status) as n by client | fields client, n > 3 as many | sort many desc, client",
        "stats max(service) as s, min(status) as m by client | fields client, coalesce(m, s) as k | sort k desc, client",
        "stats latest(@timestamp) as t, min(status) as m by client | sort m desc, t desc",
    ] {
        let [first, all] =
            [9, 10_000].map(|n| Asked::default().answer(&format!("{order} | limit {n}"), &plain).expect("an answer"));
        assert!(all.rows.len() > 100, "{order}: {}", all.rows.len());
        assert_eq!(first.rows, all.rows[..9], "{order}");
    }
}

#[test]
fn runs_are_asked_what_they_know() {
    let telling = Arc::new(Telling { run: made(0, 1000), n_told: AtomicUsize::new(0) });
    let runs: [Arc<dyn Run>; 1] = [telling.clone()];
    for (n_told, text) in
        [(1, "filter ispresent(status) | stats count(*) as n"), (2, "stats count_distinct(client) as n")]
    {
        Asked::default().answer(text, &runs).expect("an answer");
        assert_eq!(telling.n_told.load(Relaxed), n_told, "{text}");
    }
}

#[test]
fn groups_by_two_fields_are_those_of_a_plain_count() {
    let [plain, _] = both();
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut addresses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for n in 0..60_000 {
        let status = status(n).map_or("-".into(), |status| status.to_string());
        *counts.entry((service(n), status)).or_default() += 1;
        addresses.entry(service(n)).or_default().extend(address(n));
    }
    let mut expected: Vec<String> =
        counts.iter().map(|((service, status), n)| format!("{service} {status} {n}")).collect();
    expected.sort();
    let answer = Asked::default().answer("stats count(*) as n by service, status", &plain).expect("an answer");
    let mut found = shown(&answer);
    found.sort();
    assert_eq!(found, expected);
    let mut expected: Vec<String> = addresses.iter().map(|(service, of)| format!("{service} {}", of.len())).collect();
    expected.sort();
    let answer =
        Asked::default().answer("stats count_distinct(client) as n by service", &both()[1]).expect("an answer");
    let mut found = shown(&answer);
    found.sort();
    assert_eq!(found, expected);
}
