//! What an index rules out is not read, and never changes an answer.

use std::sync::Arc;

use types::Run;

use super::{Asked, Quirk, Wrapped, run, shown};

#[test]
fn what_an_index_rules_out_is_counted() {
    let indexed: Arc<dyn Run> = Wrapped::new(run(0, 20_000), Quirk::Indexed);
    let text = "filter @message like \"message 1999\" | stats count(*) as c";
    let answer = Asked::default().answer(text, &[indexed]).expect("an answer");
    assert_eq!(shown(&answer), ["11"]);
    let stats = answer.stats;
    assert_eq!((stats.events_scanned, stats.events_skipped, stats.events_matched), (20_000, 19_989, 11));
}

#[test]
fn each_part_of_an_or_is_asked_of_the_index() {
    let indexed: Arc<dyn Run> = Wrapped::new(run(0, 20_000), Quirk::Indexed);
    let asked = |condition: &str| {
        let text = format!("filter {condition} | stats count(*) as c");
        let answer = Asked::default().answer(&text, std::slice::from_ref(&indexed)).expect("an answer");
        (shown(&answer)[0].clone(), answer.stats.events_skipped)
    };
    let (one, other) = ("@message like \"message 1999\"", "@message like \"message 1234 \"");
    assert_eq!(asked(&format!("{one} or {other}")), ("12".into(), 19_988));
    assert_eq!(asked(&format!("({one} and n > 19995) or {other}")), ("5".into(), 19_988));
    // What no index knows may be in any row.
    assert_eq!(asked(&format!("{one} or n < 5")), ("16".into(), 0));
    assert_eq!(asked(&format!("not ({one} or {other})")).0, "19988");
}
