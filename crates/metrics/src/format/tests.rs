//! Numbers, times and matrices as clients of Prometheus read them.

use super::*;

#[test]
fn numbers_and_times_are_texts_that_clients_of_prometheus_read() {
    let numbers = [1.0, 0.1, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|number| json!(Float(number)));
    assert_eq!(numbers, ["1", "0.1", "-0", "NaN", "+Inf", "-Inf"]);
    for number in [12345.678, -0.1, 1e-4, 9.9e-5, 1e-6, 1e15 - 0.125, 1e15, -1.5e20, -123456789.0, 0.1 + 0.2] {
        assert_eq!(json!(Float(number)), number.to_string());
    }
    let numbers = [1e21, 1e-7, 9.99e-7, -1.5e300, 5e-324, f64::MAX].map(|number| json!(Float(number)));
    let expected = ["1e+21", "1e-07", "9.99e-07", "-1.5e+300", "5e-324", "1.7976931348623157e+308"];
    assert_eq!(numbers, expected);
    let seconds = [0, 1_000, 1_435_781_430_781, 1_020, 1_500, 7, -1, -2_340, i64::MIN].map(|time| {
        let mut writer = AnswerWriter(Vec::new());
        writer.seconds(time).expect("a number");
        String::from_utf8(writer.0).expect("digits")
    });
    let expected = ["0", "1", "1435781430.781", "1.02", "1.5", "0.007", "-0.001", "-2.34", "-9223372036854775.808"];
    assert_eq!(seconds, expected);
}

#[test]
fn a_matrix_has_floats_and_histograms_apart() {
    let histogram = Histogram { count: 2.0, sum: 3.0, zero_count: 2.0, zero_threshold: 0.5, ..Histogram::default() };
    let samples =
        vec![Sample { time: 0, value: Value::Float(1.5) }, Sample { time: 1_000, value: Value::from(histogram) }];
    let row = Row { labels: Labels::new([("job", "a")]), samples };
    let expected = json!({"resultType": "matrix", "result": [{
        "metric": {"job": "a"}, "values": [[0, "1.5"]],
        "histograms": [[1, {"count": "2", "sum": "3", "buckets": [[3, "-0.5", "0.5", "2"]]}]],
    }]});
    let written = |data: Data| {
        let answer = AnswerWriter::answer(&data, 1_500, Vec::new(), &Annotations::default()).expect("JSON");
        let mut answer: JsonValue = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!(answer["status"], "success");
        answer["data"].take()
    };
    assert_eq!(written(Data::Matrix(vec![row.clone()])), expected);
    let first = json!({"resultType": "vector", "result": [{"metric": {"job": "a"}, "value": [0, "1.5"]}]});
    assert_eq!(written(Data::Vector(vec![row])), first);
    assert_eq!(written(Data::Scalar(f64::NEG_INFINITY)), json!({"resultType": "scalar", "result": [1.5, "-Inf"]}));
    let text = written(Data::String("a \"b\"\n".into()));
    assert_eq!(text, json!({"resultType": "string", "result": [1.5, "a \"b\"\n"]}));
    let nothing = Row { labels: Labels::new([("job", "a")]), samples: Vec::new() };
    let nothing = written(Data::Matrix(vec![nothing]));
    assert_eq!(nothing, json!({"resultType": "matrix", "result": [{"metric": {"job": "a"}}]}));
}

#[test]
fn what_is_to_be_remarked_stands_beside_the_data() {
    let plain = serde_json::to_value(success(1, Vec::new(), &Annotations::default())).expect("JSON");
    assert_eq!(plain, json!({"status": "success", "data": 1}));
    let annotations = Annotations { infos: ["i".to_owned()].into(), ..Annotations::default() };
    let remarked = serde_json::to_value(success(1, vec!["w".to_owned()], &annotations)).expect("JSON");
    assert_eq!(remarked, json!({"status": "success", "data": 1, "warnings": ["w"], "infos": ["i"]}));
    let data = Data::Matrix(Vec::new());
    let remarked = AnswerWriter::answer(&data, 0, vec!["w".to_owned()], &annotations).expect("JSON");
    let expected = r#"{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["w"],"infos":["i"]}"#;
    assert_eq!(String::from_utf8(remarked).expect("JSON"), expected);
}
