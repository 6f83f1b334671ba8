//! Columns that can be named.

use types::Timestamp;

use super::*;

fn columns(text: &str, language: Language, names: &[&str]) -> Result<Vec<String>, String> {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC };
    let plan = parse_showing(text, language, names, &options).map_err(|errors| errors.to_string())?;
    let tail = execute::Tail::new(&plan, chrono_tz::UTC).map_err(|error| error.to_string())?;
    Ok(tail.columns().into_iter().map(str::to_owned).collect())
}

#[test]
fn what_is_computed_and_not_shown_can_be_named() {
    let parsed =
        columns("parse @message \"took *ms\" as took | filter took > 3", Language::Insights, &["took", "@log"]);
    assert_eq!(parsed.as_deref(), Ok(["took".to_owned(), "@log".to_owned()].as_slice()));
    for (text, language) in [
        ("{group=\"a\"} | logfmt | took > 3", Language::Logql),
        ("took:>3", Language::Lucene),
        ("took > 3", Language::Kql),
        ("{ $.took > 3 }", Language::FilterPattern),
    ] {
        assert_eq!(columns(text, language, &["took"]), Ok(vec!["took".to_owned()]), "{text}");
    }
}

#[test]
fn numbers_and_times_are_refused() {
    for (text, language) in [
        ("stats count(*)", Language::Insights),
        ("source \"a\" start=-1d | filter a = 1", Language::Insights),
        ("rate({a=\"b\"}[5m])", Language::Logql),
        ("@timestamp:[now-1h TO now]", Language::Lucene),
    ] {
        assert!(columns(text, language, &[]).is_err(), "{text}");
    }
}
