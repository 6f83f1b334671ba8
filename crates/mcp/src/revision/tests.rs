//! Revisions by headers and bodies.

use axum::http::{HeaderName, HeaderValue};

use super::*;

const VERSION: &str = "mcp-protocol-version";

fn checked(headers: &[(&str, &str)], message: &Json) -> Result<Lifecycle, RpcError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        map.append(HeaderName::try_from(*name).expect("a name"), value);
    }
    check(&map, &Message::read(message.to_string().as_bytes()).expect("a message"))
}

fn request(method: &str, params: &Json) -> Json {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn meta(revision: &str) -> Json {
    json!({"_meta": {META_REVISION: revision, META_CAPABILITIES: {}}})
}

#[test]
fn initialize_agrees_on_the_revision_of_the_client_or_on_the_last_one_that_has_it() {
    for (asked, expected) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        assert_eq!(negotiated(asked), expected);
    }
}

#[test]
fn a_message_is_of_the_revision_that_it_names() {
    let (last, list) = ("2026-07-28", "tools/list");
    let call = |name: &str| request("tools/call", &json!({"name": name, "_meta": meta(last)["_meta"]}));
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let begin = |revision: &str| request("initialize", &json!({"protocolVersion": revision}));
    for (headers, message, expected) in [
        (vec![], request(list, &json!({})), Lifecycle::Negotiated),
        (vec![(VERSION, "2025-11-25")], request(list, &json!({})), Lifecycle::Negotiated),
        (vec![(VERSION, "2025-11-25"), (VERSION, "2025-11-25")], request(list, &json!({})), Lifecycle::Negotiated),
        (vec![(VERSION, "2025-11-25")], request(list, &meta("2025-11-25")), Lifecycle::Negotiated),
        (vec![], begin("1999-01-01"), Lifecycle::Negotiated),
        (vec![(VERSION, last)], begin(last), Lifecycle::Negotiated),
        (vec![(VERSION, last), ("mcp-method", list)], request(list, &meta(last)), Lifecycle::SelfContained),
        (vec![(VERSION, "2025-11-25")], request("server/discover", &meta("2025-11-25")), Lifecycle::SelfContained),
        (
            vec![(VERSION, last), ("mcp-method", "tools/call"), ("mcp-name", "query")],
            call("query"),
            Lifecycle::SelfContained,
        ),
        (
            vec![(VERSION, last), ("mcp-method", "tools/call"), ("mcp-name", "=?base64?w6k=?=")],
            call("é"),
            Lifecycle::SelfContained,
        ),
        (vec![(VERSION, last), ("mcp-method", "notifications/initialized")], initialized, Lifecycle::SelfContained),
    ] {
        assert_eq!(checked(&headers, &message).expect("it is taken"), expected, "{headers:?} {message}");
    }
}

#[test]
fn headers_that_say_something_else_than_the_body_are_refused() {
    let (last, list) = ("2026-07-28", "tools/list");
    let call = request("tools/call", &json!({"name": "query", "_meta": meta(last)["_meta"]}));
    let without = |name: &str| {
        let mut params = meta(last);
        params["_meta"].as_object_mut().expect("an object").remove(name);
        request(list, &params)
    };
    let of_list = vec![(VERSION, last), ("mcp-method", list)];
    let of_call = |name| vec![(VERSION, last), ("mcp-method", "tools/call"), ("mcp-name", name)];
    let (mismatch, unsupported) = (RpcCode::HeaderMismatch, RpcCode::UnsupportedRevision);
    let begin = request("initialize", &json!({"protocolVersion": "2025-06-18"}));
    for (headers, message, code, expected) in [
        (vec![], request(list, &meta(last)), mismatch, "not repeated"),
        (vec![(VERSION, "2025-11-25")], request(list, &meta(last)), mismatch, "\"2025-11-25\" does not match"),
        (vec![(VERSION, "2025-03-26")], begin.clone(), mismatch, "does not match"),
        (vec![(VERSION, "2025-03-26"), (VERSION, "2025-06-18")], begin, mismatch, "several values"),
        (vec![(VERSION, "é")], request(list, &json!({})), mismatch, "outside ASCII"),
        (vec![(VERSION, "1999-01-01")], request(list, &json!({})), unsupported, "known: 2024-11-05, "),
        (vec![(VERSION, "2030-01-01")], request(list, &meta("2030-01-01")), unsupported, "\"2030-01-01\""),
        (vec![(VERSION, last)], request(list, &meta(last)), mismatch, "Mcp-Method is needed"),
        (of_call("query"), request(list, &meta(last)), mismatch, "Mcp-Method \"tools/call\" does not match"),
        (vec![(VERSION, last), ("mcp-method", "tools/call")], call.clone(), mismatch, "Mcp-Name is needed"),
        (of_call("patterns"), call.clone(), mismatch, "Mcp-Name \"patterns\" does not match"),
        (of_call("=?base64?%%?="), call, mismatch, "Mcp-Name"),
        (of_list.clone(), request(list, &json!({})), RpcCode::InvalidParams, META_REVISION),
        (of_list.clone(), without(META_REVISION), RpcCode::InvalidParams, META_REVISION),
        (of_list, without(META_CAPABILITIES), RpcCode::InvalidParams, META_CAPABILITIES),
        (vec![], request("server/discover", &json!({})), RpcCode::InvalidParams, META_REVISION),
    ] {
        let refusal = checked(&headers, &message).expect_err("it is refused");
        assert_eq!((refusal.code, refusal.status.as_u16()), (code, 400), "{headers:?} {message}: {refusal:?}");
        assert!(refusal.message.contains(expected), "{headers:?} {message}: {refusal:?}");
    }
}
