//! Fields of series.

use super::*;

#[test]
fn fields_are_those_of_the_series() {
    let texts = [
        r#"{"__name__":"up","job":"a"}"#,
        r#"{"__name__":"down","job":"b"}"#,
        r#"{"__name__":"up","zone":"z"}"#,
        r#"{"__name__":"up"}"#,
        r#"{"__name__":"up","job":"c","zone":"y"}"#,
    ];
    let series = texts.map(|text| Arc::new(Series::of_labels(text).expect("labels")));
    let series: Vec<&Arc<Series>> = series.iter().collect();
    let columns = ["@logStream", "@type", "job", "name", "value", "zone"];
    let fields = SeriesFields::of(&series, &columns).expect("all are columns");
    for (column, name) in columns.iter().enumerate() {
        let expected: Vec<Option<&Arc<str>>> = series.iter().map(|series| series.field(name)).collect();
        let expected = if expected.iter().all(Option::is_none) { Vec::new() } else { expected };
        assert_eq!(fields.texts(column), expected, "{name}");
    }
    let (column_lists, lists) = fields.lists();
    assert_eq!(column_lists, [vec![1, 2, 3], vec![1, 3, 5], vec![1, 3], vec![1, 2, 3, 5]]);
    assert_eq!(lists, [0, 0, 1, 2, 3]);
    assert!(SeriesFields::of(&series, &columns[..5]).is_none(), "zone is no column");
    assert!(SeriesFields::of(&[], &columns).is_some_and(|none| none.lists().1.is_empty()));
}
