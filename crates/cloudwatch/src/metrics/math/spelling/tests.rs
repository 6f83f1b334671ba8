//! Ids in the text of an expression.

use super::*;

#[test]
fn ids_are_replaced_by_what_they_stand_for() {
    let of = |text: &str| Expression::read(text).expect("an expression");
    let (sum, circle) = (of("m1 + 2"), of("round * 2"));
    let named = |id: &str| match id {
        "m1" => Some(Named::Metric("<a>".to_owned())),
        "e1" => Some(Named::Expression(&sum)),
        "round" => Some(Named::Expression(&circle)),
        _ => None,
    };
    let check = |text: &str| {
        let spelled = canonical(&of(text), &named);
        spelled.map(|(text, used)| format!("{text} {}", used.into_iter().collect::<Vec<_>>().join(",")))
    };
    assert_eq!(check("-e1 / fill(m1, repeat)").as_deref(), Ok("((-(<a> Add 2)) Divide FILL(<a>, REPEAT)) e1,m1"));
    assert_eq!(check("SUM([m1, e1])").as_deref(), Ok("SUM([<a>, (<a> Add 2)]) e1,m1"));
    let refused = check("1 + SEARCH('x', 'Sum')").map_err(|problem| problem.to_string());
    assert_eq!(refused, Err("SEARCH is not supported in what anomalies are detected of".to_owned()));
    assert!(check("m1 - ANOMALY_DETECTION_BAND(m1)").is_err() && check("round").is_err());
}
