//! What is suggested where `¦` stands.

use chrono_tz::Tz;
use proptest::prelude::*;
use types::Timestamp;

use super::*;

fn options() -> ParseOptions {
    ParseOptions { now: Timestamp(1_795_157_233_000_000_000), time_zone: Tz::UTC }
}

fn at_mark(text: &str) -> Completion {
    let (head, tail) = text.split_once('¦').expect("a mark");
    complete_insights(&format!("{head}{tail}"), head.encode_utf16().count(), &options())
}

/// Checks the first labels, each of which must be there in this order.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let completion = at_mark(text);
    let labels: Vec<&str> = completion.choices.iter().map(|choice| &*choice.label).collect();
    assert_eq!(labels.get(..expected.len()), Some(expected), "{text}: {labels:?}");
}

#[track_caller]
fn check_only(text: &str, expected: &[&str]) {
    check(text, expected);
    assert_eq!(at_mark(text).choices.len(), expected.len(), "{text}: {:?}", at_mark(text).choices);
}

/// Checks whether fields of events may stand there, and values of which field.
#[track_caller]
fn check_store(text: &str, takes_fields: bool, values_of: Option<&str>) {
    let completion = at_mark(text);
    assert_eq!((completion.takes_fields, completion.values_of.as_deref()), (takes_fields, values_of), "{text}");
}

#[test]
fn commands_stand_at_the_start_and_behind_pipes_and_newlines() {
    check("¦", &["filter", "stats"]);
    check("st¦", &["stats"]);
    check("fields a | so¦", &["sort", "source"]);
    check("fields a\nso¦", &["sort"]);
    check("# what\n fil¦", &["filter", "fillmissing"]);
    check("filter a in (source 'g' | st¦", &["stats"]);
    assert_eq!(at_mark("fields a # st¦").choices, []);
}

#[test]
fn keywords_are_those_of_the_command() {
    check_only("stats count(*) b¦", &["by", "between"]);
    check("sort a d¦", &["desc"]);
    check("filter a li¦", &["like"]);
    check("filter a = 1 an¦", &["and"]);
    check("filter a ¦", &["=", "!="]);
    check("parse @message js¦", &["json"]);
    check("timechart sp¦", &["span=5m"]);
}

#[test]
fn functions_have_signatures_and_aggregates_stand_in_stats() {
    let found = at_mark("stats count_d¦");
    assert_eq!(
        found.choices,
        [Choice {
            kind: ChoiceKind::Aggregate,
            label: "count_distinct".into(),
            insert: "count_distinct(".into(),
            detail: "count_distinct(field)".into()
        }]
    );
    check_only("filter count_d¦", &[]);
    check("fields subs¦", &["substr"]);
    assert_eq!(at_mark("fields subs¦").choices[0].detail, "substr(text, start[, length])");
    check("stats avg(strl¦", &["strlen"]);
}

#[test]
fn what_earlier_commands_made_is_known() {
    check("parse @message 'user=* t=*' as user, took | filter to¦", &["took"]);
    check_store("parse @message 'user=* t=*' as user, took | filter to¦", true, None);
    check("stats count(*) as errors by host | sort ¦", &["host", "errors"]);
    check_store("stats count(*) as errors by host | sort ¦", false, None);
    check("fields a + 1 as `odd name` | sort odd¦", &["odd name"]);
    assert_eq!(at_mark("fields a + 1 as `odd name` | sort odd¦").choices[0].insert, "`odd name`");
    check("eval x1 = 1 | drop x1 | fields x1¦", &[]);
    check("filter h in (source 'g' | stats count(*) as inner_count by h | sort inn¦", &["inner_count"]);
}

#[test]
fn fields_and_values_are_asked_of_the_store() {
    check_store("filter ¦", true, None);
    check_store("filter le¦", true, None);
    check_store("filter level = ¦", true, Some("level"));
    check_store("filter level = \"er¦", false, Some("level"));
    check_store("filter level = \"er¦\" | limit 1", false, Some("level"));
    check_store("filter x = 1 and level != 'e¦", false, Some("level"));
    check_store("filter level in [\"a\", \"¦", false, Some("level"));
    check_store("filter level not in [\"¦", false, Some("level"));
    check_store("filter `a b` like \"x y¦", false, Some("a b"));
    check_store("filter strlen(a) = ¦", true, None);
    check_store("fields a as ¦", false, None);
    check_store("dedup ¦", true, None);
    check_store("limit ¦", false, None);
    check_store("filter a = 5¦", false, None);
    check_store("filter m like /er¦", false, None);
    assert!(at_mark("source \"ap¦").takes_groups);
    assert!(at_mark("source \"a\", ¦").takes_groups);
}

#[test]
fn places_are_utf16_and_cover_what_was_begun() {
    let found = at_mark("filter 🌋 = 1\n| filter le¦");
    assert_eq!((found.start, found.end, &*found.prefix), (23, 25, "le"));
    let found = at_mark("filter a = \"🌋\" and level = \"er¦\"");
    assert_eq!((found.start, found.end, &*found.prefix), (28, 32, "er"));
    let found = at_mark("filter lev¦el");
    assert_eq!((found.start, found.end, &*found.prefix), (7, 10, "lev"));
}

#[test]
fn a_mistake_before_does_not_hide_the_command_of_the_cursor() {
    check("filter a = = 1 | stats co¦", &["count_distinct"]);
    check_store("fliter a | filter b = ¦", true, Some("b"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in any::<String>(), cursor in 0..50_usize) {
        complete_insights(&text, cursor, &options());
    }

    #[test]
    fn no_row_of_pieces_panics(
        pieces in prop::collection::vec(prop::sample::select(&super::super::tests::PIECES[..]), 0..20),
        cursor in 0..100_usize,
    ) {
        let text = pieces.join(" ");
        let found = complete_insights(&text, cursor, &options());
        prop_assert!(found.start <= found.end && found.end <= text.encode_utf16().count());
    }
}
