//! How far a query reads beyond its step.

use super::*;
use crate::parse;

fn reach(text: &str) -> Option<(i64, i64)> {
    let reach = parse(text).expect("a query").reach(&Options::default())?;
    Some((reach.before, reach.after))
}

#[test]
fn ranges_offsets_and_lookback_add_up() {
    const S: i64 = 1000;
    assert_eq!(reach("up"), Some((300 * S, 0)));
    assert_eq!(reach("up offset 1h"), Some((3900 * S, -3600 * S)));
    assert_eq!(reach("up offset -1h"), Some((-3300 * S, 3600 * S)));
    assert_eq!(reach("sum by (job) (rate(a_total[1m]))"), Some((60 * S, 0)));
    assert_eq!(reach("max_over_time(rate(a_total[1m] offset 10s)[1h:1m] offset 5m)"), Some((3970 * S, -310 * S)));
    assert_eq!(reach("a / b offset -1m"), Some((300 * S, 60 * S)));
    assert_eq!(reach("time() + 1"), Some((0, 0)));
    assert_eq!(reach("rate(a_total[1m] anchored)"), Some((360 * S, 0)));
    assert_eq!(reach("rate(a_total[30s * 2] smoothed offset 10m)"), Some((960 * S, -300 * S)));
    assert_eq!(reach("a smoothed"), Some((600 * S, 300 * S)));
}

#[test]
fn what_depends_on_more_than_its_step_has_none() {
    for text in [
        "up @ 100",
        "rate(a_total[step()])",
        "rate(a_total[1m] @ end())",
        "max_over_time(up[1h:1m] @ start())",
        "sum(rate({job=\"x\"}[1m]))",
        "rate({__name__=~\"a|b\"}[1m])",
        "max_over_time((a or b)[1h:])",
        "max_over_time(label_replace(a, \"__name__\", \"$1\", \"x\", \"(.*)\")[1h:])",
    ] {
        assert_eq!(reach(text), None, "{text}");
    }
    assert!(reach("a or rate(b[1m])").is_some());
    assert!(reach("{job=\"x\"}").is_some());
}
