//! The doors under TLS: what is spoken there, cookies, and certificates that change.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::House;
use door::tls::{ClientAuthority, Tls};
use door::{ConnectionSlots, listen};
use otel::sockets::{self, Door, SocketListeners};

/// Certificate and key, as files.
struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { dir: TempDir::new().expect("a scratch directory") };
        files.renew();
        files
    }

    /// Puts another certificate in the place of the one before; gives its PEM.
    fn renew(&self) -> String {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        fs::write(self.dir.path().join("cert.pem"), made.cert.pem()).expect("it is written");
        fs::write(self.dir.path().join("key.pem"), made.signing_key.serialize_pem()).expect("it is written");
        made.cert.pem()
    }

    fn pem(&self) -> String {
        fs::read_to_string(self.dir.path().join("cert.pem")).expect("it is there")
    }

    fn load(&self) -> Tls {
        Tls::load(self.dir.path().join("cert.pem"), self.dir.path().join("key.pem")).expect("they are good")
    }
}

async fn open(house: &House, tls: Arc<Tls>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (router, closing) = (house.service(), house.closing.clone());
    tokio::spawn(listen::run(
        listener.into(),
        ConnectionSlots::of_process().0,
        Some(tls),
        router,
        closing,
        std::future::pending(),
    ));
    address
}

/// An authority of clients, as a file, and the certificates that it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

/// Certificate and key of a client.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let dir = TempDir::new().expect("a scratch directory");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        fs::write(dir.path().join("ca.pem"), pem).expect("it is written");
        Self { issuer: Issuer::new(params, key), dir }
    }

    fn sign(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        (signed.der().clone(), key.into())
    }

    fn asked_by(&self, tls: Tls, is_required: bool) -> Arc<Tls> {
        let file = self.dir.path().join("ca.pem");
        Arc::new(tls.with_clients(&ClientAuthority { file, is_required }).expect("it is good"))
    }
}

/// Returns a connection of a client that trusts one certificate; `None` where the handshake fails.
async fn connect(address: SocketAddr, trusted: &str) -> Option<TlsStream<TcpStream>> {
    connect_as(address, trusted, None).await
}

async fn connect_as(address: SocketAddr, trusted: &str, identity: Option<&Identity>) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).expect("a certificate")).expect("it can be trusted");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((cert, key)) => {
            config.with_client_auth_cert(vec![cert.clone()], key.clone_key()).expect("they fit together")
        }
    };
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await.expect("the door is open");
    let name = ServerName::try_from("localhost").expect("a name");
    connector.connect(name, stream).await.ok()
}

/// Sends a request as a client that trusts one certificate; `None` where the handshake fails.
async fn ask(address: SocketAddr, trusted: &str, request: &str) -> Option<String> {
    ask_as(address, trusted, None, request).await
}

async fn ask_as(address: SocketAddr, trusted: &str, identity: Option<&Identity>, request: &str) -> Option<String> {
    let mut stream = connect_as(address, trusted, identity).await?;
    // A server that refuses the certificate may have closed the connection already.
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    // The end may come without a goodbye.
    let _ = stream.read_to_end(&mut answer).await;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// Says something that is not answered; `false` where the handshake fails.
async fn say(address: SocketAddr, trusted: &str, text: &str) -> bool {
    let Some(mut stream) = connect(address, trusted).await else { return false };
    stream.write_all(text.as_bytes()).await.expect("it is taken");
    stream.shutdown().await.expect("a goodbye");
    // Until the other side has read it all.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    true
}

const HEALTHY: &str = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn cookies_under_tls_are_for_tls_only() {
    let (house, files) = (House::new(), Files::new());
    let user = r#"{"name":"ani","password":"correct horse battery","role":"read"}"#;
    let request = axum::http::Request::post("/api/v1/users")
        .header("x-catat-key", super::ADMIN_KEY)
        .header("content-type", "application/json")
        .body(axum::body::Body::from(user));
    assert_eq!(house.send(request.expect("a request")).await.status, 201);
    let address = open(&house, Arc::new(files.load())).await;
    let body = r#"{"name":"ani","password":"correct horse battery"}"#;
    let head =
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = ask(address, &files.pem(), &request).await.expect("a handshake");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("; Secure"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_changes_is_used_and_a_bad_one_is_not() {
    let (house, files) = (House::new(), Files::new());
    let first = files.pem();
    let tls = Arc::new(files.load());
    let address = open(&house, tls.clone()).await;
    let is_trusted = async |pem: &str| ask(address, pem, HEALTHY).await.is_some_and(|a| a.starts_with("HTTP/1.1 200"));
    assert!(is_trusted(&first).await);
    let second = files.renew();
    tls.reload_if_changed();
    assert!(is_trusted(&second).await && !is_trusted(&first).await);
    // The key of one and the certificate of another, as when only one of the files was exchanged so far.
    let other = Files::new();
    fs::copy(other.dir.path().join("cert.pem"), files.dir.path().join("cert.pem")).expect("it is copied");
    tls.reload_if_changed();
    assert!(is_trusted(&second).await && tls.reload().is_err());
    fs::copy(other.dir.path().join("key.pem"), files.dir.path().join("key.pem")).expect("it is copied");
    tls.reload_if_changed();
    assert!(is_trusted(&other.pem()).await && !is_trusted(&second).await);
    for bad in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        fs::write(files.dir.path().join("cert.pem"), bad).expect("it is written");
        assert!(tls.reload().is_err(), "{bad:?}");
    }
    assert!(is_trusted(&other.pem()).await);
}

#[tokio::test]
async fn what_is_not_trusted_or_not_tls_gets_no_answer() {
    let (house, files, strangers) = (House::new(), Files::new(), Files::new());
    let address = open(&house, Arc::new(files.load())).await;
    assert_eq!(ask(address, &strangers.pem(), HEALTHY).await, None);
    let mut plain = TcpStream::connect(address).await.expect("the door is open");
    plain.write_all(HEALTHY.as_bytes()).await.expect("it is taken");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn syslog_under_tls_is_taken_and_shows_the_certificate_of_today() {
    let (house, files) = (House::new(), Files::new());
    let first = files.pem();
    let tls = Arc::new(files.load());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let listeners = SocketListeners { tls: Some((listener, tls.clone())), ..SocketListeners::default() };
    let task = sockets::start(
        Door::Syslog,
        house.server.clone(),
        &house.families.doors,
        listeners,
        ConnectionSlots::of_process().1,
        &Arc::default(),
    )
    .expect("a socket that is bound");
    assert!(say(address, &first, "<11>Nov 20 06:47:13 web-1 app: before\n").await);
    let second = files.renew();
    tls.reload_if_changed();
    assert!(!say(address, &first, "<11>Nov 20 06:47:13 web-1 app: to nobody\n").await);
    assert!(say(address, &second, "<11>Nov 20 06:47:13 web-1 app: after\n").await);
    fs::write(files.dir.path().join("key.pem"), "no PEM").expect("it is written");
    tls.reload_if_changed();
    assert!(say(address, &second, "<11>Nov 20 06:47:13 web-1 app: still\n").await);
    house.closing.send_replace(true);
    task.await.expect("no panic");
    let query = super::encoded("filter @log = \"syslog/app\" | stats count(*)");
    let counted = house.get(&format!("/api/v1/query?query={query}&from=0&to=now")).await.json();
    assert_eq!(counted["rows"][0][0], 3, "{counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_is_spoken_to_in_todays_versions_only() {
    let (house, files) = (House::new(), Files::new());
    let address = open(&house, Arc::new(files.load())).await;
    let cert = files.dir.path().join("cert.pem");
    let shakes_hands = |version: &str| {
        let mut client = std::process::Command::new("openssl");
        client.args(["s_client", "-connect", &address.to_string(), "-servername", "localhost", "-CAfile"]).arg(&cert);
        // Without the second one, its own settings would keep openssl from so much as trying old versions.
        client.args([version, "-cipher", "ALL:@SECLEVEL=0", "-verify_return_error"]);
        client.stdin(std::process::Stdio::null()).output()
    };
    for (version, is_taken) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let Ok(ran) = tokio::task::block_in_place(|| shakes_hands(version)) else {
            eprintln!("left out: there is no openssl");
            return;
        };
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        let has_tried = !said.contains("no protocols available");
        assert!(has_tried || !is_taken, "{version}: {said}");
        assert_eq!(ran.status.success() && said.contains("Verify return code: 0"), is_taken, "{version}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_is_spoken_to_over_http_2_where_it_offers_that() {
    let (house, files) = (House::new(), Files::new());
    let address = open(&house, Arc::new(files.load())).await;
    let curl = |arguments: &[&str]| {
        let mut client = std::process::Command::new("curl");
        client.args(["--silent", "--noproxy", "*", "--cacert"]).arg(files.dir.path().join("cert.pem")).args(arguments);
        tokio::task::block_in_place(|| client.output()).map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    if !curl(&["--version"]).is_ok_and(|said| said.contains("HTTP2")) {
        eprintln!("left out: there is no curl with HTTP/2");
        return;
    }
    let (port, resolve) = (address.port(), format!("localhost:{}:127.0.0.1", address.port()));
    let url = format!("https://localhost:{port}/api/v1/ingest?group=curl&format=text");
    for (offer, spoken) in [("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")] {
        let written = ["--write-out", "%{http_version} %{http_code}", "--output", "/dev/null"];
        let said = curl(&[&written[..], &["--resolve", &resolve, offer, "--data-binary", "m", &url]].concat());
        assert_eq!(said.expect("curl is there"), format!("{spoken} 200"), "{offer}");
    }
}

/// A request that sends an event, with further headers.
fn sending(more: &str) -> String {
    let body = "{\"message\":\"a\"}";
    format!(
        "POST /api/v1/ingest?group=app/web HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}Content-Length: \
         {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_client_certificate_sends_as_the_key_that_is_called_so() {
    let (house, files, authority) = (House::new(), Files::new(), Authority::new());
    let create = async |name: &str, role: &str, groups: &str| {
        let order = serde_json::json!({"name": name, "role": role, "groups": [groups]}).to_string();
        let made = house.administer("POST", "/api/v1/keys", order).await.json();
        ["id", "key"].map(|member| made[member].as_str().expect("it is there").to_owned())
    };
    let [id, _] = create("web-1", "ingest", "app/*").await;
    let [_, reader] = create("reader", "read", "*").await;
    create("narrow", "ingest", "db/*").await;
    let address = open(&house, authority.asked_by(files.load(), false)).await;
    let send = async |identity: Option<&Identity>, request: &str| {
        ask_as(address, &files.pem(), identity, request).await.unwrap_or_default()
    };
    let (web, narrow, admin) = (authority.sign("web-1"), authority.sign("narrow"), authority.sign("reader"));
    let is = |answer: &str, status: u16, code: &str| {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code), "{answer}");
    };
    is(&send(Some(&web), &sending("")).await, 200, "accepted");
    is(&send(Some(&narrow), &sending("")).await, 403, "group-out-of-scope");
    is(&send(None, &sending("")).await, 401, "key-required");
    is(&send(Some(&admin), &sending("")).await, 401, "unknown-certificate");
    is(&send(Some(&web), &sending("Via: 1.1 proxy\r\n")).await, 401, "key-required");
    is(&send(Some(&web), &sending("X-Catat-Key: wrong\r\n")).await, 401, "bad-key");
    let read = "GET /api/v1/groups HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    is(&send(Some(&web), &format!("{read}\r\n")).await, 403, "not-allowed");
    is(&send(Some(&web), &format!("{read}X-Catat-Key: {reader}\r\n\r\n")).await, 200, "app/web");
    let stranger = Authority::new().sign("web-1");
    assert_eq!(send(Some(&stranger), &sending("")).await, "", "another authority signed it");

    let rotated = house.administer("POST", &format!("/api/v1/keys/{id}/rotate"), "").await.json();
    is(&send(Some(&web), &sending("")).await, 200, "accepted");
    let listed = house.administer("GET", "/api/v1/keys", "").await.json();
    let newest = listed["keys"].as_array().into_iter().flatten().find(|key| key["id"] == rotated["id"]);
    assert!(newest.is_some_and(|key| key["last_used"].is_string()), "{listed}");
    let [second, _] = create("web-1", "ingest", "*").await;
    is(&send(Some(&web), &sending("")).await, 401, "several keys");
    for id in [second.as_str(), &id, rotated["id"].as_str().expect("an id")] {
        assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
    }
    is(&send(Some(&web), &sending("")).await, 401, "unknown-certificate");
    is(&send(Some(&web), HEALTHY).await, 200, "ok");
}

#[tokio::test]
async fn without_a_certificate_there_is_no_connection_where_one_is_required() {
    let (house, files, authority) = (House::new(), Files::new(), Authority::new());
    let address = open(&house, authority.asked_by(files.load(), true)).await;
    let answer = ask_as(address, &files.pem(), Some(&authority.sign("any")), HEALTHY).await.unwrap_or_default();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(ask(address, &files.pem(), HEALTHY).await.unwrap_or_default(), "");
    let file = authority.dir.path().join("none.pem");
    fs::write(&file, "no certificate").expect("it is written");
    assert!(files.load().with_clients(&ClientAuthority { file, is_required: true }).is_err());
}
