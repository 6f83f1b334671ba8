//! Metrics found by schema, words and properties.

use super::*;

fn check(search: &str, expected: &str) {
    let metrics = [
        ("AWS/EC2", "CPUUtilization", "InstanceId=i-1"),
        ("AWS/EC2", "NetworkIn", "InstanceId=i-22"),
        ("Shop", "RequestCount2", "Service=payments-web,Zone=a"),
        ("Shop", "Errors", ""),
    ];
    let search = match MetricSearch::read(search) {
        Ok(search) => search,
        Err(problem) => return assert_eq!(problem.to_string(), expected),
    };
    let found = metrics.into_iter().filter(|(namespace, name, dimensions)| {
        let dimensions = dimensions.split(',').filter_map(|pair| pair.split_once('='));
        let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        search.is_match(&MetricName { namespace: (*namespace).into(), name: (*name).into(), dimensions })
    });
    assert_eq!(found.map(|(_, name, _)| name).collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn metrics_are_found_by_schema_words_and_properties() {
    check("{AWS/EC2,InstanceId} cpu", "CPUUtilization");
    check("{AWS/EC2, InstanceId}", "CPUUtilization NetworkIn");
    check("{AWS/EC2}", "");
    check("{Shop,Zone,Service} MetricName=\"RequestCount2\"", "RequestCount2");
    check("count", "RequestCount2");
    check("\"count\"", "");
    check("shop NOT web", "Errors");
    check("Namespace=\"Shop\" (errors OR web)", "RequestCount2 Errors");
    check("InstanceId=(i-1 OR i-22)", "CPUUtilization NetworkIn");
    check("Service=web AND Zone=\"a\"", "RequestCount2");
    check("network OR errors", "NetworkIn Errors");
}

#[test]
fn mistakes_are_told() {
    check("", "SEARCH needs a schema or words to search for");
    check("{A", "the schema of SEARCH does not end with }");
    check("(a", "a parenthesis of SEARCH is not closed");
    check("a)", "a parenthesis of SEARCH is closed that was not opened");
    check("\"a", "a quote of SEARCH does not end");
    check("a NOT", "a word is expected in SEARCH");
    check(&"(".repeat(10_000), "the search is nested more than 32 deep");
}
