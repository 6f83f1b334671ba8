//! Messages as Amazon documents them.

use super::*;

fn subscriber(is_raw: bool) -> Subscriber {
    let (topic_arn, arn) = ("arn:aws:sns:eu:0:ops".to_owned(), "arn:aws:sns:eu:0:ops:1".to_owned());
    Subscriber { url: "http://a.example/".into(), topic_arn, arn, unsubscribe: "http://u/".into(), is_raw }
}

fn published() -> Json {
    json!({"topic_message": {
        "receiver": {"Topic": "ops"}, "kind": "Notification", "id": "m-1", "topic_arn": "arn:aws:sns:eu:0:ops", "subject": "S",
        "text": "for all", "texts": {"http": "for the web"}, "attributes": {"a": {"Type": "String", "Value": "b"}},
        "made_ms": 1_500, "groups": null, "labels": {},
    }})
}

#[test]
fn a_message_has_the_members_and_headers_that_amazon_documents() {
    let post = subscriber(false).post(&published(), Timestamp(0));
    let body: Json = serde_json::from_str(&post.body).unwrap();
    let expected = json!({
        "Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu:0:ops", "Subject": "S", "Message": "for the web",
        "Timestamp": "1970-01-01T00:00:01.500Z", "SignatureVersion": "1", "Signature": "", "SigningCertURL": "",
        "UnsubscribeURL": "http://u/", "MessageAttributes": {"a": {"Type": "String", "Value": "b"}},
    });
    assert_eq!(body, expected);
    let names: Vec<&str> = post.headers.iter().map(|(name, _)| *name).collect();
    let expected = [
        "Content-Type",
        "x-amz-sns-message-type",
        "x-amz-sns-message-id",
        "x-amz-sns-topic-arn",
        "x-amz-sns-subscription-arn",
    ];
    assert_eq!(names, expected);
    assert_eq!(subscriber(true).post(&published(), Timestamp(0)).body, "for the web");
}

#[test]
fn an_alert_of_a_rule_is_the_message_as_json() {
    let id = "0123456789abcdef0123456789abcdef";
    let alert = json!({"id": id, "rule": "errors", "status": "firing", "annotations": {"summary": "3 errors"}});
    let post = subscriber(false).post(&alert, Timestamp(0));
    let body: Json = serde_json::from_str(&post.body).unwrap();
    assert_eq!(body["MessageId"], "01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(body["Subject"], "[FIRING] errors: 3 errors");
    assert_eq!(serde_json::from_str::<Json>(body["Message"].as_str().unwrap()).unwrap(), alert);
}
