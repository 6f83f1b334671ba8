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

/// Checks whether fields of events may be there, and values of which field.
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
    // What a command made is not what the store has under that name.
    check_store("eval level = n + 1 | filter level = ¦", true, None);
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
fn tables_and_their_columns_stand_in_lookups() {
    let at = |text| {
        let found = at_mark(text);
        (found.takes_tables, found.columns_of_table, found.takes_fields)
    };
    let people = || Some("people".to_owned());
    assert_eq!(at("lookup ¦"), (true, None, false));
    assert_eq!(at("filter a = 1 | lookup peo¦"), (true, None, false));
    assert_eq!(at("lookup people ¦"), (false, people(), true));
    assert_eq!(at("lookup people id as us¦"), (false, None, true));
    assert_eq!(at("lookup people id as user, ¦"), (false, people(), true));
    assert_eq!(at("lookup people id output ¦"), (false, people(), false));
    assert_eq!(at("lookup people id output name, te¦"), (false, people(), false));
    assert_eq!(at("lookup people id output name as ¦"), (false, None, false));
    check("lookup people id out¦", &["output"]);
    check("mvexpand items li¦", &["limit="]);
    check("source \"a\" st¦", &["start="]);
    check("join ty¦", &["type="]);
    check_store("join left=a right=b where us¦ ( source \"x\" )", true, None);
}

/// Fields of the queries below, which the store knows.
const STORED: [&str; 14] = [
    "status", "path", "took", "user", "host", "service", "bytes", "items", "level", "message", "@message",
    "@timestamp", "@level", "@log",
];

/// What people write, with everything that the grammar has.
const QUERIES: [&str; 30] = [
    "filter status >= 500 | stats count(*) as n by path | sort n desc | limit 20",
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "filter @message like /timeout/ and not status = 200",
    "filter status in [500, 502] or path like \"/api\"",
    "filter took between 100 and 200 | fields path, took",
    "stats avg(took) as mean, pct(took, 99) as p by bin(5m), service",
    "stats count_distinct(user) by host\n| sort host",
    "fields @timestamp\nfilter level = \"info\"\n  and service = \"web\"\nsort @timestamp desc",
    "timechart span=1m count(*) as n, max(took) by service",
    "top 5 path by host",
    "rare user",
    "parse @message \"user=* took=*ms\" as who, ms | stats avg(ms) by who",
    "parse @message /(?<kind>[A-Z]+)/ | filter kind = \"E\" | fields kind",
    "parse message json as p | limit 5",
    "dedup user, host | limit 10",
    "eval slow = took > 1000 | drop user | fields slow",
    "rename took as ms | fields ms",
    "unnest items into item | stats count(*) by item",
    "mvexpand items limit=10 | fields items",
    "filter strlen(user) > 3 and isblank(host)",
    "fields concat(toupper(user), \" \", substr(path, 0, 3)) as label",
    "stats count(*) as n by bin(1h) | fillmissing with 0 for n",
    "filter user in (source \"db\" | filter status = 500 | fields user) | limit 3",
    "pattern @message | sort @sampleCount desc",
    "filter @level >= \"warn\" | pattern @message | diff previousDay",
    "sessionize user, host maxspan 1h as visit | stats max(@timestamp) as last by visit",
    "lookup people id as user output name | stats count(*) as n by name",
    "stats sum(bytes) as sent by host | addtotals sent",
    "filter status >= 200 # a note\n| stats min(took), max(took) by service",
    "stats count(*) as n by service | anomaly | limit 7",
];

/// Reports whether the word at `start` is a name that the query itself makes, or one that only it knows.
fn is_of_its_own(text: &str, start: usize, word: &str) -> bool {
    let before = text[..start].trim_end();
    let follows_new =
        [" as", " into", "drop", "rename", "maxspan", "span=", "limit="].iter().any(|end| before.ends_with(end));
    let known_later = [
        "n", "p", "mean", "who", "ms", "kind", "slow", "item", "label", "visit", "last", "sent", "name", "id", "people",
    ];
    follows_new
        || known_later.contains(&word)
        || word == "@sampleCount"
        || word.starts_with(|c: char| c.is_ascii_digit())
}

#[test]
fn every_word_of_a_real_query_is_suggested_while_it_is_typed() {
    let mut problems = Vec::new();
    for text in QUERIES {
        for token in lexer::tokens(text).iter().filter(|token| token.sign == Sign::Word) {
            if is_of_its_own(text, token.start, token.text) {
                continue;
            }
            for n in 0..=token.text.len() {
                let cursor = token.start + n;
                let found = complete_insights(text, cursor, &options());
                let word = token.text.to_lowercase();
                let is_choice = found.choices.iter().any(|choice| choice.label.to_lowercase().starts_with(&word));
                let is_right = is_choice || (STORED.contains(&token.text) && found.takes_fields);
                if !is_right || (found.start, found.end) != (token.start, cursor) {
                    let labels: Vec<&str> = found.choices.iter().map(|choice| &*choice.label).take(6).collect();
                    problems.push(format!(
                        "{}¦{}: {word}: {labels:?}, fields {}",
                        &text[..cursor],
                        &text[cursor..],
                        found.takes_fields
                    ));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} places:\n{}", problems.len(), problems.join("\n"));
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
