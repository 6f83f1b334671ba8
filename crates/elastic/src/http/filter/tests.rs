//! Selected parts of an answer.

use super::*;

fn shown(text: &str) -> String {
    let filter = Filter::new(text);
    let keys = filter.keys(Action::Create).iter().zip(KEYS).filter(|(wanted, _)| **wanted).map(|(_, key)| key);
    let own = [(filter.errors, "errors"), (filter.took, "took")];
    own.iter().filter(|(wanted, _)| *wanted).map(|(_, key)| *key).chain(keys).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_is_asked_for_is_wanted() {
    let all = format!("errors took {}", KEYS.join(" "));
    assert_eq!(shown(""), all);
    assert_eq!(shown("*"), all);
    assert_eq!(shown("errors,items.*.error,items.*.status"), "errors status error");
    assert_eq!(shown("errors,items.index.status"), "errors");
    assert_eq!(shown("items.*.error.type,items.*._i*"), "_index _id error");
    assert_eq!(shown("took, items"), format!("took {}", KEYS.join(" ")));
    assert_eq!(shown("-took,-items.*._shards,-items.*.error.reason"), all.replace("took ", "").replace("_shards ", ""));
    assert_eq!(shown("nothing"), "");
}

#[test]
fn of_any_answer_only_what_is_asked_for_is_shown() {
    let answer = serde_json::json!({
        "took": 1, "hits": {"total": {"value": 2}, "hits": [{"_id": "a", "_source": {"x": {"y": 1}, "z": 2}}, {"_id": "b"}]},
    });
    let check = |text: &str, expected: Json| {
        let parameters = Parameters(vec![("filter_path".into(), text.into())]);
        assert_eq!(Paths::of(&parameters).shown(answer.clone()), expected, "{text}");
    };
    let json = |text: &str| serde_json::from_str::<Json>(text).expect("JSON");
    check("", answer.clone());
    check("took", json(r#"{"took":1}"#));
    check("hits.hits._id", json(r#"{"hits":{"hits":[{"_id":"a"},{"_id":"b"}]}}"#));
    check("hits.hits._source.*.y,t*", json(r#"{"took":1,"hits":{"hits":[{"_source":{"x":{"y":1}}}]}}"#));
    check("**.y", json(r#"{"hits":{"hits":[{"_source":{"x":{"y":1}}}]}}"#));
    check("**.hits", json(&format!("{{\"hits\":{}}}", answer["hits"])));
    check("-hits.hits", json(r#"{"took":1,"hits":{"total":{"value":2}}}"#));
    check("hits.**,-**._source", json(r#"{"hits":{"total":{"value":2},"hits":[{"_id":"a"},{"_id":"b"}]}}"#));
    check("nothing", json("{}"));
    check(&"**.".repeat(500), answer.clone());
}
