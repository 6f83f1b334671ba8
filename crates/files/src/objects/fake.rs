//! An object store in memory that implements the part of S3's protocol that is used, and fails on demand.

#![allow(dead_code, reason = "two crates include this module, and neither uses all of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::ObjectStoreOptions;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing is done, and the answer is this status.
    Status(u16),
    /// Everything is done, and no answer comes.
    LostAnswer,
    /// Nothing is done, and no answer comes before the caller gives up.
    Silence,
    /// Half of the body is stored or sent, as if that were all.
    ShortBody,
    /// A byte of the body is stored or sent wrongly.
    WrongByte,
}

/// A request, as far as troubles are chosen by it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path with the bucket, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    range: Option<(usize, usize)>,
    /// Whether nothing may have the name yet.
    is_new: bool,
    body: Vec<u8>,
}

type Script = Box<dyn FnMut(&Request) -> Option<Trouble> + Send>;

#[derive(Default)]
struct Contents {
    objects: BTreeMap<String, Vec<u8>>,
    /// Uploads in parts that were begun: name and parts.
    uploads: BTreeMap<String, (String, BTreeMap<u32, Vec<u8>>)>,
    n_uploads: u32,
    n_requests: BTreeMap<String, usize>,
}

/// The object store. It ends with the process.
pub(crate) struct FakeS3 {
    address: std::net::SocketAddr,
    contents: Arc<Mutex<Contents>>,
    script: Arc<Mutex<Script>>,
}

impl FakeS3 {
    pub(crate) fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let contents: Arc<Mutex<Contents>> = Arc::default();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(|_| None)));
        let shared = (contents.clone(), script.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (contents, script) = shared.clone();
                std::thread::spawn(move || while answer_one(&stream, &contents, &script).is_some() {});
            }
        });
        Self { address, contents, script }
    }

    /// Returns how to reach it, with little patience.
    pub(crate) fn options(&self) -> ObjectStoreOptions {
        ObjectStoreOptions {
            endpoint: Some(format!("http://{}", self.address)),
            region: Some("eu-central-1".into()),
            allow_http: true,
            credentials: Some(("an-id".into(), "a-secret".into())),
            patience: Duration::from_secs(5),
            first_pause: Duration::from_millis(1),
            answer_timeout: Duration::from_secs(5),
            ..ObjectStoreOptions::new("s3://logs/some/prefix")
        }
    }

    /// Lets `script` decide from now on what goes wrong.
    pub(crate) fn fail(&self, script: impl FnMut(&Request) -> Option<Trouble> + Send + 'static) {
        *self.script.lock().expect("no panic") = Box::new(script);
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("no panic")
    }

    /// Returns names of all objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.contents().objects.keys().cloned().collect()
    }

    /// Returns how many uploads in parts are neither finished nor ended.
    pub(crate) fn n_uploads(&self) -> usize {
        self.contents().uploads.len()
    }

    /// Returns how many requests with a method came, failed ones included; forgotten afterwards.
    pub(crate) fn take_requests(&self, method: &str) -> usize {
        self.contents().n_requests.remove(method).unwrap_or(0)
    }

    /// Changes all objects.
    pub(crate) fn change(&self, change: impl Fn(&mut Vec<u8>)) {
        self.contents().objects.values_mut().for_each(change);
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut parts = line.split_whitespace();
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let (mut length, mut range, mut is_new) = (0, None, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match &*name.to_ascii_lowercase() {
            "if-none-match" => is_new = value == "*",
            "content-length" => length = value.parse().ok()?,
            "range" => {
                let (from, to) = value.strip_prefix("bytes=")?.split_once('-')?;
                range = Some((from.parse().ok()?, to.parse().ok()?));
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), range, is_new, body })
}

/// Answers one request; nothing once the connection is at its end.
fn answer_one(stream: &TcpStream, contents: &Mutex<Contents>, script: &Mutex<Script>) -> Option<()> {
    let mut request = read_request(&mut BufReader::new(stream))?;
    *contents.lock().expect("no panic").n_requests.entry(request.method.clone()).or_default() += 1;
    let trouble = script.lock().expect("no panic")(&request);
    let spoil = |bytes: &mut Vec<u8>| match trouble {
        Some(Trouble::ShortBody) => bytes.truncate(bytes.len() / 2),
        Some(Trouble::WrongByte) => bytes.iter_mut().take(100).skip(99).for_each(|byte| *byte ^= 1),
        _ => {}
    };
    match trouble {
        Some(Trouble::Status(status)) => {
            return respond(stream, status, "", b"<Error><Code>InternalError</Code></Error>");
        }
        Some(Trouble::Silence) => {
            // Until the other side closes the connection.
            let _ = (&*stream).read(&mut [0]);
            return None;
        }
        _ if request.method == "PUT" => spoil(&mut request.body),
        _ => {}
    }
    let (status, headers, mut body) = perform(&request, &mut contents.lock().expect("no panic"));
    if trouble == Some(Trouble::LostAnswer) {
        let _ = stream.shutdown(Shutdown::Both);
        return None;
    }
    if request.method == "GET" {
        spoil(&mut body);
    }
    if request.method == "HEAD" {
        return (&*stream).write_all(&head_of(status, &headers, body.len())).ok();
    }
    respond(stream, status, &headers, &body)
}

fn perform(request: &Request, contents: &mut Contents) -> (u16, String, Vec<u8>) {
    const FACTS: &str = "ETag: \"x\"\r\nLast-Modified: Fri, 20 Nov 2026 12:00:00 GMT\r\n";
    let parameter = |name: &str| {
        request
            .query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|pair| pair.1)
    };
    let name = request.path.clone();
    let missing = (404, String::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec());
    match (&*request.method, parameter("uploadId")) {
        ("POST", None) => {
            contents.n_uploads += 1;
            let id = format!("upload-{}", contents.n_uploads);
            contents.uploads.insert(id.clone(), (name, BTreeMap::new()));
            let body =
                format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
            (200, String::new(), body.into_bytes())
        }
        ("PUT", Some(id)) => {
            let Some((_, parts)) = contents.uploads.get_mut(id) else { return missing };
            let number = parameter("partNumber").and_then(|number| number.parse().ok()).expect("a part number");
            parts.insert(number, request.body.clone());
            (200, FACTS.into(), Vec::new())
        }
        ("POST", Some(id)) => {
            let Some((name, parts)) = contents.uploads.remove(id) else { return missing };
            contents.objects.insert(name, parts.into_values().flatten().collect());
            let body = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>";
            (200, String::new(), body.into())
        }
        ("DELETE", Some(id)) => {
            let Some(_) = contents.uploads.remove(id) else { return missing };
            (204, String::new(), Vec::new())
        }
        ("PUT", None) if request.is_new && contents.objects.contains_key(&name) => {
            (412, String::new(), b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
        }
        ("PUT", None) => {
            contents.objects.insert(name, request.body.clone());
            (200, FACTS.into(), Vec::new())
        }
        ("DELETE", None) => {
            contents.objects.remove(&name);
            (204, String::new(), Vec::new())
        }
        ("GET", None) if parameter("list-type").is_some() => {
            (200, String::new(), list(contents, &name, parameter("prefix").unwrap_or("")).into_bytes())
        }
        (_, _) => match (contents.objects.get(&name), request.range) {
            (Some(bytes), Some((from, to))) => {
                let part = bytes.get(from..bytes.len().min(to + 1)).unwrap_or_default().to_vec();
                let range = format!("Content-Range: bytes {from}-{}/{}\r\n", from + part.len() - 1, bytes.len());
                (206, FACTS.to_owned() + &range, part)
            }
            (Some(bytes), None) => (200, FACTS.into(), bytes.clone()),
            (None, _) => missing,
        },
    }
}

/// Returns what a bucket holds below a prefix, up to the next slash.
fn list(contents: &Contents, bucket: &str, prefix: &str) -> String {
    let prefix = prefix.replace("%2F", "/");
    let bucket = format!("{}/", bucket.trim_end_matches('/'));
    let (mut days, mut objects) = (std::collections::BTreeSet::new(), String::new());
    for (name, bytes) in &contents.objects {
        let Some(rest) = name.strip_prefix(&bucket).and_then(|key| key.strip_prefix(&*prefix)) else { continue };
        match rest.split_once('/') {
            Some((day, _)) => {
                days.insert(format!("<CommonPrefixes><Prefix>{prefix}{day}/</Prefix></CommonPrefixes>"));
            }
            None => {
                let facts = "<LastModified>2026-11-20T12:00:00.000Z</LastModified><ETag>x</ETag>";
                objects +=
                    &format!("<Contents><Key>{prefix}{rest}</Key>{facts}<Size>{}</Size></Contents>", bytes.len());
            }
        }
    }
    let days: String = days.into_iter().collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}{days}</ListBucketResult>")
}

fn respond(stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> Option<()> {
    let mut answer = head_of(status, headers, body.len());
    answer.extend_from_slice(body);
    (&*stream).write_all(&answer).ok()
}

fn head_of(status: u16, headers: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status} Fake\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes()
}
