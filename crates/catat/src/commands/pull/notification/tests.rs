//! Messages in the forms that Amazon documents.

use serde_json::json;

use super::{ObjectName, objects};

fn name(key: &str) -> ObjectName {
    ObjectName { bucket: "logs".into(), key: key.into() }
}

#[test]
fn objects_are_named_by_s3_sns_and_eventbridge() {
    let record = |event: &str, key: &str| json!({"eventName": event, "s3": {"bucket": {"name": "logs"}, "object": {"key": key}}});
    let records = json!({"Records": [
        record("ObjectCreated:Put", "a/2026+x%2By%C3%A9.gz"), record("ObjectRemoved:Delete", "b"),
        record("ObjectCreated:CompleteMultipartUpload", "c"),
    ]});
    let expected = Ok(vec![name("a/2026 x+yé.gz"), name("c")]);
    assert_eq!(objects(&records.to_string()), expected);
    let by_sns = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu:1:t", "Message": records.to_string()});
    assert_eq!(objects(&by_sns.to_string()), expected);
    let detail = json!({"bucket": {"name": "logs"}, "object": {"key": "a+b c.gz"}});
    let by_bridge = json!({"detail-type": "Object Created", "source": "aws.s3", "detail": detail});
    assert_eq!(objects(&by_bridge.to_string()), Ok(vec![name("a+b c.gz")]), "as it is");
    assert_eq!(objects(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"logs"}"#), Ok(vec![]));
}

#[test]
fn what_tells_of_no_object_is_refused() {
    for (body, reason) in [
        ("hello", "no JSON"),
        ("{}", "no objects"),
        (r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}"#, "names no object"),
        (r#"{"Type":"Notification","Message":"hello"}"#, "no JSON"),
    ] {
        let refused = objects(body).expect_err(body);
        assert!(refused.contains(reason), "{body}: {refused}");
    }
}
