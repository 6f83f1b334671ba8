//! Issues over a store: what is counted across restarts, what people decide, and what channels receive.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Instant;

use alert::RuleSet;
use serde_json::{Value as Json, json};
use storage::{Delivery, Options, Part};
use types::{BatchBuilder, GroupName, GroupPattern, Level, Timestamp};

use super::*;

/// An error: service, version, text.
type Error<'a> = (&'a str, &'a str, &'a str);

struct Lab {
    dir: tempfile::TempDir,
    store: Arc<Store>,
    issues: Option<Issues>,
    alerts: Option<Arc<Alerts>>,
    received: mpsc::Receiver<Json>,
    url: String,
}

/// A receiver of webhooks in this process.
fn receiver() -> (String, mpsc::Receiver<Json>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            let body = loop {
                let n = stream.read(&mut buffer).unwrap_or(0);
                bytes.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let whole = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Json>(body).ok());
                if whole.is_some() || n == 0 {
                    break whole;
                }
            };
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if body.is_some_and(|body| sender.send(body).is_err()) {
                return;
            }
        }
    });
    (url, received)
}

impl Lab {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let options = Options { disk_reserve_bytes: 0, ..Options::new(dir.path().join("data")) };
        let (store, _) = Store::open(options).expect("a new store opens");
        let (url, received) = receiver();
        let mut lab = Self { dir, store, issues: None, alerts: None, received, url };
        lab.start();
        lab
    }

    fn start(&mut self) {
        // An error means that another test installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut rules = RuleSet::default();
        let channel = format!("channels: [{{name: hook, type: webhook, url: \"{}\", topics: [issues]}}]", self.url);
        rules.add("channels.yaml", &channel).expect("a good channel");
        let options = alert::Options::new(self.dir.path().join("alerts"));
        let alerts = Alerts::start(self.store.clone(), rules, options).expect("alerting starts");
        self.issues = Some(Issues::start(self.store.clone(), Clock::system(), alerts.clone()).expect("issues start"));
        self.alerts = Some(alerts);
    }

    fn restart(&mut self) {
        (self.issues, self.alerts) = (None, None);
        self.start();
    }

    fn issues(&self) -> &Issues {
        self.issues.as_ref().expect("it was started")
    }

    fn append(&self, group: &str, errors: &[Error<'_>]) {
        self.append_at(group, Clock::system().now(), errors);
    }

    fn append_at(&self, group: &str, at: Timestamp, errors: &[Error<'_>]) {
        for (service, version, text) in errors {
            self.append_fields(group, at, text, &[("service", service), ("version", version), ("host", "web-1")]);
        }
    }

    fn append_fields(&self, group: &str, at: Timestamp, text: &str, fields: &[(&str, &str)]) {
        let mut builder = BatchBuilder::new();
        builder.set_timestamp(at);
        builder.set_message(text);
        builder.set_level(Some(if text.starts_with("fine") { Level::Info } else { Level::Error }));
        builder.set_stream("host");
        fields.iter().for_each(|(name, value)| builder.field_text(name, value));
        builder.commit();
        let part = Part { group: GroupName::new(group).expect("a name"), batch: builder.finish() };
        self.store.append(Delivery { key: None, position: None, raw_bytes: 24, parts: vec![part] }).expect("room");
    }

    fn list(&self) -> Vec<IssueView> {
        self.issues().list(&GroupScope::All, &IssueFilter::default())
    }

    fn one(&self) -> IssueView {
        let mut all = self.list();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    fn change(&self, id: &str, change: Json) -> IssueView {
        let change = serde_json::from_value(change).expect("a change");
        self.issues().change(&ann(), id, change).expect("a good change")
    }

    /// Returns status, name and summary of the next notification.
    fn received(&self) -> (String, String, String) {
        let body = self.received.recv_timeout(Duration::from_secs(30)).expect("a notification");
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        (text(&body["status"]), text(&body["labels"]["alertname"]), text(&body["annotations"]["summary"]))
    }
}

fn ann() -> Author {
    Author { name: "ann".into(), scope: GroupScope::All }
}

fn counts(views: &[IssueView]) -> Vec<(&str, Option<&str>, u64)> {
    views.iter().map(|view| (view.title.as_str(), view.service.as_deref(), view.count)).collect()
}

#[test]
fn each_error_counts_once_across_flushes_and_restarts() {
    let mut lab = Lab::new();
    lab.append("app", &[("pay", "4.12.0", "db-1 away after 3 ms"), ("pay", "4.13.0", "db-2 away after 9 ms")]);
    lab.append("app", &[("web", "1.0", "db-1 away after 3 ms"), ("web", "1.0", "fine, db-1 away")]);
    lab.append("traces/pay", &[("pay", "4.12.0", "GET /cart 503 285 ms")]);
    let expected = [("db-<*> away after <*>", Some("pay"), 2), ("db-<*> away after <*>", Some("web"), 1)];
    let sorted = |mut views: Vec<IssueView>| {
        views.sort_by(|a, b| a.service.cmp(&b.service));
        views
    };
    let before = sorted(lab.list());
    assert_eq!(counts(&before), expected);
    assert_eq!(
        (before[0].versions.clone(), before[0].hosts.clone()),
        (vec!["4.13.0".into(), "4.12.0".into()], vec!["web-1".to_owned()])
    );
    assert_eq!((before[0].trend.len(), before[0].trend.last()), (24, Some(&2)));
    lab.store.flush().expect("it flushes");
    assert_eq!(counts(&sorted(lab.list())), expected);
    lab.restart();
    let after = sorted(lab.list());
    assert_eq!(counts(&after), expected);
    assert_eq!(after[0].id, before[0].id);
    lab.append("app", &[("pay", "4.13.0", "db-7 away after 1 ms")]);
    assert_eq!(sorted(lab.list())[0].count, 3);
    // As after a crash that lost what was saved last.
    lab.issues = None;
    std::fs::remove_file(lab.dir.path().join("alerts/issues.state")).expect("it was written");
    lab.restart();
    assert_eq!(sorted(lab.list())[0].count, 3);
}

#[test]
fn a_service_within_an_object_is_its_name_after_each_start() {
    let lab = Lab::new();
    for id in ["5f0c", "77ab"] {
        let fields = [("service.name", "pay"), ("service.instance.id", id), ("host.name", "web-1"), ("host.id", id)];
        lab.append_fields("app", Clock::system().now(), "db-1 away", &fields);
    }
    let issue = lab.one();
    assert_eq!((issue.service.as_deref(), issue.count, issue.hosts), (Some("pay"), 2, vec!["web-1".to_owned()]));
}

#[test]
fn channels_are_notified_of_new_and_regressed_issues_and_of_their_end() {
    let lab = Lab::new();
    // Whatever was there at the first start is no news.
    assert!(lab.list().is_empty());
    let began = Instant::now();
    lab.append("app", &[("pay", "4.12.0", "db-1 away")]);
    let summary = |rest: &str| format!("db-<*> away in pay (app), {rest}");
    assert_eq!(lab.received(), ("firing".into(), "new issue".into(), summary("new")));
    assert!(began.elapsed() < Duration::from_secs(10));
    let id = lab.one().id;
    let resolved = lab.change(&id, json!({"state": "resolved", "version": "4.13.0", "note": "pool is larger"}));
    assert_eq!((resolved.state, resolved.decided_by.as_deref()), (IssueState::Resolved, Some("ann")));
    assert_eq!(lab.received(), ("resolved".into(), "new issue".into(), summary("new")));
    // The version before may go on for a while.
    lab.append("app", &[("pay", "4.12.0", "db-2 away")]);
    assert_eq!((lab.one().state, lab.one().count), (IssueState::Resolved, 2));
    lab.append("app", &[("pay", "4.13.1", "db-2 away")]);
    let back = "back after it was resolved with version 4.13.1";
    assert_eq!(lab.received(), ("firing".into(), "regressed issue".into(), summary(back)));
    let regressed = lab.one();
    assert_eq!((regressed.state, regressed.regressed_in.as_deref()), (IssueState::Regressed, Some("4.13.1")));
    assert_eq!(regressed.note.as_deref(), Some("pool is larger"));
    lab.change(&id, json!({"state": "ignored", "until": {"count": 2}}));
    assert_eq!(lab.received(), ("resolved".into(), "regressed issue".into(), summary(back)));
    lab.append("app", &[("pay", "4.13.1", "db-3 away")]);
    assert_eq!((lab.one().state, lab.one().until), (IssueState::Ignored, Some(UntilView::Count(1))));
    lab.append("app", &[("pay", "4.13.1", "db-4 away")]);
    assert_eq!(lab.received().1, "issue no longer ignored");
    assert_eq!(lab.one().state, IssueState::Open);
}

#[test]
fn a_program_that_restarts_again_and_again_updates_what_channels_know() {
    let mut lab = Lab::new();
    assert!(lab.list().is_empty());
    let now = Clock::system().now().0;
    let line = "shop.service: Main process exited, code=exited, status=1/FAILURE";
    let die = |lab: &Lab, n: i64| {
        lab.append_at("journal", Timestamp(now + (n - 5) * 40 * Timestamp::SECOND), &[("systemd", "255", line)]);
    };
    (0..3).for_each(|n| die(&lab, n));
    let known = format!("{line} in systemd (journal)");
    assert_eq!(lab.received(), ("firing".into(), "new issue".into(), format!("{known}, new")));
    assert_eq!(lab.one().restarts, []);
    lab.restart();
    (3..5).for_each(|n| die(&lab, n));
    let (status, name, summary) = lab.received();
    assert_eq!((status.as_str(), name.as_str()), ("firing", "new issue"));
    assert!(summary.starts_with(&format!("{known}, shop.service restarts every 40 s since 20")), "{summary}");
    let restarts = lab.one().restarts.remove(0);
    assert_eq!((restarts.count, restarts.every_ms, restarts.ongoing), (5, 40_000, true));
    assert_eq!((restarts.program.as_deref(), restarts.host.as_deref()), (Some("shop.service"), Some("web-1")));
    lab.change(&lab.one().id, json!({"state": "resolved"}));
    assert_eq!((lab.received().0.as_str(), lab.list().len()), ("resolved", 1));
}

#[test]
fn late_events_and_other_groups_notify_nobody() {
    let lab = Lab::new();
    assert!(lab.list().is_empty());
    let hour_ago = Timestamp(Clock::system().now().0 - Timestamp::HOUR);
    lab.append_at("app", hour_ago, &[("pay", "1", "db-1 away")]);
    lab.append("catat/audit", &[("pay", "1", "db-1 away")]);
    assert_eq!(lab.one().count, 1);
    lab.append("app", &[("pay", "1", "disk full")]);
    assert!(lab.received().2.starts_with("disk full"));
}

#[test]
fn merges_are_shown_as_one_and_can_be_undone() {
    let mut lab = Lab::new();
    lab.append("app", &[("pay", "1", "disk full")]);
    lab.append("app", &[("pay", "1", "quota exceeded"), ("pay", "1", "no space left")]);
    let id = |title: &str| lab.list().into_iter().find(|view| view.title == title).map(|view| view.id);
    let ids = ["disk full", "quota exceeded", "no space left"].map(|title| id(title).expect(title));
    let merged = lab.issues().merge(&ann(), &ids[..2]).expect("a good merge");
    assert_eq!((merged.id.as_str(), merged.count, merged.merged.len()), (ids[0].as_str(), 2, 1));
    let merged = lab.issues().merge(&ann(), &[ids[0].clone(), ids[2].clone()]).expect("a good merge");
    assert_eq!((merged.count, lab.list().len()), (3, 1));
    // A part is found as the whole, and can be merged no more.
    assert_eq!(lab.issues().get(&GroupScope::All, &ids[1]).expect("it is there").id, ids[0]);
    let again = lab.issues().merge(&ann(), &[ids[0].clone(), ids[1].clone()]).expect_err("they are one");
    assert!(matches!(again, ChangeError::Conflict(_)), "{again}");
    lab.restart();
    lab.append("app", &[("pay", "1", "quota exceeded")]);
    assert_eq!(lab.one().count, 4);
    let apart = lab.issues().split(&ann(), &ids[0]).expect("a merge to undo");
    assert_eq!(counts(&apart), [("disk full", Some("pay"), 3), ("no space left", Some("pay"), 1)]);
    lab.issues().split(&ann(), &ids[0]).expect("a merge to undo");
    assert_eq!(lab.list().len(), 3);
    assert!(matches!(lab.issues().split(&ann(), &ids[0]), Err(ChangeError::Conflict(_))));
}

#[test]
fn scopes_hold_and_deleted_groups_have_no_issues() {
    let lab = Lab::new();
    lab.append("app/a", &[("pay", "1", "disk full")]);
    lab.append("db/a", &[("pg", "1", "disk full")]);
    let scope = GroupScope::Matching(vec![GroupPattern::new("app/*")]);
    let seen = lab.issues().list(&scope, &IssueFilter::default());
    assert_eq!(counts(&seen), [("disk full", Some("pay"), 1)]);
    let all = lab.list();
    let other = all.iter().find(|view| view.group == "db/a").expect("it is there");
    let narrow = Author { name: "bob".into(), scope: scope.clone() };
    let refused = lab.issues().change(&narrow, &other.id, DecisionChange::default());
    assert!(matches!(refused, Err(ChangeError::NotFound(..))));
    assert!(matches!(
        lab.issues().merge(&narrow, &[seen[0].id.clone(), other.id.clone()]),
        Err(ChangeError::NotFound(..))
    ));
    lab.store.delete_group(&GroupName::new("db/a").expect("a name")).expect("it is deleted");
    assert_eq!(lab.list().len(), 1);
}
