//! The whole service on a store of its own, without sockets: requests go in, answers come out.

mod access;
mod alerting;
mod audit;
mod causes;
mod changes;
mod clocks;
mod cloudwatch;
mod cloudwatch_data;
mod cloudwatch_endpoints;
mod cloudwatch_events;
mod cloudwatch_live;
mod cloudwatch_metrics;
mod cloudwatch_queries;
mod cloudwatch_subscriptions;
mod connections;
mod context;
mod dashboards;
mod datadog;
mod deletions;
mod derived;
mod derived_metrics;
mod derived_numbers;
mod doctor;
mod doors;
mod elastic;
mod elastic_aggregations;
mod elastic_aliases;
mod elastic_buckets;
mod elastic_esql;
mod elastic_manage;
mod elastic_mappings;
mod elastic_options;
mod elastic_pipelines;
mod elastic_scroll;
mod elastic_search;
mod elastic_values;
mod exemplars;
mod exports;
mod firehose;
mod first_key;
mod for_everybody;
mod hostile_frames;
mod http2;
mod incidents;
mod issues;
mod journal;
mod loki;
mod loki_labels;
mod loki_lookups;
mod loki_tail;
mod lookups;
mod map_slices;
mod matrix;
mod mcp;
mod native;
mod native_histograms;
mod on_postgres;
mod otlp;
mod otlp_metrics;
mod panics;
mod patterns;
mod pipelines;
mod pushes;
mod query_languages;
mod range_snapshots;
mod remote_write;
mod revocation;
mod rule_trials;
mod scopes;
mod security;
mod sentry;
mod series_rules;
mod sign_in;
#[path = "../../cloudwatch/src/signature/tests/signing.rs"]
mod signing;
mod socket;
mod socket_doors;
mod sources;
mod spans;
mod splunk;
mod suggestions;
mod syslog;
mod tail;
mod targets;
mod tls;
mod trace_apis;
mod trace_density;
mod trace_line;
mod trace_searches;
mod traces;
mod unknown_names;
mod upkeep;
mod users;
mod views;
mod work_bounds;
mod xray;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::cloudwatch::authorization;
use alert::metrics::{self, FileMetric, Metrics, Recording};
use alert::{Alerts, RuleSet};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use storage::{Clock, Options, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;
use types::{Limits, Timestamp};

use crate::formats::format_of;
use crate::router::Families;
use crate::{Access, Keys, SignIn, router};
use door::listen::Service;
use door::own_samples::OwnSamples;
use door::{App, Server};

/// When it is in tests: 2026-11-20T12:00:00Z.
const NOW: &str = "2026-11-20T12:00:00Z";

/// The file whose presence lets a server post to this machine.
const NEAR: &str = "near";

const ADMIN_KEY: &str = "admin-key-of-tests";

/// A service, and the directory that it lives in.
struct House {
    router: Router,
    server: Arc<Server>,
    families: Families,
    store: Arc<Store>,
    closing: watch::Sender<bool>,
    dir: Arc<TempDir>,
}

/// An answer, read whole.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).expect("a valid time")
}

impl House {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        Self::with_clock(limits, Clock::new(now))
    }

    fn with_clock(limits: Limits, clock: Clock) -> Self {
        Self::with_key_rate(limits, clock, None)
    }

    /// One whose keys may send so many bytes a second.
    fn with_key_rate(limits: Limits, clock: Clock, bytes_per_s: Option<u64>) -> Self {
        let dir = Arc::new(TempDir::new().expect("a scratch directory"));
        let options =
            Options { clock: clock.clone(), groups_max: limits.groups, ..Options::new(dir.path().join("data")) };
        let (store, _) = Store::open(options).expect("a new store opens");
        Self::on(store, limits, clock, bytes_per_s, dir, RuleSet::default())
    }

    /// One that may post to this machine, as its restarts may.
    fn reaching_near() -> Self {
        let dir = Arc::new(TempDir::new().expect("a scratch directory"));
        std::fs::write(dir.path().join(NEAR), "").expect("it is writable");
        let clock = Clock::new(now);
        let options = Options { clock: clock.clone(), ..Options::new(dir.path().join("data")) };
        let (store, _) = Store::open(options).expect("a new store opens");
        Self::on(store, Limits::default(), clock, None, dir, RuleSet::default())
    }

    /// One with rules, as a file says them.
    fn with_rules(text: &str) -> Self {
        let bare = Self::new();
        let mut rules = RuleSet::default();
        rules.add("rules.yaml", text).expect("good rules");
        let app = &bare.server.app;
        Self::on(bare.store.clone(), app.limits.clone(), app.clock.clone(), None, bare.dir.clone(), rules)
    }

    /// Another server on the same store, as after a restart.
    fn restarted(&self) -> Self {
        self.restarted_with(SignIn::default())
    }

    /// The same with other ways to sign in.
    fn restarted_with(&self, sign_in: SignIn) -> Self {
        let app = &self.server.app;
        let parts = (RuleSet::default(), sign_in);
        Self::whole(self.store.clone(), app.limits.clone(), app.clock.clone(), None, self.dir.clone(), parts)
    }

    fn on(
        store: Arc<Store>,
        limits: Limits,
        clock: Clock,
        bytes_per_s: Option<u64>,
        dir: Arc<TempDir>,
        rules: RuleSet,
    ) -> Self {
        Self::whole(store, limits, clock, bytes_per_s, dir, (rules, SignIn::default()))
    }

    fn whole(
        store: Arc<Store>,
        limits: Limits,
        clock: Clock,
        bytes_per_s: Option<u64>,
        dir: Arc<TempDir>,
        (rules, sign_in): (RuleSet, SignIn),
    ) -> Self {
        let of_rules = (rules.metrics.clone(), rules.recordings.clone());
        let access = Access {
            admin_key: Some(ADMIN_KEY.into()),
            addresses: vec!["127.0.0.1".parse().expect("an address")],
            ..Access::default()
        };
        let app = App {
            intake: Arc::new(ingest::Intake::new(store.clone(), limits.clone(), 0)),
            alerts: alerts(&store, dir.path(), rules),
            metrics: metrics(&store, dir.path(), &clock, of_rules),
            cache: Arc::new(execute::PartialCache::new(limits.query_cache_bytes)),
            spill: execute::SpillSpace::open(&dir.path().join("spill"), 1 << 30, 0).ok(),
            archives: None,
            limits,
            reload: None,
            examine: None,
            access,
            sign_in,
            keys: Arc::new(Keys::open(store.clone(), bytes_per_s, clock.now()).expect("the store is new")),
            tls: None,
            fleet: None,
            own_samples: OwnSamples {
                pushes: Duration::from_secs(15),
                service_graph: None,
                // Nothing stores them but the test about them.
                metrics: Some(Duration::from_millis(1)),
                instance: "test:1".into(),
            },
            dashboards_dir: Some(dir.path().join("dashboards")),
            map_file: dir.path().join("map.slices"),
            clock,
            n_threads: 2,
            version: "0.0.0-test".into(),
        };
        let (closing, told) = watch::channel(false);
        let server = Server::new(store.clone(), app, told);
        server.set_snapshot_filter(panics::with_defects);
        let families = Families::start(&server, None);
        Self { router: router::build(&families), server, families, store, closing, dir }
    }

    /// Returns what listeners serve.
    fn service(&self) -> Service {
        Service { router: self.router.clone(), format_of }
    }

    /// Sends a request from loopback.
    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.start(request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body that ends well");
        Reply { status, headers, body: body.to_vec() }
    }

    /// Sends a request and leaves the body to be read.
    async fn start(&self, mut request: Request<Body>) -> axum::response::Response {
        if !request.headers().contains_key("host") {
            request.headers_mut().insert("host", "localhost:22828".parse().expect("a header value"));
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }

    async fn get(&self, uri: &str) -> Reply {
        self.send(Request::get(uri).body(Body::empty()).expect("a request")).await
    }

    async fn get_with(&self, uri: &str, name: &str, value: &str) -> Reply {
        self.send(Request::get(uri).header(name, value).body(Body::empty()).expect("a request")).await
    }

    async fn post(&self, uri: &str, body: impl Into<Body>) -> Reply {
        self.send(Request::post(uri).body(body.into()).expect("a request")).await
    }

    /// Sends a request with the admin key.
    async fn administer(&self, method: &str, uri: &str, body: impl Into<Body>) -> Reply {
        let request = Request::builder().method(method).uri(uri).header("x-catat-key", ADMIN_KEY);
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Posts JSON with the admin key.
    async fn administer_json(&self, uri: &str, body: &Value) -> Reply {
        let request = Request::post(uri).header("x-catat-key", ADMIN_KEY).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Five events of two groups in the ten minutes before now.
    async fn fill(&self) {
        let web = [
            r#"{"@timestamp":"2026-11-20T11:51:00Z","message":"GET /a","level":"info","service":"web","ms":12}"#,
            r#"{"@timestamp":"2026-11-20T11:52:00Z","message":"GET /b","level":"error","service":"web","ms":40}"#,
            r#"{"@timestamp":"2026-11-20T11:53:30Z","message":"GET /c failed","level":"error","service":"api","ms":41}"#,
        ];
        let db = [
            r#"{"@timestamp":"2026-11-20T11:54:00Z","message":"slow query","level":"warn"}"#,
            r#"{"@timestamp":"2026-11-20T11:55:00Z","message":"ready","level":"info"}"#,
        ];
        assert_eq!(self.post("/api/v1/ingest?group=web/access&stream=web-1", web.join("\n")).await.status, 200);
        assert_eq!(self.post("/api/v1/ingest?group=db", db.join("\n")).await.status, 200);
    }
}

/// Alerting. Its HTTP client is a blocking one and cannot be made on a thread of the runtime.
fn alerts(store: &Arc<Store>, dir: &Path, rules: RuleSet) -> Arc<Alerts> {
    let mut options = alert::Options::new(dir.join("alerts"));
    options.allow_private_addresses = dir.join(NEAR).exists();
    let start = || {
        // An error means that another test installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Alerts::start(store.clone(), rules, options).expect("alerting starts")
    };
    std::thread::scope(|scope| scope.spawn(start).join().expect("no panic"))
}

fn metrics(
    store: &Arc<Store>,
    dir: &Path,
    clock: &Clock,
    (files, recordings): (Vec<FileMetric>, Vec<Recording>),
) -> Arc<Metrics> {
    let options = metrics::Options::new(dir.join("alerts"), clock.clone());
    let options = metrics::Options { files, recordings, ..options };
    Metrics::start(store.clone(), options).expect("metrics start")
}

/// Percent-encodes a parameter's value.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Returns what all routes are, for the API description and its tests.
pub(crate) fn entries() -> Vec<door::table::Entry> {
    let (api, loki, elastic) = (::api::routes(), ::loki::routes(), ::elastic::routes());
    let (otel, cloudwatch, traces, metrics) =
        (::otel::routes(), ::cloudwatch::routes(), ::traces::routes(), ::metrics::routes());
    let foreign =
        [loki.entries(), elastic.entries(), otel.entries(), cloudwatch.entries(), traces.entries(), metrics.entries()];
    let (mcp, tables) = (::mcp::routes(), ::tables::routes());
    [&[crate::openapi::ENTRY][..], &api.entries(), &mcp.entries(), &tables.entries(), &foreign.concat()].concat()
}
