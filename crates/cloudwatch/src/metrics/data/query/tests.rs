//! Periods that are counted.

use super::*;

#[test]
fn only_periods_with_statistic_sets_are_counted() {
    let single = Datum { count: 1.0, sum: 5.0, minimum: 5.0, maximum: 5.0 };
    let set = Datum { count: 2.0, sum: 9.0, minimum: 4.0, maximum: 5.0 };
    let check = |stat: &str, data: &[Datum], n_points: usize, expected: Option<&str>| {
        let query = MetricQuery {
            metric: MetricName { namespace: "n".into(), name: "m".into(), dimensions: BTreeMap::new() },
            unit: None,
            period_ms: 60_000,
            statistic: Statistic::find(stat).expect(stat),
            stat: stat.to_owned(),
        };
        let periods = (0..).map(|n| n * 60_000).zip(data.iter().map(|datum| vec![*datum])).collect();
        let (points, messages) = query.points(periods);
        let text = messages.first().and_then(|message| message["Value"].as_str());
        assert_eq!((points.len(), text), (n_points, expected), "{stat}");
    };
    check("TM(150:1000)", &[single], 0, None);
    check("p50", &[single, set], 1, Some("p50 needs single values: 1 period has statistic sets"));
    check("p50", &[set, single, set], 1, Some("p50 needs single values: 2 periods have statistic sets"));
    check("Average", &[set], 1, None);
}
