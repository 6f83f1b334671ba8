//! What an API server says of pods, and when it is asked.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::super::container::Container;
use super::*;

fn pod(owner: &Value) -> Value {
    json!({
        "metadata": {
            "name": "web-7d4b9c-x2x", "namespace": "shop",
            "labels": {"app": "web", "tier": "front", "pod-template-hash": "7d4b9c", "batch.kubernetes.io/job-name": "j", "empty": ""},
            "ownerReferences": [{"kind": "Other", "name": "no"}, owner],
        },
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "nginx", "image": "nginx:1.29"}, {"name": "side", "image": "side:2"}],
            "initContainers": [{"name": "setup", "image": "setup:1"}],
        },
    })
}

/// An API server that knows one pod, and how often it was asked. It asks for a token itself.
fn api_server(told: Value) -> (Pods, Arc<AtomicUsize>, tempfile::TempDir) {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let account = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(account.path().join("ca.crt"), "").expect("it is writable");
    std::fs::write(account.path().join("token"), "secret\n").expect("it is writable");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counted = n_asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            counted.fetch_add(1, Ordering::Relaxed);
            let is_allowed = head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Bearer secret"));
            let (status, body) = match head[0].split(' ').nth(1) {
                _ if !is_allowed => (401, json!({})),
                Some("/api/v1/namespaces/shop/pods/web-7d4b9c-x2x") => (200, told.clone()),
                _ => (404, json!({})),
            };
            let (body, close) = (body.to_string(), "connection: close\r\n");
            let answer = format!("HTTP/1.1 {status} x\r\n{close}content-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).expect("it is read");
        }
    });
    (Pods::new(url, account.path().to_owned()).expect("an account"), n_asked, account)
}

fn shown(fields: &BTreeMap<String, String>) -> String {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn files_of_a_pod_have_its_node_owner_labels_and_image() {
    let (pods, n_asked, _account) =
        api_server(pod(&json!({"kind": "ReplicaSet", "name": "web-7d4b9c", "controller": true})));
    let path = |container: &str| format!("/var/log/pods/shop_web-7d4b9c-x2x_77/{container}/0.log");
    let mut container = Container::of_path(Path::new(&path("nginx"))).expect("a container");
    pods.add_to(&mut container.fields);
    assert_eq!(
        shown(&container.fields),
        "container=nginx deployment=web image=nginx:1.29 k8s.pod.label.app=web k8s.pod.label.tier=front namespace=shop node=n1 \
         pod=web-7d4b9c-x2x pod_uid=77 service=web"
    );
    let images = ["side", "setup", "other"].map(|name| pods.fields_of("shop", "web-7d4b9c-x2x", name).remove("image"));
    assert_eq!(images, [Some("side:2".to_owned()), Some("setup:1".to_owned()), None]);
    assert_eq!((pods.fields_of("shop", "gone", "a"), pods.fields_of("shop", "gone", "b")), Default::default());
    assert_eq!(n_asked.load(Ordering::Relaxed), 2, "once for each pod");
}

#[test]
fn an_owner_is_named_by_its_kind() {
    for (owner, field) in [
        (json!({"kind": "StatefulSet", "name": "db", "controller": true}), "statefulset=db"),
        (json!({"kind": "ReplicaSet", "name": "alone", "controller": true}), "replicaset=alone"),
        (json!({"kind": "Job", "name": "backup-29", "controller": true}), "job=backup-29"),
    ] {
        assert!(shown(&Pod::of(&pod(&owner)).fields).contains(field), "{owner}");
    }
    assert_eq!(owner_of(&pod(&json!({"kind": "Job", "name": "j"}))), None);
    assert_eq!(shown(&Pod::of(&json!([1])).fields), "");
}

#[test]
fn behind_a_refusal_nothing_is_asked_for_a_while() {
    let (pods, n_asked, account) = api_server(pod(&Value::Null));
    std::fs::write(account.path().join("token"), "another").expect("it is writable");
    let asked = || pods.fields_of("shop", "web-7d4b9c-x2x", "nginx").len();
    assert_eq!((asked(), asked(), n_asked.load(Ordering::Relaxed)), (0, 0, 1));
    std::fs::write(account.path().join("token"), "secret").expect("it is writable");
    pods.state.lock().expect("no panic").asked_again = None;
    assert!(asked() > 4 && asked() > 4 && n_asked.load(Ordering::Relaxed) == 2);
}
