//! Laws that hold for whatever is asked.

use proptest::prelude::*;

use crate::script::loaded;
use crate::{Answer, Data, EvalError, Options, Selection, Source, Visit, joined, parse, range, run_script};

/// What a source has in a range of times in ms, both included.
struct Within<'a>(&'a dyn Source, (i64, i64));

impl Source for Within<'_> {
    fn select(&self, selection: &Selection<'_>, visit: &Visit<'_>) -> Result<(), EvalError> {
        let after = selection.after.max(self.1.0 - 1);
        let until = selection.until.min(self.1.1);
        if after < until { self.0.select(&Selection { after, until, ..*selection }, visit) } else { Ok(()) }
    }
}

/// Values that a script can write, special ones among them.
fn values() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        6 => (-50..50_i32).prop_map(|n| n.to_string()),
        1 => Just("_".to_owned()),
        1 => Just("stale".to_owned()),
        1 => Just("NaN".to_owned()),
        1 => Just("-Inf".to_owned()),
        1 => Just("{{schema:1 count:4 sum:5 buckets:[1 2 1]}}".to_owned()),
    ];
    proptest::collection::vec(value, 12).prop_map(|values| values.join(" "))
}

fn query() -> impl Strategy<Value = String> {
    let selector = prop_oneof![
        Just("m"),
        Just("m{i=\"0\"}"),
        Just("m offset 1m"),
        Just("m @ 120"),
        Just("m offset -90s smoothed")
    ]
    .prop_map(str::to_owned);
    let range = prop_oneof![
        Just("rate"),
        Just("delta"),
        Just("irate"),
        Just("sum_over_time"),
        Just("avg_over_time"),
        Just("min_over_time"),
        Just("stddev_over_time"),
        Just("changes"),
        Just("resets"),
        Just("deriv"),
        Just("last_over_time"),
        Just("absent_over_time"),
        Just("count_over_time"),
    ];
    let window = prop_oneof![
        Just("m[3m]"),
        Just("m[75s * 2] offset -1m"),
        Just("m[4m:30s]"),
        Just("m[2m] @ end()"),
        Just("m[90s] anchored"),
        Just("m[2m] smoothed offset (1m + 30s)"),
    ];
    let ranged = (range, window).prop_map(|(function, range)| format!("{function}({range})"));
    prop_oneof![selector, ranged].prop_recursive(3, 12, 2, |inner| {
        let operator =
            prop_oneof![Just("+"), Just("/"), Just("> bool"), Just("<="), Just("and"), Just("or"), Just("unless")];
        let one = prop_oneof![
            Just("sum"),
            Just("avg by (j)"),
            Just("max without (i)"),
            Just("stdvar"),
            Just("topk(1, "),
            Just("count"),
            Just("abs"),
            Just("-"),
            Just("2 *"),
            Just("absent"),
            Just("histogram_quantile(0.3, "),
            Just("timestamp"),
        ];
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a}) {o} ignoring (nosuch) ({b})")),
            (one, inner).prop_map(|(function, inner)| {
                if function.ends_with(", ") { format!("{function}{inner})") } else { format!("{function} ({inner})") }
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_range_query_is_its_instants(a in values(), b in values(), c in values(), query in query()) {
        // `@ end()` and what looks at all steps are the same at each instant only with a fixed end.
        let query = query.replace("@ end()", "@ 300");
        let load = format!("load 1m\n  m{{i=\"0\", j=\"x\"}} {a}\n  m{{i=\"1\", j=\"x\"}} {b}\n  m{{i=\"2\", j=\"y\"}} {c}\n\n");
        // Of equal series `topk` keeps the first, and a series may come later in an instant than in a range.
        let other = first_other_instant(&load, &query)
            .filter(|_| !query.contains("topk") || first_other_instant(&load, &query.replace("topk(1, ", "max (")).is_some());
        prop_assert_eq!(other, None, "{}", query);
    }

    #[test]
    fn reading_never_panics(text in "[a-z(){}\\[\\]0-9@:,.'\"`+*/^<>=!~ -]{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn scripts_never_panic(text in "(load 1m|eval instant at 1m|\n| |a|\\{\\{|\\}\\}|buckets:\\[1\\]|x|_|9|\\+|expect|\\{b=\"c\"\\}){0,30}") {
        let _ = run_script(&text, &Options::default());
    }

    #[test]
    fn parts_of_a_range_answered_from_their_reach_are_the_range(
        a in values(), b in values(), c in values(), query in query(), cut in 1..10_i64,
    ) {
        const MINUTE: i64 = 60_000;
        let load = format!("load 1m\n  m{{i=\"0\", j=\"x\"}} {a}\n  m{{i=\"1\", j=\"x\"}} {b}\n  m{{i=\"2\", j=\"y\"}} {c}\n\n");
        let memory = loaded(&load).expect("a script that only loads");
        let options = Options::default();
        let Ok(query) = parse(&query) else { return Ok(()) };
        let Some(reach) = query.reach(&options) else { return Ok(()) };
        let Ok(Answer { data: Data::Matrix(whole), .. }) = range(&query, (0, 10 * MINUTE), MINUTE, &memory, &options) else {
            return Ok(());
        };
        let part = |start: i64, end: i64| {
            let within = Within(&memory, (start - reach.before, end + reach.after));
            match range(&query, (start, end), MINUTE, &within, &options) {
                Ok(Answer { data: Data::Matrix(rows), .. }) => rows,
                other => panic!("{} from {start} to {end}: {other:?}", query.text()),
            }
        };
        let parts = [part(0, (cut - 1) * MINUTE), part(cut * MINUTE, 10 * MINUTE)];
        // NaN is equal to itself in text alone.
        let together = format!("{:?}", joined(parts.iter().map(Vec::as_slice)));
        prop_assert_eq!(together, format!("{whole:?}"), "{}", query.text());
    }
}

/// Returns the first minute at which an instant has other rows than the range has there, with both.
fn first_other_instant(load: &str, query: &str) -> Option<(i64, Vec<String>, Vec<String>)> {
    let whole = rows(load, query, 0, 10).ok()?;
    (0..=10_i64).find_map(|minute| {
        let one = rows(load, query, minute, minute).ok()?;
        let of_whole: Vec<String> = whole.iter().filter(|row| row.1 == minute).map(|row| row.0.clone()).collect();
        let of_one: Vec<String> = one.into_iter().map(|row| row.0).collect();
        let is_same = of_whole.len() == of_one.len() && of_whole.iter().zip(&of_one).all(|(a, b)| is_alike(a, b));
        (!is_same).then_some((minute, of_whole, of_one))
    })
}

/// Reports whether two samples are equal but for the last digits of numbers: a sum depends on the order of its terms.
fn is_alike(a: &str, b: &str) -> bool {
    let parts = |text: &str| text.split([' ', '(', ')', ',', '[', ']']).map(str::to_owned).collect::<Vec<_>>();
    let is_near = |(a, b): (&String, &String)| {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
        a == b || a.parse().ok().zip(b.parse().ok()).is_some_and(|(a, b)| near(a, b))
    };
    let (a, b) = (parts(a), parts(b));
    a.len() == b.len() && a.iter().zip(&b).all(is_near)
}

/// Returns labels with value bits, and the minute, of each sample of a range query.
fn rows(load: &str, query: &str, from: i64, to: i64) -> Result<Vec<(String, i64)>, String> {
    let memory = crate::script::loaded(load)?;
    let query = parse(query).map_err(|error| error.message)?;
    let answer = crate::range(&query, (from * 60_000, to * 60_000), 60_000, &memory, &Options::default())
        .map_err(|error| error.to_string())?;
    let crate::Data::Matrix(rows) = answer.data else { return Err("no matrix".to_owned()) };
    let mut found: Vec<(String, i64)> = rows
        .iter()
        .flat_map(|row| {
            row.samples.iter().map(|sample| (format!("{} {:?}", row.labels, sample.value), sample.time / 60_000))
        })
        .collect();
    found.sort();
    Ok(found)
}
