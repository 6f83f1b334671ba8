//! Whom our own clients believe (T-SEC-12): a server with a certificate for its name, of today, by an authority that is
//! known; no other, and no option makes them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::server::{Launch, PATIENCE, Server, Starting, catat};

/// An authority, as a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: PathBuf,
}

impl Authority {
    fn new(scratch: &Path, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = scratch.join(format!("{name}.pem"));
        std::fs::write(&pem, params.self_signed(&key).expect("a certificate").pem()).expect("scratch is writable");
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server with a certificate of this authority, once it listens; and its port.
    fn serve(&self, scratch: &Path, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (Starting, u16) {
        let dir = scratch.join(name);
        std::fs::create_dir(&dir).expect("scratch is writable");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        change(&mut params);
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::write(dir.join("cert.pem"), cert.pem()).expect("scratch is writable");
        std::fs::write(dir.join("key.pem"), key.serialize_pem()).expect("scratch is writable");
        let settings = "[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n";
        let server = Launch::configured(&dir, settings).spawn();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let address = std::fs::read_to_string(dir.join("data/address")).unwrap_or_default();
            if let Some(port) = address.trim().strip_prefix("https://127.0.0.1:").and_then(|port| port.parse().ok()) {
                return (server, port);
            }
            assert!(Instant::now() < deadline, "it does not listen: {:?}", server.kill());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// Asks as `catat query` does, believing one authority or those of the machine.
fn ask(scratch: &Path, url: &str, trusted: Option<&Path>) -> (i32, String) {
    let mut command = catat(scratch);
    command.args(["query", "--url", url, "stats count(*)"]).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    if let Some(trusted) = trusted {
        command.env("SSL_CERT_FILE", trusted);
    }
    let ran = command.output().expect("the executable was built");
    (ran.status.code().unwrap_or(-1), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[test]
fn only_a_certificate_that_is_right_in_every_way_is_believed() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (ours, other) = (Authority::new(scratch.path(), "ours"), Authority::new(scratch.path(), "other"));
    let (_good, good) = ours.serve(scratch.path(), "good", |_| ());
    let (_expired, expired) = ours.serve(scratch.path(), "expired", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let (_early, early) = ours.serve(scratch.path(), "early", |params| {
        params.not_before = date_time_ymd(2500, 1, 1);
        params.not_after = date_time_ymd(2501, 1, 1);
    });
    let check = |name: &str, url: String, trusted: Option<&Authority>, wanted: i32| {
        let (code, said) = ask(scratch.path(), &url, trusted.map(|authority| &*authority.pem));
        assert_eq!(code, wanted, "{name}: {said}");
        assert!(wanted == 0 || said.contains("certificate"), "{name}: {said}");
    };
    check("as it should be", format!("https://localhost:{good}"), Some(&ours), 0);
    check("by nobody known", format!("https://localhost:{good}"), None, 3);
    check("by somebody else", format!("https://localhost:{good}"), Some(&other), 3);
    check("for another name", format!("https://127.0.0.1:{good}"), Some(&ours), 3);
    check("of last year", format!("https://localhost:{expired}"), Some(&ours), 3);
    check("of another century", format!("https://localhost:{early}"), Some(&ours), 3);
    let said = |url: String, trusted: Option<&Authority>| ask(scratch.path(), &url, trusted.map(|ours| &*ours.pem)).1;
    let unknown = said(format!("https://localhost:{good}"), None);
    assert!(unknown.contains("SSL_CERT_FILE") && !unknown.contains("catat up"), "{unknown}");
    let plain = said(format!("http://localhost:{good}"), None);
    assert!(plain.contains(&format!("use https://localhost:{good}")), "{plain}");
    let elsewhere = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(elsewhere.path());
    let secret = said(server.url.replace("http://", "https://"), Some(&ours));
    assert!(secret.contains(&format!("use {}", server.url)), "{secret}");
}

/// How many events with a word a server has.
fn count(scratch: &Path, url: &str, authority: &Authority, word: &str) -> usize {
    let mut command = catat(scratch);
    let query = format!("filter @message like /{word}/");
    command.args(["query", "--url", url, "--output", "ndjson", "--from", "0", "--to", "2100-01-01", &query]);
    let ran = command.env("SSL_CERT_FILE", &authority.pem).output().expect("the executable was built");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).lines().count()
}

/// Asks again until there is one.
fn until_there_is_one(count: impl Fn() -> usize) {
    let deadline = Instant::now() + PATIENCE;
    while count() == 0 {
        assert!(Instant::now() < deadline, "nothing arrives");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_shipper_says_nothing_to_a_server_that_it_does_not_believe() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let ours = Authority::new(scratch.path(), "ours");
    let (_server, port) = ours.serve(scratch.path(), "server", |_| ());
    std::fs::write(scratch.path().join("app.log"), "2026-11-20T11:59:00Z shipped\n").expect("scratch is writable");
    let url = format!("https://localhost:{port}");
    let ship = |state: &str, trusted: Option<&Path>| {
        let mut command = catat(scratch.path());
        command.args(["ship", "--url", &url, "--state-dir", state, "app.log"]);
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR").stderr(Stdio::piped());
        trusted.map(|trusted| command.env("SSL_CERT_FILE", trusted));
        command.spawn().expect("the executable was built")
    };
    let arrived = || count(scratch.path(), &url, &ours, "shipped");
    let mut distrusting = ship("a", None);
    let lines = BufReader::new(distrusting.stderr.take().expect("it was piped")).lines().map_while(Result::ok);
    let (sender, refused) = mpsc::channel();
    std::thread::spawn(move || {
        // Read to the end, so that it never waits for a reader.
        for line in lines.filter(|line| line.contains("delivery failed") && line.contains("certificate")) {
            let _ = sender.send(line);
        }
    });
    let refused = refused.recv_timeout(PATIENCE);
    distrusting.kill().and_then(|()| distrusting.wait()).expect("our own child can be killed");
    assert!(refused.is_ok() && arrived() == 0);
    let mut trusting = ship("b", Some(&ours.pem));
    until_there_is_one(arrived);
    trusting.kill().and_then(|()| trusting.wait()).expect("our own child can be killed");
}

#[test]
fn a_webhook_says_nothing_to_a_receiver_that_it_does_not_believe() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let ours = Authority::new(scratch.path(), "ours");
    let (_receiver, port) = ours.serve(scratch.path(), "receiver", |_| ());
    let url = format!("https://localhost:{port}");
    let sender = |name: &str| {
        let dir = scratch.path().join(name);
        std::fs::create_dir_all(dir.join("rules")).expect("scratch is writable");
        let rules = format!(
            "channels:\n  - {{name: hook, type: webhook, url: \"{url}/api/v1/ingest?group=hook\"}}\n\
             groups:\n  - name: errors\n    interval: 1s\n    rules:\n      - {{name: from-{name}, window: 1h, \
             query: \"stats count(*) as n\", condition: n > 0}}\n"
        );
        std::fs::write(dir.join("rules/all.yaml"), rules).expect("scratch is writable");
        let settings = "[alerts]\nrules_dir = \"rules\"\ninterval = \"1s\"\ngroup_wait = \"0s\"\n";
        Launch::configured(&dir, settings)
    };
    let distrusting = sender("distrusting").with_variable("SSL_CERT_FILE", "/dev/null").start();
    distrusting.ingest("a", "{\"message\":\"x\"}\n");
    distrusting.until("it was tried", || distrusting.transcript().contains("not delivered").then_some(()));
    let pem = ours.pem.to_str().expect("scratch paths are ASCII");
    let trusting = sender("trusting").with_variable("SSL_CERT_FILE", pem).start();
    trusting.ingest("a", "{\"message\":\"x\"}\n");
    until_there_is_one(|| count(scratch.path(), &url, &ours, "from-trusting"));
    assert_eq!(count(scratch.path(), &url, &ours, "from-distrusting"), 0);
}
