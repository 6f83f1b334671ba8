//! Results on pages.

use super::*;

/// Returns the ids and the number of datapoints of each result, page by page.
fn pages(page: usize, results: &[(&str, i64)]) -> Vec<Vec<(String, usize)>> {
    let all = || {
        let result = |(id, n): &(&str, i64)| DataResult {
            id: (*id).to_owned(),
            label: String::new(),
            points: (0..*n).map(|time| (time * 60_000, 1.0)).collect(),
            messages: Vec::new(),
        };
        results.iter().map(result).collect::<Vec<_>>()
    };
    let (mut pages, mut start) = (Vec::new(), Some(0));
    while let Some(at) = start {
        let request = DataRequest { queries: Vec::new(), range: (0, 1), is_ascending: true, page, start: at };
        let (answer, next) = request.page_of(all());
        let shown = |result: &Value| {
            let n = result["Values"].as_array().map_or(0, Vec::len);
            (result["Id"].as_str().unwrap_or_default().to_owned(), n)
        };
        pages.push(answer["MetricDataResults"].as_array().expect("a list").iter().map(shown).collect());
        start = next;
    }
    pages
}

#[test]
fn each_query_has_a_result_on_some_page_also_without_datapoints() {
    let check = |page: usize, results: &[(&str, i64)], expected: &[&[(&str, usize)]]| {
        let found = pages(page, results);
        let found: Vec<Vec<(&str, usize)>> =
            found.iter().map(|page| page.iter().map(|(id, n)| (id.as_str(), *n)).collect()).collect();
        assert_eq!(found, expected, "{results:?}");
    };
    check(2, &[("a", 2), ("b", 0)], &[&[("a", 2), ("b", 0)]]);
    check(2, &[("a", 0), ("b", 2), ("c", 0), ("d", 1)], &[&[("a", 0), ("b", 2), ("c", 0)], &[("d", 1)]]);
    check(2, &[("a", 3), ("b", 0)], &[&[("a", 2)], &[("a", 1), ("b", 0)]]);
    check(2, &[("a", 0), ("b", 0)], &[&[("a", 0), ("b", 0)]]);
}
