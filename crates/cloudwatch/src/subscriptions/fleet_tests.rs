//! Two nodes of a fleet with the same subscription filter: one delivers, and the other continues where it stopped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::Value as Json;
use storage::{Clock, Store};
use tokio::sync::watch;

use super::filter::Filter;
use super::registry::Subscriptions;
use crate::fleet_lab::{FleetLab, append_errors, until};

/// Starts a server for posts on a port of its own; returns its address and the messages that it receives.
fn receiver() -> (String, mpsc::Receiver<Json>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/logs", listener.local_addr().unwrap());
    let (sender, taken) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            if sender.send(body_of(&mut stream)).is_err() {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (address, taken)
}

fn body_of(stream: &mut TcpStream) -> Json {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
                return serde_json::from_reader(flate2::read::GzDecoder::new(&bytes[end + 4..])).unwrap();
            }
        }
        let n = stream.read(&mut piece).unwrap();
        bytes.extend(&piece[..n]);
    }
}

fn texts_of(message: &Json) -> Vec<String> {
    let events = message["logEvents"].as_array().unwrap().iter();
    events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

/// Returns the texts of delivered events once there are `n`.
fn texts(taken: &mpsc::Receiver<Json>, n: usize) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < n {
        found.extend(texts_of(&taken.recv_timeout(Duration::from_secs(60)).unwrap()));
    }
    found
}

fn started(store: &Arc<Store>, closing: &watch::Receiver<bool>) -> Subscriptions {
    Subscriptions::start(store, &Clock::system(), closing, alert::Reach::Anywhere)
}

#[test]
fn each_event_is_delivered_once_whichever_node_accepts_it_and_whichever_delivers() {
    let Some(lab) = FleetLab::new() else { return };
    let (address, taken) = receiver();
    let (_close, closing) = watch::channel(false);
    let (a, b) = (lab.node("a"), lab.node("b"));
    let (of_a, of_b) = (started(&a, &closing), started(&b, &closing));
    append_errors(&b, &["before"]);
    let filter =
        Filter { group: "app/a".into(), name: "all".into(), destination: address.clone(), ..Filter::default() };
    of_b.put(filter.clone()).unwrap();
    assert_eq!(taken.recv_timeout(Duration::from_secs(60)).unwrap()["messageType"], "CONTROL_MESSAGE");
    append_errors(&a, &["one"]);
    append_errors(&b, &["two"]);
    assert_eq!(texts(&taken, 2), ["one", "two"]);
    // Another address, set on the node that does not deliver, continues there.
    let (elsewhere, taken_there) = receiver();
    of_b.put(Filter { destination: elsewhere.clone(), ..filter }).unwrap();
    assert_eq!(taken_there.recv_timeout(Duration::from_secs(60)).unwrap()["messageType"], "CONTROL_MESSAGE");
    let is_there =
        |one: &Subscriptions| one.workers.lock().values().any(|worker| worker.definition.destination == elsewhere);
    until("the node that delivers knows it", || is_there(&of_a) || is_there(&of_b));
    append_errors(&b, &["three"]);
    let last = texts(&taken_there, 1);
    let position =
        || lab.sql("control", "SELECT json::json->>'n_events' FROM settings WHERE kind = 'cloudwatch-subscription'");
    until("its position is saved", || position() == "3");
    of_a.stop();
    // Its deliveries hold the store too, which leaves the fleet when it is dropped.
    drop((of_a, a));
    append_errors(&b, &["four"]);
    assert_eq!((last, texts(&taken_there, 1)), (vec!["three".to_owned()], vec!["four".to_owned()]));
    until("its position is saved", || position() == "4");
    of_b.stop();
    assert!(taken.try_recv().is_err() && taken_there.try_recv().is_err(), "nothing came twice");
}
