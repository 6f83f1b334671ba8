//! Optimised plans look as wished and answer as before.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use proptest::prelude::*;
use types::{BatchBuilder, BatchRun, GroupName, Level, Run, TimeRange, Timestamp, Value};

use super::*;
use execute::{Request, Support, execute};

const OPTIONS: ParseOptions = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };

fn optimised(query: &str) -> String {
    let draft = draft(query, &OPTIONS).unwrap_or_else(|errors| panic!("{query}: {errors}"));
    draft.finish().to_string().replace('\n', " | ")
}

#[track_caller]
fn check(query: &str, expected: &str) {
    assert_eq!(optimised(query), expected, "{query}");
}

#[test]
fn filters_move_before_what_they_do_not_depend_on() {
    check(
        "fields a + 1 as b | sort a | filter c = 1 | display b",
        "filter (c = 1) | extend b = (a + 1) | sort a | events b",
    );
    check("fields a + 1 as b | filter b = 1", "extend b = (a + 1) | filter (b = 1) | events b");
    check("fields x as req | filter req.a = 1", "extend req = x | filter (req.a = 1) | events req");
    check("fields x as y | filter @any = 1 | fields y", "extend y = x | filter (@any = 1) | events y");
    check("limit 3 | filter a = 1 | fields b", "limit 3 | filter (a = 1) | events b");
    check("dedup a | filter b = 1 | fields b", "dedup a | filter (b = 1) | events b");
    check(
        "parse json as p | filter p.a = 1 and q = 2 | fields p.b",
        "filter (q = 2) | parse @message json as p | filter (p.a = 1) | events p.b",
    );
    check("parse json | filter q = 2 | fields q", "parse @message json | filter (q = 2) | events q");
}

#[test]
fn many_equalities_of_a_field_are_one_list() {
    check(
        "filter a = 1 or a = 2 or b = 0 or a = 3 or a = 4 or a = 5 or a = 6 or a = \"7\" or a = 8 or a != 9 or a = 10 or a = 11 or a = 12 | fields a",
        "filter (((a in [1, 2, 3, 4, 5, 6, \"7\", 8, 10, 11, 12]) or (b = 0)) or (a != 9)) | events a",
    );
    check("filter a = 1 or a = 2 | fields a", "filter ((a = 1) or (a = 2)) | events a");
}

#[test]
fn fields_that_nobody_reads_are_not_computed() {
    check("fields a + 1 as b | stats count(*)", "aggregate count(*) = count(*) | rows count(*)");
    check("parse \"*-*\" as x, y | display z", "events z");
    check("fields 1 as a.b | display a", "extend a.b = 1 | events a");
    check("fields x as a | display a.b.c", "extend a = x | events a.b.c");
    check("fields x as a | filter @any = 1 | display b", "extend a = x | filter (@any = 1) | events b");
}

fn runs() -> Vec<Arc<dyn Run>> {
    let mut builder = BatchBuilder::new();
    for number in 0..40i64 {
        builder.set_timestamp(Timestamp(number / 2 * Timestamp::SECOND));
        builder.set_message(if number % 4 == 0 { "x=1 y=two" } else { "{\"b\": 3, \"c\": \"z\"}" });
        builder.set_level(if number % 3 == 0 { Some(Level::Error) } else { None });
        builder.field_integer("a", number % 5);
        if number % 2 == 0 {
            builder.field_text("b", if number % 6 == 0 { "2" } else { "w" });
        }
        builder.commit();
    }
    let group = GroupName::new("app").expect("a good name");
    vec![Arc::new(BatchRun::new(group, 1, Arc::new(builder.finish())))]
}

fn rows(plan: &Plan) -> Vec<Vec<Option<Value>>> {
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range: TimeRange::ALL,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: 64 << 20,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 1,
        progress: None,
        support: Support::default(),
    };
    execute(plan, &runs(), &request).expect("an answer").rows
}

const COMMANDS: [&str; 24] = [
    "fields a + 1 as c",
    "fields b",
    "fields b as a",
    "filter a > 1 and b = 2",
    "filter not (a = 1 or b = \"w\")",
    "filter not not a",
    "filter c != 2",
    "filter @any like \"z\"",
    "filter true and ispresent(b)",
    "filter @level = \"error\" or c = 3",
    "sort a desc",
    "sort b, @timestamp",
    "limit 7",
    "tail 5",
    "dedup a",
    "parse \"x=* y=*\" as c, d",
    "parse /(?<b>\\d)/",
    "parse json",
    "parse json as a",
    "rename a as d",
    "drop b",
    "eval a = a * 2",
    "stats count(*) as c, max(a) as a by b",
    "display a, c",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn answers_stay_the_same(commands in prop::collection::vec(prop::sample::select(&COMMANDS[..]), 1..7)) {
        let query = commands.join(" | ");
        let draft = draft(&query, &OPTIONS).expect("a good query");
        prop_assert_eq!(rows(&draft.clone().unoptimised()), rows(&draft.finish()), "{}", query);
    }
}
