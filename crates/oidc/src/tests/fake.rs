//! A provider for tests, on loopback: honest unless a test tells it otherwise.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const CLIENT: &str = "catat";
pub(crate) const SECRET: &str = "s:e c+r%et";

/// How a place of the provider answers.
#[derive(Clone)]
pub(crate) enum Reply {
    Json(Value),
    Status(u16, Value),
    Redirect(String),
    Text(String),
    /// Nothing, for longer than anyone waits.
    Silence,
    /// Bytes without an end.
    Endless,
}

/// Makes an ID token of claims.
pub(crate) type Signer = Arc<dyn Fn(&Value) -> String + Send + Sync>;

/// What the provider does.
pub(crate) struct Script {
    /// Answers that replace the usual ones, by path.
    pub(crate) replies: HashMap<&'static str, Reply>,
    /// Changes the metadata.
    pub(crate) metadata: Value,
    /// Keys that it publishes.
    pub(crate) keys: Vec<Value>,
    /// Claims of the next ID token; those of an honest one are added where they are missing.
    pub(crate) claims: Value,
    /// Makes the next ID token of its claims; signed with the provider's key by default.
    pub(crate) signed: Option<Signer>,
    /// What the address of the sign-in asked for.
    pub(crate) asked: HashMap<String, String>,
    /// Codes that were exchanged: each is good once.
    pub(crate) used: Vec<String>,
    /// Requests: path, the header Authorization, body.
    pub(crate) requests: Vec<(String, String, String)>,
    pub(crate) now_s: i64,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) key: Arc<Key>,
    script: Arc<Mutex<Script>>,
}

/// A key of the curve P-256.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Arc::new(Self { pair: pair.expect("the key that was just made"), name: name.to_owned() })
    }

    pub(crate) fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| BASE64URL_NOPAD.encode(part));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.name, "x": x, "y": y})
    }

    /// Signs claims under any header.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}

pub(crate) fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

impl Fake {
    pub(crate) fn start(now_s: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let key = Key::new("first");
        let script = Script {
            replies: HashMap::new(),
            metadata: json!({
                "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
                "jwks_uri": format!("{url}/keys"), "userinfo_endpoint": format!("{url}/userinfo"),
                "end_session_endpoint": format!("{url}/end"),
            }),
            keys: vec![key.public()],
            claims: json!({"preferred_username": "ani", "groups": ["staff"]}),
            signed: None,
            asked: HashMap::new(),
            used: Vec::new(),
            requests: Vec::new(),
            now_s,
        };
        let script = Arc::new(Mutex::new(script));
        let fake = Self { url, key, script };
        let (shared, key) = (fake.script.clone(), fake.key.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, key) = (shared.clone(), key.clone());
                thread::spawn(move || serve(stream, &shared, &key));
            }
        });
        fake
    }

    /// Looks at what the provider does, or changes it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Script) -> T) -> T {
        work(&mut self.script.lock().expect("no test has panicked with it"))
    }

    /// Returns the number of requests for a path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.with(|script| script.requests.iter().filter(|(asked, ..)| asked == path).count())
    }

    /// Does what a person does at the provider: returns the parameters with which the browser comes back.
    pub(crate) fn visit(&self, address: &str) -> HashMap<String, String> {
        let (place, query) = address.split_once('?').expect("it has parameters");
        assert_eq!(place, format!("{}/authorize", self.url));
        let asked = parameters(query);
        let state = asked["state"].clone();
        let code = self.with(|script| {
            script.asked = asked;
            format!("code-{}", script.used.len())
        });
        HashMap::from([("state".to_owned(), state), ("code".to_owned(), code)])
    }
}

pub(crate) fn parameters(query: &str) -> HashMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn serve(mut stream: TcpStream, script: &Mutex<Script>, key: &Key) {
    let Some((path, authorization, body)) = request(&mut stream) else { return };
    let reply = {
        let mut script = script.lock().expect("no test has panicked with it");
        script.requests.push((path.clone(), authorization, body.clone()));
        script.replies.get(&*path).cloned().unwrap_or_else(|| usual(&mut script, (&path, &body), key))
    };
    let answer = |status: u16, further: &str, body: &str| {
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{further}\r\n{body}", body.len())
    };
    let text = match reply {
        Reply::Json(value) => answer(200, "", &value.to_string()),
        Reply::Status(status, value) => answer(status, "", &value.to_string()),
        Reply::Redirect(to) => answer(302, &format!("location: {to}\r\n"), ""),
        Reply::Text(text) => answer(200, "", &text),
        Reply::Silence => {
            thread::sleep(Duration::from_secs(30));
            return;
        }
        Reply::Endless => {
            // Ends when the other side has had enough.
            let head = "HTTP/1.1 200 X\r\nconnection: close\r\n\r\n[";
            let mut written = stream.write_all(head.as_bytes());
            while written.is_ok() {
                written = stream.write_all(&[b' '; 4096]);
            }
            return;
        }
    };
    // The client may have disconnected.
    let _ = stream.write_all(text.as_bytes());
}

fn request(stream: &mut TcpStream) -> Option<(String, String, String)> {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 4096];
    loop {
        let n = stream.read(&mut chunk).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let mut headers = head.lines().filter_map(|line| line.split_once(": "));
            headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").map_or(0, |length| length.parse().expect("a number"));
        if body.len() >= length {
            let path = head.split(' ').nth(1)?.to_owned();
            return Some((path, header("authorization").unwrap_or_default(), body.to_owned()));
        }
    }
}

fn usual(script: &mut Script, (path, body): (&str, &str), key: &Key) -> Reply {
    match path {
        "/.well-known/openid-configuration" => Reply::Json(script.metadata.clone()),
        "/keys" => Reply::Json(json!({"keys": script.keys})),
        "/token" => tokens(script, body, key),
        "/userinfo" => Reply::Json(json!({"sub": "account-1"})),
        _ => Reply::Status(404, json!({})),
    }
}

/// Exchanges a code as RFC 6749 and RFC 7636 ask for it.
fn tokens(script: &mut Script, body: &str, key: &Key) -> Reply {
    let form = parameters(body);
    let verifier =
        form.get("code_verifier").map(|verifier| BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes())));
    let is_right = verifier.as_ref() == script.asked.get("code_challenge")
        && form["redirect_uri"] == script.asked["redirect_uri"]
        && !script.used.contains(&form["code"]);
    if !is_right {
        return Reply::Status(400, json!({"error": "invalid_grant", "error_description": "code or verifier"}));
    }
    script.used.push(form["code"].clone());
    let mut claims = script.claims.clone();
    let honest = json!({
        "iss": script.metadata["issuer"], "aud": CLIENT, "sub": "account-1", "nonce": script.asked["nonce"],
        "iat": script.now_s, "exp": script.now_s + 300,
    });
    for (name, value) in honest.as_object().expect("an object") {
        let claims = claims.as_object_mut().expect("an object");
        claims.entry(name).or_insert_with(|| value.clone());
        claims.retain(|_, value| !value.is_null());
    }
    let usual = || key.sign(&json!({"alg": "ES256", "kid": key.name}), &claims);
    let id_token = script.signed.as_ref().map_or_else(usual, |signed| signed(&claims));
    Reply::Json(json!({"id_token": id_token, "access_token": "of-this-account", "token_type": "Bearer"}))
}
