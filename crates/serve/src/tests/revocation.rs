//! What is open ends when its right to be open does: with a key that is revoked, a session that is signed out of, a user
//! that is removed, a password that changes. Nothing has to happen for it: no further piece, no event, no row.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use types::{Column, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError, TextProbe, Timestamp};

use super::signing::signed;
use super::users::PASSWORD;
use super::{ADMIN_KEY, House, Reply, encoded};

/// Far longer than anything here takes, and shorter than what would end it too: the heartbeat of a tail, the pause of a body.
pub(super) const PATIENCE: Duration = Duration::from_secs(12);

/// A query over this group is not done within [`PATIENCE`].
pub(super) const ENDLESS: &str = "defect/endless";

/// A run whose first block comes again and again.
pub(super) struct Endless(pub(super) Arc<dyn Run>);

impl Run for Endless {
    fn info(&self) -> &RunInfo {
        self.0.info()
    }

    fn n_blocks(&self) -> usize {
        1 << 20
    }

    fn block_rows(&self, _: usize) -> usize {
        self.0.block_rows(0)
    }

    fn block_times(&self, _: usize) -> (Timestamp, Timestamp) {
        self.0.block_times(0)
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        self.0.fields()
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, _: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.0.narrow(0, probe)
    }

    fn read(&self, _: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        std::thread::sleep(Duration::from_millis(1));
        self.0.read(0, names, rows)
    }
}

/// Who has something open, and how that ends.
#[derive(Clone, Copy, Debug)]
enum End {
    KeyRevoked,
    SignedOut,
    UserRemoved,
    PasswordSet,
    OwnPassword,
}

const ENDS: [End; 5] = [End::KeyRevoked, End::SignedOut, End::UserRemoved, End::PasswordSet, End::OwnPassword];

/// Somebody whose right ends.
struct Somebody {
    header: (&'static str, String),
    key_id: String,
    end: End,
}

impl Somebody {
    async fn new(house: &House, end: End, role: &str) -> Self {
        if matches!(end, End::KeyRevoked) {
            let (key_id, key) = house.key(role, &["*"]).await;
            return Self { header: ("x-catat-key", key), key_id, end };
        }
        house.add_user("ani", role, &["*"]).await;
        Self { header: ("cookie", house.cookie("ani").await), key_id: String::new(), end }
    }

    fn request(&self, method: &str, uri: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(uri).header(self.header.0, &self.header.1)
    }

    async fn lose(&self, house: &House) {
        let json = |method: &str, uri: &str| {
            Request::builder().method(method).uri(uri).header("content-type", "application/json")
        };
        let other = json!({"password": "another one", "current": PASSWORD}).to_string();
        let (own, admin) = ((self.header.0, self.header.1.as_str()), ("x-catat-key", ADMIN_KEY));
        let (builder, (name, value), body) = match self.end {
            End::KeyRevoked => (json("DELETE", &format!("/api/v1/keys/{}", self.key_id)), admin, String::new()),
            End::SignedOut => (json("DELETE", "/api/v1/session"), own, String::new()),
            End::UserRemoved => (json("DELETE", "/api/v1/users/ani"), admin, String::new()),
            End::PasswordSet => {
                (json("PUT", "/api/v1/users/ani/password"), admin, r#"{"password":"another one"}"#.to_owned())
            }
            End::OwnPassword => (json("PUT", "/api/v1/users/ani/password"), own, other),
        };
        let reply = house.send(builder.header(name, value).body(Body::from(body)).expect("a request")).await;
        assert_eq!(reply.status, 200, "{:?}: {}", self.end, reply.text());
    }
}

/// Sends the beginning of a body, lets `ending` happen, and sends no more: the answer comes all the same.
async fn half_sent(
    house: &House,
    request: axum::http::request::Builder,
    beginning: &[u8],
    ending: impl Future<Output = ()>,
) -> Reply {
    let (pieces, body) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let upload = house.send(request.body(Body::from_stream(ReceiverStream::new(body))).expect("a request"));
    let happening = async {
        pieces.send(Ok(Bytes::copy_from_slice(beginning))).await.expect("it is read");
        drop(pieces.reserve().await.expect("the beginning was taken"));
        ending.await;
    };
    let (reply, ()) = timeout(PATIENCE, async { tokio::join!(upload, happening) }).await.expect("it ends by itself");
    drop(pieces);
    reply
}

/// Whether a body breaks off while nothing else happens.
async fn breaks_off(body: Body) {
    let mut pieces = body.into_data_stream();
    let all = async { while let Some(Ok(_)) = pieces.next().await {} };
    timeout(PATIENCE, all).await.expect("it ends by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_tail_ends() {
    for end in ENDS {
        let house = House::new();
        let somebody = Somebody::new(&house, end, "read").await;
        let request = somebody.request("GET", "/api/v1/tail").body(Body::empty()).expect("a request");
        let response = house.start(request).await;
        assert_eq!(response.status(), 200, "{end:?}");
        let mut body = response.into_body();
        let first = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await;
        assert!(first.is_some_and(|first| first.is_ok()), "{end:?}: it is live");
        somebody.lose(&house).await;
        breaks_off(body).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_half_sent_is_not_waited_for() {
    for end in ENDS {
        let house = House::new();
        let somebody = Somebody::new(&house, end, "admin").await;
        let request = somebody.request("POST", "/api/v1/ingest?group=late").header("content-type", "application/json");
        let reply = half_sent(&house, request, b"{\"message\":\"a\"}\n", somebody.lose(&house)).await;
        assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (401, Some("key-revoked")), "{end:?}");
        assert!(house.store.groups().iter().all(|group| group.name.as_str() != "late"), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_half_sent_is_waited_for_at_no_door() {
    let house = House::new();
    for (uri, kind) in [
        ("/loki/api/v1/push", "application/json"),
        ("/elasticsearch/_bulk", "application/x-ndjson"),
        ("/v1/logs", "application/x-protobuf"),
        ("/services/collector/event", "application/json"),
        ("/services/collector/raw", "text/plain"),
    ] {
        let somebody = Somebody::new(&house, End::KeyRevoked, "ingest").await;
        let request = somebody.request("POST", uri).header("content-type", kind);
        let reply = half_sent(&house, request, b"{", somebody.lose(&house)).await;
        assert!([401, 403].contains(&reply.status), "{uri}: {} {}", reply.status, reply.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_worth_as_much_as_its_key_when_the_body_is_there() {
    let house = House::new();
    let stream = json!({"logGroupName": "late", "logStreamName": "s"});
    let put = json!({"logGroupName": "late", "logStreamName": "s", "logEvents": [
        {"timestamp": super::now().0 / 1_000_000, "message": "a"},
    ]});
    let order = json!({"name": "agent", "role": "ingest"}).to_string();
    let made = house.administer("POST", "/api/v1/keys", order).await.json();
    let text = |name: &str| made[name].as_str().expect("it is there").to_owned();
    let (id, secret) = (text("access_key_id"), text("secret_access_key"));
    let headers = |operation: &str, body: &str| signed(&id, &secret, operation, body.as_bytes());
    let builder = |headers: HeaderMap| {
        let mut builder = Request::post("/cloudwatch/");
        builder.headers_mut().expect("nothing is wrong so far").extend(headers);
        builder
    };
    for operation in ["CreateLogGroup", "CreateLogStream"] {
        let input = if operation == "CreateLogGroup" { json!({"logGroupName": "late"}) } else { stream.clone() };
        let request = builder(headers(operation, &input.to_string())).body(Body::from(input.to_string()));
        assert_eq!(house.send(request.expect("a request")).await.status, 200, "{operation}");
    }
    let body = put.to_string();
    let somebody = Somebody { header: ("x-none", String::new()), key_id: text("id"), end: End::KeyRevoked };
    // The body is whole, and only its end is missing.
    let request = builder(headers("PutLogEvents", &body));
    let reply = half_sent(&house, request, body.as_bytes(), somebody.lose(&house)).await;
    assert_eq!((reply.status, reply.json()["__type"].as_str()), (400, Some("AccessDeniedException")));
    let counted = json!({"query": "stats count(*)", "groups": ["late"], "from": "now-1d"}).to_string();
    assert_eq!(house.administer("POST", "/api/v1/query", counted).await.json()["rows"], json!([[0]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_and_an_export_end() {
    for (end, accept) in ENDS.into_iter().flat_map(|end| [(end, "application/json"), (end, "application/x-ndjson")]) {
        let house = House::new();
        let event = r#"{"@timestamp":"2026-11-20T11:53:00Z","message":"again"}"#;
        assert_eq!(house.post(&format!("/api/v1/ingest?group={ENDLESS}"), event).await.status, 200);
        let somebody = Somebody::new(&house, end, "read").await;
        let uri = format!("/api/v1/query?groups={ENDLESS}&from=now-1h&query={}", encoded("filter @message like /x/"));
        let request = somebody.request("GET", &uri).header("accept", accept).body(Body::empty());
        let asking = async {
            let response = house.start(request.expect("a request")).await;
            if accept == "application/json" {
                assert_eq!(response.status(), 401, "{end:?}");
            }
            breaks_off(response.into_body()).await;
        };
        let running = async || house.administer("GET", "/api/v1/queries", "").await.json()["queries"].clone();
        let ending = async {
            while running().await == json!([]) {
                tokio::task::yield_now().await;
            }
            somebody.lose(&house).await;
        };
        timeout(PATIENCE, async { tokio::join!(asking, ending) }).await.expect("it ends by itself");
        let stopped = async {
            while running().await != Value::Array(Vec::new()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, stopped).await.expect("nobody works on it any more");
    }
}
