//! Durations, numbers, booleans and sizes.

use serde_json::{Value, json};

use super::*;

#[test]
fn durations_go_from_long_units_to_short_ones() {
    let ms = |text: &str| parse_duration(text).map(|duration| duration.as_millis());
    let good = ["15s", "1m30s", "1h", "500ms", "1d12h", "0", "1m500ms"].map(ms);
    assert_eq!(good, [15_000, 90_000, 3_600_000, 500, 129_600_000, 0, 60_500].map(Some));
    assert_eq!(["", "15", "s", "1s1m", "1s1s", "1.5s", "-1s", "1 s"].map(ms), [None; 8]);
}

#[test]
fn numbers_are_spelled_as_in_yaml() {
    let good = ["1000", "1_000", "0x3e8", "01750", "0o1750", "0b1111101000", "1e3", "+1000", "1000.0"];
    assert_eq!(good.map(parse_count), [Some(1_000); 9]);
    assert_eq!(["0", "00", "18446744073709551615"].map(parse_count), [Some(0), Some(0), Some(u64::MAX)]);
    assert_eq!(["", "-1", "1.5", "ten", "1e99", "nan", "0x"].map(parse_count), [None; 7]);
}

#[test]
fn true_and_false_have_the_words_of_yaml() {
    let check = |value: Value, expected: Result<bool, &str>| {
        let definition = json!({"honor_labels": value});
        let found = flag(&Node::root("job", &definition), "honor_labels", true).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    };
    ["true", "Yes", "ON"].into_iter().for_each(|text| check(json!(text), Ok(true)));
    ["false", "no", "Off"].into_iter().for_each(|text| check(json!(text), Ok(false)));
    check(json!(true), Ok(true));
    check(Value::Null, Ok(false));
    [json!("maybe"), json!("1"), json!(1)].into_iter().for_each(|value| {
        check(value, Err("job.honor_labels: must be true or false"));
    });
}

#[test]
fn sizes_are_powers_of_1024() {
    let check = |value: Value, expected: Result<u64, &str>| {
        let definition = json!({"body_size_limit": value});
        let found = size(&Node::root("job", &definition), "body_size_limit", 7).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    };
    check(json!("10MB"), Ok(10 << 20));
    check(json!("1KiB"), Ok(1 << 10));
    check(json!(0), Ok(7));
    check(Value::Null, Ok(7));
    check(json!("much"), Err("job.body_size_limit: \"much\" is not a size; write 10MB or 512KB"));
}
