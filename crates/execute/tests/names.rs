//! Fields whose names begin with a word of the language are fields like all others.
//!
//! The words are read from the grammars, so that a new command or operator is tried without being named here.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use types::Timestamp;

/// Where a name may stand, as `N`.
const PLACES: &[&str] = &[
    "fields N",
    "fields N, a",
    "fields a, N as b",
    "fields a as N | fields N",
    "display N",
    "filter N = 1",
    "filter N",
    "filter not N",
    "filter a = 1 and N > 2 or N like \"x\"",
    "filter a < N",
    "filter a between N and N",
    "filter a in [N]",
    "filter N in [1, 2]",
    "filter N not in [1]",
    "filter N has \"x\"",
    "filter (N) = 1",
    "filter N+1 > 2",
    "eval N = a + 1",
    "eval a = N + 1",
    "eval a = concat(N, N)",
    "sort N",
    "sort N desc",
    "sort N asc, a",
    "sort a, N",
    "sort by N",
    "order by N desc",
    "sort N+1",
    "stats count(*) by N",
    "stats sum(N) by a, N",
    "stats count(*) as N",
    "stats sum(N) as n by bin(5m), N",
    "timechart span=1m count(*) by N",
    "top N",
    "top 2 N",
    "top 2 a by N",
    "rare N",
    "dedup N",
    "dedup a, N",
    "drop N",
    "rename N as a",
    "rename a as N",
    "parse N \"a*\" as b",
    "parse N \"a*\" as N",
    "parse N json",
    "parse N json as N",
    "parse N grok \"%{IP:x}\"",
    "parse N /(?<x>a)/",
    "unnest N into N",
    "stats count(*) as N by bin(5m) | fillmissing with 0 for N",
    "filldown N",
    "mvexpand N",
    "addtotals N",
    "pattern N",
    "sessionize N",
    "autoregress N as a",
    "lookup t N output a",
    "lookup t a output N",
    "join left=l right=r where l.N = r.N (source \"g\" | fields N)",
];

const GRAMMAR: &str = include_str!("../../../grammar/insights.pest");

/// The words that a part of the grammar of Insights QL names.
fn words(grammar: &str) -> BTreeSet<String> {
    let quoted = grammar.split("^\"").skip(1).filter_map(|rest| rest.split('"').next());
    quoted.filter(|word| word.len() > 1 && word.chars().all(char::is_alphabetic)).map(str::to_owned).collect()
}

/// The plan of a query, or its errors.
fn plan_of(query: &str) -> Result<String, String> {
    let options = ParseOptions { now: Timestamp(1_795_157_233_000_000_000), time_zone: Tz::UTC };
    parse_insights(query, &options).map(|plan| plan.to_string()).map_err(|errors| errors.to_string())
}

#[test]
fn names_that_begin_with_a_word_of_the_language_are_names() {
    let mut refused = Vec::new();
    for place in PLACES {
        let usual = plan_of(&place.replace('N', "qqq")).unwrap_or_else(|errors| panic!("{place}: {errors}"));
        for word in words(GRAMMAR) {
            for end in ["s", "x", "1", "_id", ".id", "@", "ä"] {
                let name = format!("{word}{end}");
                let query = place.replace('N', &name);
                match plan_of(&query) {
                    Ok(plan) if plan == usual.replace("qqq", &name) => {}
                    Ok(plan) => refused.push(format!("{query}: another plan: {plan}")),
                    Err(errors) => refused.push(format!("{query}: {errors}")),
                }
            }
        }
    }
    let shown = refused[..refused.len().min(40)].join("\n");
    assert!(refused.is_empty(), "{} of the queries fail:\n{shown}", refused.len());
}

#[test]
fn a_hint_never_proposes_the_word_that_was_written() {
    let ends = [
        "", "x", "by", "by by", "1", "(", ")", ",", "=", "= 1", "a as", "/x/", "\"x\" \"y\"", "in", "1 min", "a b", "*",
    ];
    let commands = GRAMMAR.split("keyword = @{").nth(1).and_then(|rest| rest.split('}').next()).expect("the keywords");
    for word in words(commands).into_iter().filter(|word| word != "order" && word != "by") {
        for start in ["", "fields a | ", "filter a = 1\n", "stats count(*) by "] {
            for end in ends {
                let query = format!("{start}{word} {end}");
                let Err(errors) = plan_of(&query) else { continue };
                let is_nonsense = errors.contains(&format!("did you mean \"{word}\"?"))
                    || errors.contains(&format!("there is no command `{word}`"));
                assert!(!is_nonsense, "{query}: {errors}");
            }
        }
    }
}

#[test]
fn names_in_lucene_and_kql_may_begin_with_their_words() {
    let now = Timestamp(1_795_157_233_000_000_000);
    let places = ["N:1", "a:N", "N", "a:1 and N:2", "(N:1)", "N:\"x y\"", "a:(N or b)"];
    type Parse = fn(&str, Timestamp) -> Result<plan::Plan, plan::QueryErrors>;
    let languages: [(&str, Parse); 2] = [("lucene", language::parse_lucene), ("kql", language::parse_kql)];
    for (language, parse) in languages {
        for place in places {
            let usual = parse(&place.replace('N', "qqq"), now);
            let usual = usual.unwrap_or_else(|errors| panic!("{language} {place}: {errors}")).to_string();
            for word in ["and", "or", "not", "to", "AND", "OR", "NOT", "TO", "in", "exists", "true", "null"] {
                for end in ["s", "x", "1", "_id", ".id"] {
                    let name = format!("{word}{end}");
                    let plan = parse(&place.replace('N', &name), now);
                    let plan = plan.unwrap_or_else(|errors| panic!("{language} {place} {name}: {errors}"));
                    assert_eq!(plan.to_string(), usual.replace("qqq", &name), "{language} {place}");
                }
            }
        }
    }
}
