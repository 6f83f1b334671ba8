//! The layout, and that it never changes a plan.

use std::path::Path;

use chrono_tz::Tz;
use proptest::prelude::*;
use types::Timestamp;

use super::*;
use crate::insights::{ParseOptions, draft};

fn plan(text: &str) -> Option<String> {
    let options = ParseOptions { now: Timestamp(1_795_157_233_000_000_000), time_zone: Tz::UTC };
    draft(text, &options).ok().map(|draft| draft.unoptimised().to_string())
}

/// Checks the layout of a query, that it means the same, and that it stays.
#[track_caller]
fn check(query: &str, expected: &str) {
    let laid_out = format_insights(query).unwrap_or_else(|errors| panic!("{query}: {errors}"));
    assert_eq!(laid_out, expected, "{query}");
    check_meaning(query);
}

#[track_caller]
fn check_meaning(query: &str) {
    let Ok(laid_out) = format_insights(query) else { return };
    assert_eq!(plan(query), plan(&laid_out), "{query}\n{laid_out}");
    assert_eq!(format_insights(&laid_out).as_ref(), Ok(&laid_out), "{query}");
}

#[test]
fn every_command_has_a_line() {
    check("", "");
    check(" | FIELDS a,b   ,c|filter a=1 |", "fields a, b, c\n| filter a = 1");
    check("fields a\n  filter a==1\n\n\n  Sort BY a DESC,b", "fields a\n| filter a = 1\n| sort by a desc, b");
    check("stats\n  count(*)as n,AVG( t )as t\n  By\n  level", "stats count(*) as n, avg(t) as t by level");
    check("parse @message 'a * b *' as x,y", "parse @message 'a * b *' as x, y");
    check("PARSE p JSON as q|parse /(?<a>x\\/y)/", "parse p json as q\n| parse /(?<a>x\\/y)/");
    check("timechart span = 5m count( * ) as n by f", "timechart span=5m count(*) as n by f");
    check("eval x=1,y = - 2", "eval x = 1, y = -2");
    check("source logGroups(namePrefix:['a','b'])|limit 5", "source logGroups(namePrefix: ['a', 'b'])\n| limit 5");
    check("fillmissing with - 1 for a,b with 'x' for c", "fillmissing with -1 for a, b with 'x' for c");
}

#[test]
fn conditions_have_one_space() {
    check(
        "filter not(a=1 AND b<>2)or c Not In[1,2 , 3] and ISPRESENT (d)",
        "filter not (a = 1 and b != 2) or c not in [1, 2, 3] and ispresent(d)",
    );
    check("filter a=~/x/ and b!~ \"y\" and c like/z/i", "filter a =~ /x/ and b !~ \"y\" and c like /z/i");
    check("filter a between 1 and - 2+x", "filter a between 1 and -2 + x");
    check("where f in(SOURCE 'g'|fields f\nlimit 3)", "where f in (source 'g' | fields f | limit 3)");
    check("filter in_ = 1 and `by` = 2", "filter in_ = 1 and `by` = 2");
}

#[test]
fn columns_called_by_their_text_keep_it() {
    check("fields a+b,  a ,abs( c )", "fields a+b, a, abs( c )");
    check(
        "stats Count(*),avg(a)/2   by bin( 5m )|sort count( * )",
        "stats Count(*), avg(a)/2 by bin( 5m )\n| sort count(*)",
    );
}

#[test]
fn comments_stay_with_their_commands() {
    check(
        "# what for\nfields a # columns\n# then\n\n  |  # only these\n filter b = 1#x\n# end",
        "# what for\nfields a  # columns\n# then\n# only these\n| filter b = 1  #x\n# end",
    );
    check("fields a, # first\n b\n# c\n, d", "fields a, # first\n    b\n    # c\n    , d");
    check("# nothing else", "# nothing else");
    check(
        "filter a in (source 'g' # here\n| fields a) | limit 1",
        "filter a in (source 'g' # here\n    | fields a)\n| limit 1",
    );
}

#[test]
fn words_stay_words() {
    check("connection   refused", "connection refused");
    check("a b | # c\n# d\n limit 3", "a b\n| # c\n# d\nlimit 3");
    check("a b | # c", "a b\n| # c");
    check("# c\n'10.1  x' | stats count(*)\nlimit 3", "# c\n'10.1  x'\n| stats count(*)\n| limit 3");
}

#[test]
fn long_commands_are_cut_at_their_parts() {
    let names: Vec<String> = (0..12).map(|n| format!("a_long_name_{n}")).collect();
    check(&format!("fields {}", names.join(",")), &format!("fields {}", names.join(",\n    ")));
    let tests: Vec<String> = names.iter().map(|name| format!("{name} = 1")).collect();
    check(&format!("filter {}", tests.join(" and ")), &format!("filter {}", tests.join("\n    and ")));
    let numbers: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let laid_out = format_insights(&format!("filter x in [{}]", numbers.join(","))).expect("a query");
    assert_eq!(laid_out.lines().count(), 3, "{laid_out}");
}

#[test]
fn golden_queries_and_the_reference_keep_their_plans() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut queries = Vec::new();
    for file in std::fs::read_dir(root.join("tests/golden")).expect("the golden cases").flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        for section in text.split("\n--- query\n").skip(1) {
            let end = ["\n---", "\n==="].iter().filter_map(|mark| section.find(mark)).min().unwrap_or(section.len());
            queries.push(section[..end].to_owned());
        }
    }
    let reference = std::fs::read_to_string(root.join("grammar/README.md")).expect("the reference");
    queries
        .extend(reference.split("```insights\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())));
    assert!(queries.len() > 300, "{}", queries.len());
    for query in &queries {
        check_meaning(query);
        // Wherever that is still a query, other white space is laid out the same way or changes what columns are
        // called.
        check_meaning(&query.replace(' ', "\n"));
        check_meaning(&query.replace(' ', " # c\n "));
        check_meaning(&query.to_uppercase());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics_and_no_layout_changes_a_plan(
        pieces in prop::collection::vec(prop::sample::select(&super::super::tests::PIECES[..]), 0..20),
        glue in prop::sample::select(&[" ", "", "\n", " # c\n"][..]),
    ) {
        check_meaning(&pieces.join(glue));
    }
}
