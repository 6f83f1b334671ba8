//! `catat send`: what is accepted, rejected and sent again, with a server and with a door that answers as it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::server::{Ran, Server, catat, run};

/// Runs `catat send` to its end.
fn send(server: &Server, arguments: &[&str], input: &str) -> Ran {
    let mut command = catat(server.data_dir.parent().expect("it lies in the scratch directory"));
    command.args(["send", "--url", &server.url, "--group", "job"]).args(arguments);
    run(command, input)
}

fn server() -> (tempfile::TempDir, Server) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    (scratch, server)
}

#[test]
fn rejected_lines_are_named_by_their_number_and_the_others_are_kept() {
    let (scratch, server) = server();
    std::fs::write(scratch.path().join("a.ndjson"), "{\"n\":1}\n\n{\"n\":\n{\"n\":2}\n").expect("scratch is writable");
    let ran = send(&server, &["--format", "ndjson", "a.ndjson"], "");
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.err.contains("a.ndjson, line 3: ") && ran.err.contains("2 events accepted, 1 line rejected"),
        "{}",
        ran.err
    );
    assert_eq!(server.value("filter @log = \"job\" | stats sum(n) as n"), 3);
    let ran = send(&server, &["--format", "ndjson"], "no record\n");
    assert_eq!(ran.code, 4, "where no line was accepted the lines are named all the same: {}", ran.err);
    assert!(ran.err.contains("standard input, line 1: "), "{}", ran.err);
}

#[test]
fn fields_are_given_to_events_that_are_recognised_and_whole_all_the_same() {
    let (_scratch, server) = server();
    let lines = "<11>Nov 20 06:47:13 web-1 shop: no tea\nERROR broken\n\tat A.b(A.java:1)\n";
    let ran = send(&server, &["--field", "job=backup", "--field", "hostname=mine", "--compression", "gzip"], lines);
    assert_eq!((ran.code, ran.err.trim()), (0, "catat: 2 events accepted"));
    let rows = server.rows("filter job = \"backup\" | fields appname, hostname, @message | sort appname desc");
    assert_eq!(rows[0][..2], [json!("shop"), json!("web-1")], "what the line says wins: {rows:?}");
    assert_eq!(rows[1][1..], [json!("mine"), json!("ERROR broken\n\tat A.b(A.java:1)")], "{rows:?}");
    let ran = send(&server, &["--field", "job"], "x\n");
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn files_plain_and_packed_are_sent_in_turn() {
    let (scratch, server) = server();
    std::fs::write(scratch.path().join("a.log"), "one\ntwo").expect("scratch is writable");
    let packed =
        zstd::encode_all(&b"{\"message\":\"three\"}\nnot one\n{\"message\":\"four\"}\n"[..], 3).expect("memory");
    std::fs::write(scratch.path().join("b.log.zst"), packed).expect("scratch is writable");
    let ran = send(&server, &["--quiet", "--stream", "s", "a.log", "b.log.zst", "-"], "five\n");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let mut rows = server.rows("filter @log = \"job\" and @logStream = \"s\" | fields @message");
    rows.sort_by_key(|row| row[0].to_string());
    assert_eq!(rows, ["five", "four", "not one", "one", "three", "two"].map(|text| vec![json!(text)]));
    let ran = send(&server, &["a.log", "missing.log"], "");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(server.value("filter @log = \"job\" | stats count(*) as n"), 6, "nothing is sent of a list with a hole");
}

#[test]
fn what_the_journal_prints_is_read_as_the_journal_means_it() {
    let (_scratch, server) = server();
    let lines = r#"{"__REALTIME_TIMESTAMP":"1795157233123456","PRIORITY":"3","_SYSTEMD_UNIT":"shop.service","MESSAGE":"no tea"}
{"__REALTIME_TIMESTAMP":"1795157234000000","PRIORITY":"6","MESSAGE":[27,91,109,105,110]}
"#;
    let ran = send(&server, &[], lines);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let rows = server.rows("filter @log = \"job\" | fields @timestamp, @level, @message, MESSAGE | sort @timestamp");
    let expected = [
        [json!("2026-11-20T06:47:13.123456Z"), json!("error"), json!("no tea"), json!("no tea")],
        [json!("2026-11-20T06:47:14Z"), json!("info"), json!("\u{1b}[min"), json!("\u{1b}[min")],
    ];
    assert_eq!(rows, expected.map(|row| row.to_vec()));
}

#[test]
fn a_line_is_there_before_its_pipe_is_closed() {
    let (scratch, server) = server();
    let mut command = catat(scratch.path());
    command.args(["send", "--url", &server.url, "--group", "job"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the executable was built");
    let mut pipe = child.stdin.take().expect("it was piped");
    pipe.write_all(b"first\n").expect("it reads");
    let n_events = || server.value("filter @log = \"job\" | stats count(*) as n");
    server.until("the line is stored", || (n_events() == 1).then_some(()));
    pipe.write_all(b"last, without an end").expect("it reads");
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(n_events(), 2);
}

/// A request as it came: batch id, encoding, body.
type Request = (String, String, Vec<u8>);

/// A door that answers each request with what `answer` says, or hangs up where it says nothing.
struct Door {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Door {
    fn open(mut answer: impl FnMut(usize, &[u8]) -> Option<String> + Send + 'static) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let taken = requests.clone();
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let request = read_request(&mut BufReader::new(stream.try_clone().expect("a socket")));
                let body = request.2.clone();
                taken.lock().expect("nobody panics with it").push(request);
                if let Some(answer) = answer(n, &body) {
                    // Whoever has hung up reads nothing.
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        });
        Door { url, requests }
    }

    fn send(&self, arguments: &[&str], input: &str) -> Ran {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let mut command = catat(scratch.path());
        command.args(["send", "--url", &self.url]).args(arguments);
        run(command, input)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("nobody panics with it").clone()
    }
}

fn read_request(reader: &mut impl BufRead) -> Request {
    let (mut id, mut encoding, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-catat-batch" => id = value.to_owned(),
            "content-encoding" => encoding = value.to_owned(),
            "content-length" => length = value.parse().expect("a number"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (id, encoding, body)
}

fn response(status: &str, headers: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"))
}

fn accepted(n: usize) -> Option<String> {
    response("200 OK", "", &json!({"accepted": n, "duplicate": false, "rejected": []}).to_string())
}

#[test]
fn a_batch_is_sent_again_under_its_id_until_the_server_has_it() {
    let door = Door::open(|n, _| match n {
        0 => response("503 Service Unavailable", "Retry-After: 0\r\n", "{\"error\":{\"message\":\"no room\"}}"),
        1 => None,
        2 => response("429 Too Many Requests", "", "busy"),
        _ => accepted(2),
    });
    let ran = door.send(&["--compression", "zstd"], "one\ntwo\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("no room; trying again") && ran.err.contains("2 events accepted"), "{}", ran.err);
    let requests = door.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| *request == requests[0] && !request.0.is_empty()), "{requests:?}");
    let (_, encoding, body) = &requests[0];
    assert_eq!(encoding, "zstd");
    assert_eq!(zstd::decode_all(&body[..]).expect("it is packed"), b"one\ntwo\n");
}

#[test]
fn what_stays_on_this_machine_is_not_packed() {
    let door = Door::open(|_, _| accepted(2));
    let ran = door.send(&[], "one\ntwo\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (_, encoding, body) = &door.requests()[0];
    assert_eq!((&**encoding, &**body), ("", &b"one\ntwo\n"[..]));
}

#[test]
fn a_server_is_not_waited_for_longer_than_was_said() {
    let door = Door::open(|_, _| response("503 Service Unavailable", "Retry-After: 7\r\n", "no room"));
    let ran = door.send(&["--retry-for", "5s"], "one\n");
    assert_eq!((ran.code, door.requests().len()), (1, 1), "{}", ran.err);
    assert!(ran.err.contains("line 1 of standard input and all later lines are not stored"), "{}", ran.err);
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut command = catat(scratch.path());
    // Port 1 is reserved and nobody listens there.
    command.args(["send", "--url", "http://127.0.0.1:1", "--retry-for", "0s"]);
    let ran = run(command, "one\n");
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("are not stored"), "{}", ran.err);
}

#[test]
fn what_is_too_large_comes_in_halves_and_a_line_that_is_too_large_is_named() {
    let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
    let of_door = taken.clone();
    let door = Door::open(move |_, body| {
        if body.len() > 12 {
            return response("413 Payload Too Large", "", "{\"error\":{\"message\":\"the body is too large\"}}");
        }
        of_door.lock().expect("nobody panics with it").extend_from_slice(body);
        accepted(body.iter().filter(|byte| **byte == b'\n').count())
    });
    let lines = "aaaa\nbbbb\ncccc\na line that is too large\ndddd\neeee\n";
    let ran = door.send(&["--compression", "none"], lines);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("standard input, line 4: the body is too large"), "{}", ran.err);
    assert!(ran.err.contains("5 events accepted, 1 line rejected"), "{}", ran.err);
    assert_eq!(*taken.lock().expect("nobody panics with it"), b"aaaa\nbbbb\ncccc\ndddd\neeee\n");
    let mut ids: Vec<String> = door.requests().into_iter().map(|(id, ..)| id).collect();
    let n_requests = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), n_requests, "each half is a batch of its own");
}

#[test]
fn the_first_line_that_is_not_stored_is_named_within_a_batch_too() {
    let door = Door::open(|_, body| match body {
        b"aaaa\nbbbb\n" => accepted(2),
        body if body.len() > 12 => response("413 Payload Too Large", "", "{}"),
        _ => response("403 Forbidden", "", "{\"error\":{\"message\":\"not to this group\"}}"),
    });
    let ran = door.send(&["--compression", "none"], "aaaa\nbbbb\ncccc\ndddd\n");
    assert!(ran.code != 0 && ran.err.contains("2 events were accepted before"), "{}", ran.err);
    assert!(ran.err.contains("line 3 of standard input and all later lines are not stored"), "{}", ran.err);
}
