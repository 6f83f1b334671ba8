//! Containers of paths, and logs with several names.

use super::super::tests::Bench;
use super::*;

fn shown(path: &str) -> Option<(String, String, String)> {
    let container = Container::of_path(Path::new(path))?;
    let fields: Vec<String> = container.fields.iter().map(|(name, value)| format!("{name}={value:.12}")).collect();
    Some((container.group.to_string(), container.stream("h"), fields.join(" ")))
}

fn check(path: &str, group: &str, stream: &str, fields: &str) {
    assert_eq!(shown(path), Some((group.into(), stream.into(), fields.into())), "{path}");
}

#[test]
fn a_path_says_which_container_it_is() {
    let id = "0123456789abcdef".repeat(4);
    check(
        &format!("/var/log/containers/web-5d8f-x2x_shop_nginx-{id}.log"),
        "kubernetes/shop/nginx",
        "web-5d8f-x2x",
        "container=nginx container_id=0123456789ab namespace=shop pod=web-5d8f-x2x",
    );
    for file in ["0.log", "12.log", "0.log.20261120-101010"] {
        check(
            &format!("/host/var/log/pods/shop_web.0_5c0e-77/nginx-proxy/{file}"),
            "kubernetes/shop/nginx-proxy",
            "web.0",
            "container=nginx-proxy namespace=shop pod=web.0 pod_uid=5c0e-77",
        );
    }
    check(
        &format!("/var/lib/docker/containers/{id}/{id}-json.log.1"),
        "docker/0123456789ab",
        "h:0123456789ab",
        "container=0123456789ab container_id=0123456789ab",
    );
}

#[test]
fn docker_says_how_a_container_is_called() {
    let (dir, id) = (tempfile::tempdir().expect("a scratch directory"), "f".repeat(64));
    let path = dir.path().join(format!("{id}-json.log"));
    let config = r#"{"State":{},"ID":"f","Name":"/shop db","Config":{"Image":"postgres:17","Hostname":"x"}}"#;
    std::fs::write(dir.path().join("config.v2.json"), config).expect("scratch");
    let path = path.to_str().expect("text");
    check(path, "docker/shop_db", "h:shop db", "container=shop db container_id=ffffffffffff image=postgres:17");
    let labels = r#"{"Config":{"Labels":{"team":"shop","com.docker.compose.service":"db","com.docker.compose.config-hash":"5e",
        "org.opencontainers.image.version":"17","empty":"","number":7}}}"#;
    std::fs::write(dir.path().join("config.v2.json"), labels).expect("scratch");
    let fields = "container=ffffffffffff container.label.team=shop container_id=ffffffffffff service=db";
    check(path, "docker/ffffffffffff", "h:ffffffffffff", fields);
    for config in ["{", "[]", r#"{"Name":"/"}"#, r#"{"Name":7,"Config":[]}"#] {
        std::fs::write(dir.path().join("config.v2.json"), config).expect("scratch");
        check(path, "docker/ffffffffffff", "h:ffffffffffff", "container=ffffffffffff container_id=ffffffffffff");
    }
}

#[test]
fn nerdctl_and_podman_say_how_a_container_is_called() {
    let (dir, id, other) = (tempfile::tempdir().expect("a scratch directory"), "a".repeat(64), "b".repeat(64));
    let make = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("scratch");
        std::fs::write(&path, text).expect("scratch");
        path.to_str().expect("text").to_owned()
    };
    let file = make(&format!("1935db59/containers/shop/{id}/{id}-json.log"), "");
    let unnamed = "container=aaaaaaaaaaaa container_id=aaaaaaaaaaaa namespace=shop";
    check(&file, "containerd/shop/aaaaaaaaaaaa", "h:aaaaaaaaaaaa", unnamed);
    make("1935db59/names/shop/other", &other);
    make("1935db59/names/shop/web-1", &id);
    make("1935db59/names/default/wrong", &id);
    check(&file, "containerd/shop/web-1", "h:web-1", "container=web-1 container_id=aaaaaaaaaaaa namespace=shop");

    let file = make(&format!("overlay-containers/{id}/userdata/ctr.log"), "");
    check(&file, "podman/aaaaaaaaaaaa", "h:aaaaaaaaaaaa", "container=aaaaaaaaaaaa container_id=aaaaaaaaaaaa");
    let list = format!(
        r#"[{{"id":"{other}","names":["x"]}},{{"id":"{id}","names":["db"],"metadata":"{{\"image-name\":\"postgres:17\"}}"}}]"#
    );
    make("overlay-containers/containers.json", &list);
    check(&file, "podman/db", "h:db", "container=db container_id=aaaaaaaaaaaa image=postgres:17");
    make("overlay-containers/containers.json", "[{\"id\"");
    check(&file, "podman/aaaaaaaaaaaa", "h:aaaaaaaaaaaa", "container=aaaaaaaaaaaa container_id=aaaaaaaaaaaa");
}

#[test]
fn a_log_with_several_names_is_sent_once_also_when_it_is_rotated() {
    let mut bench = Bench::new(&[]);
    let pod = "pods/shop_web-1_uid/nginx";
    std::fs::create_dir_all(bench.path(pod)).expect("scratch");
    std::fs::create_dir(bench.path("containers")).expect("scratch");
    let link = bench.path(&format!("containers/web-1_shop_nginx-{}.log", "a".repeat(64)));
    std::os::unix::fs::symlink(bench.path(&format!("{pod}/0.log")), &link).expect("scratch");
    let mut options = bench.options();
    options.inputs[0].paths = ["containers/*.log", "pods/*/*/*.log*"].map(|path| bench.path(path)).into();
    options.inputs[0].is_of_containers = true;
    options.inputs[0].fields.insert("pod".into(), "mine".into());
    bench.start_with(options);
    bench.append(&format!("{pod}/0.log"), "one\n");
    bench.run(2_000);
    bench.append(&format!("{pod}/0.log"), "two\n");
    let batches = bench.run_without_server(1_000);
    let [batch] = &*batches else { panic!("{batches:?}") };
    assert_eq!((batch.group.as_str(), &*batch.stream), ("kubernetes/shop/nginx", "web-1"));
    let fields = &batch.header.fields;
    assert_eq!((&*fields["namespace"], &*fields["pod"], fields["container_id"].len()), ("shop", "mine", 64));
    bench.store(batch);
    let now = bench.now;
    bench.follower().acknowledge(batch, now);
    bench.append(&format!("{pod}/0.log"), "three\n");
    bench.rename(&format!("{pod}/0.log"), &format!("{pod}/0.log.20261120-101010"));
    bench.append(&format!("{pod}/0.log"), "four\n");
    bench.run(10_000);
    bench.check(&["one", "two", "three", "four"]);
    let groups: Vec<_> = bench.follower().status().into_iter().map(|file| file.group.to_string()).collect();
    assert_eq!(groups, ["kubernetes/shop/nginx", "kubernetes/shop/nginx"]);
}

#[test]
fn other_files_are_of_no_container() {
    let id = "0123456789abcdef".repeat(4);
    for path in [
        "/var/log/syslog",
        "/var/log/pods/a_b/c/0.log",
        "/var/log/pods/a_b_c/d/x.log",
        "/var/log/pods/a_b_c/d/0.logs",
        "/var/log/pods/a__c/d/0.log",
        "/var/log/containers/a_b_c-0123.log",
        "/0.log",
        &format!("/var/log/containers/a_b-{id}.log"),
        &format!("/var/log/containers/a_b_-{id}.log"),
    ] {
        assert_eq!(shown(path), None, "{path}");
    }
}
