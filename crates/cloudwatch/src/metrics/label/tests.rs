//! Parts of labels.

use super::*;

#[test]
fn parts_are_statistics_and_properties() {
    let series = Series {
        label: "cpu".into(),
        points: [(1, 1.0), (2, 2.0), (3, 0.5)].into(),
        period_ms: 60_000,
        properties: [("MetricName".into(), "CPU".into()), ("Dim.Host".into(), "a".into())].into(),
    };
    let check = |label: &str, expected: Result<&str, &str>| {
        assert_eq!(dynamic(label, &series), expected.map(str::to_owned).map_err(str::to_owned), "{label}");
    };
    check("plain", Ok("plain"));
    check(
        "${LABEL} ${MIN}-${MAX} ${AVG} ${SUM} ${FIRST} ${LAST} (${DATAPOINT_COUNT})",
        Ok("cpu 0.5-2 1.167 3.5 1 0.5 (3)"),
    );
    check("${PROP('MetricName')} ${PROP('Dim.Host')}${PROP('Dim.None')}", Ok("CPU a"));
    check("${MAX_TIME}", Err("the part ${MAX_TIME} of a label is not supported here"));
    check("${MAX", Err("the label \"${MAX\" has ${ without }"));
    assert_eq!(dynamic("${MAX}", &Series::default()), Ok("--".to_owned()));
}
