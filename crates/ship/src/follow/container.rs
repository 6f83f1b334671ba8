//! Which container wrote a file, by its path.
//!
//! ```text
//! /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log      links of Kubernetes' to the next ones
//! /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log         with 0.log.20261120-101010 once it is rotated
//! /var/lib/docker/containers/ID/ID-json.log               with ID-json.log.1; config.v2.json next to it names the container
//! ```
//!
//! The directories before that do not matter: they may be mounted elsewhere. No name of Kubernetes has a `_`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use types::{GroupName, group_name_of_outside};

/// Most bytes of Docker's description of a container.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Digits of the id of a container, and those that people use.
const ID_DIGITS: usize = 64;
const SHORT_ID_DIGITS: usize = 12;

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// `kubernetes/NAMESPACE/CONTAINER`, `docker/CONTAINER`.
    pub(super) group: GroupName,
    /// What its events get.
    pub(super) fields: BTreeMap<String, String>,
    /// The pod, or the container on this host.
    instance: String,
    is_of_host: bool,
}

impl Container {
    /// Returns the container that writes the file at `path`; reads Docker's description of it.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        let mut parts = path.components().rev().map(|part| part.as_os_str().to_str().unwrap_or_default());
        let (file, parent, above) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        of_link(file).or_else(|| of_pod(above, parent, file)).or_else(|| of_docker(path, file))
    }

    /// Returns the stream of its events on the host of this name.
    pub(super) fn stream(&self, host: &str) -> String {
        if self.is_of_host { format!("{host}:{}", self.instance) } else { self.instance.clone() }
    }

    fn of_kubernetes(namespace: &str, pod: &str, container: &str, id_field: &str, id: &str) -> Option<Self> {
        let fields = [("namespace", namespace), ("pod", pod), ("container", container), (id_field, id)];
        if fields.iter().any(|(_, value)| value.is_empty()) {
            return None;
        }
        Some(Self {
            group: group_name_of_outside(&format!("kubernetes/{namespace}/{container}")),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            instance: pod.to_owned(),
            is_of_host: false,
        })
    }
}

/// Parses `POD_NAMESPACE_CONTAINER-ID.log`.
fn of_link(file: &str) -> Option<Container> {
    let (names, id) = file.strip_suffix(".log")?.rsplit_once('-').filter(|(_, id)| is_id(id))?;
    let [pod, namespace, container] = three(names)?;
    Container::of_kubernetes(namespace, pod, container, "container_id", id)
}

/// Parses `NAMESPACE_POD_UID`, `CONTAINER`, `0.log`.
fn of_pod(names: &str, container: &str, file: &str) -> Option<Container> {
    let (restarts, _) = file.split_once(".log").filter(|(_, rest)| rest.is_empty() || rest.starts_with('.'))?;
    let [namespace, pod, uid] = three(names).filter(|_| restarts.parse::<u32>().is_ok())?;
    Container::of_kubernetes(namespace, pod, container, "pod_uid", uid)
}

/// Parses `ID-json.log`.
fn of_docker(path: &Path, file: &str) -> Option<Container> {
    let (id, _) = file.split_once("-json.log").filter(|(id, _)| is_id(id))?;
    let told = path.parent().and_then(|dir| std::fs::File::open(dir.join("config.v2.json")).ok());
    let mut config = Vec::new();
    if let Some(file) = told {
        // What cannot be read is as if it were not there.
        let _ = file.take(CONFIG_BYTES_MAX).read_to_end(&mut config);
    }
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
    let name = config["Name"].as_str().map(|name| name.trim_start_matches('/')).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| id.get(..SHORT_ID_DIGITS).unwrap_or(id));
    let mut fields = BTreeMap::from([("container", name), ("container_id", id)]);
    fields.extend(config["Config"]["Image"].as_str().map(|image| ("image", image)));
    Some(Container {
        group: group_name_of_outside(&format!("docker/{name}")),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        instance: name.to_owned(),
        is_of_host: true,
    })
}

fn three(names: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = names.split('_').collect();
    parts.try_into().ok()
}

fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
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
        for config in ["{", "[]", r#"{"Name":"/"}"#, r#"{"Name":7,"Config":[]}"#] {
            std::fs::write(dir.path().join("config.v2.json"), config).expect("scratch");
            check(path, "docker/ffffffffffff", "h:ffffffffffff", "container=ffffffffffff container_id=ffffffffffff");
        }
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
}
