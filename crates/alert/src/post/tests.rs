//! What receivers answer, over real sockets, and what it means.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;

/// Answers one request after the other with these texts; nothing closes the connection without an answer.
fn receiver(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let serve = move || {
        let answered = answers.iter().map(|answer| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let request = request_of(&mut stream);
            if !answer.is_empty() {
                let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(head.as_bytes()).expect("it is written");
            }
            request
        });
        answered.collect()
    };
    (url, thread::spawn(serve))
}

fn request_of(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut bytes = [0u8; 1024];
    loop {
        let n = stream.read(&mut bytes).expect("it is read");
        request.extend_from_slice(&bytes[..n]);
        if n == 0 || request.ends_with(b"body") {
            return String::from_utf8_lossy(&request).into_owned();
        }
    }
}

fn poster() -> Poster {
    // An error means that another test installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Poster::new(Reach::Anywhere).expect("a client")
}

#[test]
fn each_answer_is_worth_another_attempt_or_is_not() {
    const ANSWERS: &[&str] = &[
        "500 Internal Server Error",
        "",
        "429 Too Many Requests\r\nRetry-After: 7",
        "503 Service Unavailable\r\nRetry-After: soon",
        "408 Request Timeout",
        "404 Not Found",
        "204 No Content",
    ];
    let (url, thread) = receiver(ANSWERS);
    let poster = poster();
    let url = Secret::from(url);
    let post = || poster.post(&url, &[("X-A", "b")], b"body".to_vec());
    let after = |result: Result<(), PostError>| match result {
        Err(PostError::Retry { after, .. }) => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!((after(post()), after(post())), (None, None), "500, and closed without an answer");
    assert_eq!((after(post()), after(post()), after(post())), (Some(7), None, None));
    assert_eq!(post(), Err(PostError::Refused("answered 404 Not Found".into())));
    assert_eq!(post(), Ok(()));
    let requests = thread.join().expect("the receiver ends");
    assert!(requests.iter().all(|request| request.starts_with("POST /hook") && request.contains("x-a: b")));
}

#[test]
fn a_redirect_leads_nowhere_and_nothing_near_is_asked_for_who_may_not_lead_there() {
    let private = TcpListener::bind("127.0.0.1:0").expect("a port");
    private.set_nonblocking(true).expect("it can be asked without waiting");
    let location = format!("302 Found\r\nLocation: http://{}/", private.local_addr().expect("an address"));
    let (url, thread) = receiver(Vec::leak(vec![&*String::leak(location), "301 Moved Permanently"]));
    let (poster, url) = (poster(), Secret::from(url));
    let post = |is_guarded: bool| {
        poster.send(Request { method: "POST", url: &url, headers: &[], body: b"body".to_vec(), is_guarded })
    };
    assert!(matches!(post(true), Err(PostError::Refused(reason)) if reason.contains("private network")));
    for _ in 0..2 {
        let redirected = post(false);
        assert!(
            matches!(&redirected, Err(PostError::Retry { reason, .. }) if reason.contains("are not followed")),
            "{redirected:?}"
        );
    }
    thread.join().expect("the receiver ends");
    assert_eq!(private.accept().map(drop).map_err(|error| error.kind()), Err(std::io::ErrorKind::WouldBlock));
    let named = Secret::from("http://localhost:9/");
    let named = Request { method: "POST", url: &named, headers: &[], body: Vec::new(), is_guarded: true };
    assert!(matches!(poster.send(named), Err(PostError::Refused(_))));
}
