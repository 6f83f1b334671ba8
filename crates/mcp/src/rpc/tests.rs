//! Messages, and what is none.

use axum::body::to_bytes;

use super::*;

#[test]
fn a_message_is_a_request_or_a_notification() {
    let read = |text: &str| Message::read(text.as_bytes()).expect(text);
    for (text, id) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Some(json!(1))),
        (r#"{"jsonrpc":"2.0","id":"","method":"ping","params":{}}"#, Some(json!(""))),
        (r#"{"jsonrpc":"2.0","id":-5,"method":"ping","params":null}"#, Some(json!(-5))),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping","more":[1]}"#, Some(json!(1.0))),
        (r#" {"jsonrpc":"2.0","id":18446744073709551615,"method":"ping"} "#, Some(json!(u64::MAX))),
        (r#"{"jsonrpc":"2.0","method":"ping"}"#, None),
    ] {
        let message = read(text);
        assert_eq!((message.id, &*message.method), (id, "ping"), "{text}");
    }
    assert_eq!(read(r#"{"jsonrpc":"2.0","method":"x","params":{"a":1}}"#).params["a"], 1);
}

#[test]
fn whatever_else_a_body_holds_is_refused_by_name() {
    let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}"#, "[".repeat(100_000));
    for (text, code, expected) in [
        ("", RpcCode::ParseError, "EOF"),
        ("{", RpcCode::ParseError, "EOF"),
        ("\u{feff}{}", RpcCode::ParseError, "expected value"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x"} x"#, RpcCode::ParseError, "trailing characters"),
        (&deep, RpcCode::ParseError, "recursion limit"),
        ("5", RpcCode::InvalidRequest, "expected an object"),
        (" [{}]", RpcCode::InvalidRequest, "batches"),
        (r#"{"id":1,"method":"x"}"#, RpcCode::InvalidRequest, "`jsonrpc`"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, RpcCode::InvalidRequest, "jsonrpc:"),
        (r#"{"jsonrpc":"2.0","id":1}"#, RpcCode::InvalidRequest, "method:"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, RpcCode::InvalidRequest, "id:"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, RpcCode::InvalidRequest, "id:"),
        (r#"{"jsonrpc":"2.0","id":1e300,"method":"x"}"#, RpcCode::InvalidRequest, "id:"),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"x"}"#, RpcCode::InvalidRequest, "id:"),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#, RpcCode::InvalidRequest, "duplicate field `id`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}"#, RpcCode::InvalidRequest, "expected a map"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, RpcCode::InvalidRequest, "responses"),
        (r#"{"jsonrpc":"2.0","id":1,"result":null}"#, RpcCode::InvalidRequest, "responses"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#, RpcCode::InvalidRequest, "responses"),
    ] {
        let refusal = Message::read(text.as_bytes()).expect_err(text);
        assert_eq!((refusal.code, refusal.status), (code, StatusCode::BAD_REQUEST), "{text}: {refusal:?}");
        assert!(refusal.message.contains(expected), "{text}: {refusal:?}");
    }
    assert!(Message::read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").is_err());
}

#[tokio::test]
async fn an_answer_has_the_id_of_its_request() {
    let unknown = || RpcError { data: Some(json!({"a": 1})), ..RpcError::refused(RpcCode::UnknownMethod, "no") };
    for (id, outcome, status, expected) in [
        (Some(json!("a")), Ok(json!({})), 200, json!({"jsonrpc": "2.0", "id": "a", "result": {}})),
        (
            Some(json!(0)),
            Err(unknown()),
            400,
            json!({"jsonrpc": "2.0", "id": 0, "error": {"code": -32601, "message": "no", "data": {"a": 1}}}),
        ),
        (
            None,
            Err(RpcError::new(RpcCode::ParseError, "no")),
            200,
            json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "no"}}),
        ),
    ] {
        let Reply::Whole(response) = reply(id, outcome) else { panic!("it is whole") };
        assert_eq!(response.status(), status);
        let body = to_bytes(response.into_body(), 1_000).await.expect("a body");
        assert_eq!(serde_json::from_slice::<Json>(&body).expect("JSON"), expected);
    }
}
