//! Rows and their streams.

use super::*;

#[test]
fn rows_go_to_their_streams_whatever_form_the_column_has() {
    let texts = |names: &[&str]| names.iter().map(|name| Value::text(*name)).collect::<Vec<_>>();
    let coded = Column::Dictionary { codes: vec![1, 0, 1, 2], values: Arc::new(texts(&["a", "b", "b"])) };
    let mixed = Column::Mixed(texts(&["b", "a", "b", "b"]).into_iter().map(Some).collect());
    for column in [coded, mixed] {
        let expected: Vec<(Arc<str>, Vec<usize>)> = vec![("b".into(), vec![0, 2, 3]), ("a".into(), vec![1])];
        assert_eq!(by_stream(&column), expected);
    }
}
