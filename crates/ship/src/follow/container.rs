//! Which container wrote a file, by its path.
//!
//! ```text
//! /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log      links of Kubernetes' to the next ones
//! /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log         with 0.log.20261120-101010 once it is rotated
//! /var/lib/docker/containers/ID/ID-json.log               with ID-json.log.1; config.v2.json next to it names the container
//! /var/lib/nerdctl/ENGINE/containers/NAMESPACE/ID/ID-json.log     containerd's by nerdctl; ENGINE/names/NAMESPACE/NAME has the id
//! /var/lib/containers/storage/DRIVER-containers/ID/userdata/ctr.log       Podman's; DRIVER-containers/containers.json has the name
//! ```
//!
//! The directories before that do not matter: they may be mounted elsewhere. No name of Kubernetes has a `_`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use types::{GroupName, group_name_of_outside};

/// Most bytes of Docker's description of a container, and of Podman's of all.
const CONFIG_BYTES_MAX: u64 = 1 << 20;
const LIST_BYTES_MAX: u64 = 16 << 20;

/// Most names of nerdctl's among which that of a container is looked for.
const NAMES_MAX: usize = 4096;

/// Labels of a container that its events get, and bytes of the name or value of one.
pub(super) const LABELS_MAX: usize = 32;
const LABEL_BYTES_MAX: usize = 256;

/// Digits of the id of a container, and those that people use.
const ID_DIGITS: usize = 64;
const SHORT_ID_DIGITS: usize = 12;

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// `kubernetes/NAMESPACE/CONTAINER`, `docker/CONTAINER`, `containerd/NAMESPACE/CONTAINER`, `podman/CONTAINER`.
    pub(super) group: GroupName,
    /// What its events get.
    pub(super) fields: BTreeMap<String, String>,
    /// The pod, or the container on this host.
    instance: String,
    is_of_host: bool,
}

impl Container {
    /// Returns the container that writes the file at `path`; reads its engine's description of it.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        let mut parts = path.components().rev().map(|part| part.as_os_str().to_str().unwrap_or_default());
        let (file, parent, above) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        of_link(file)
            .or_else(|| of_pod(above, parent, file))
            .or_else(|| of_podman(path, [above, parent, file]))
            .or_else(|| of_nerdctl(path, above, file))
            .or_else(|| of_docker(path, file))
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

    /// Returns a container of this host with a name, else with what people call it by.
    fn of_host(engine: &str, name: Option<&str>, id: &str, others: impl IntoIterator<Item = (String, String)>) -> Self {
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.get(..SHORT_ID_DIGITS).unwrap_or(id));
        let fields =
            [("container", name), ("container_id", id)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            group: group_name_of_outside(&format!("{engine}/{name}")),
            fields: fields.into_iter().chain(others).collect(),
            instance: name.to_owned(),
            is_of_host: true,
        }
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
    let id = id_of_file(file)?;
    let config = json_of(&path.with_file_name("config.v2.json"), CONFIG_BYTES_MAX);
    let name = config["Name"].as_str().map(|name| name.trim_start_matches('/'));
    let image = config["Config"]["Image"].as_str().map(|image| ("image".to_owned(), image.to_owned()));
    Some(Container::of_host("docker", name, id, image.into_iter().chain(labels_of(&config["Config"]["Labels"]))))
}

/// Parses `ENGINE/containers/NAMESPACE/ID/ID-json.log`. A name is a file that has the id.
fn of_nerdctl(path: &Path, namespace: &str, file: &str) -> Option<Container> {
    let id = id_of_file(file)?;
    let containers = path.ancestors().nth(3).filter(|dir| dir.ends_with("containers"))?;
    let names = std::fs::read_dir(containers.with_file_name("names").join(namespace));
    let is_of_id = |path: &Path| text_of(path, ID_DIGITS as u64 + 1).is_some_and(|found| found.trim_end() == id);
    let mut paths = names.into_iter().flatten().flatten().map(|entry| entry.path()).take(NAMES_MAX);
    let found = paths.find(|path| is_of_id(path));
    let name = found.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let of_namespace = ("namespace".to_owned(), namespace.to_owned());
    Some(Container::of_host(&format!("containerd/{namespace}"), name, id, [of_namespace]))
}

/// Parses `DRIVER-containers/ID/userdata/ctr.log`.
fn of_podman(path: &Path, [id, parent, file]: [&str; 3]) -> Option<Container> {
    let list = path.ancestors().nth(3).filter(|_| is_id(id) && parent == "userdata" && file == "ctr.log")?;
    let containers = json_of(&list.join("containers.json"), LIST_BYTES_MAX);
    let of_id = containers.as_array().into_iter().flatten().find(|container| container["id"] == id);
    let name = of_id.and_then(|container| container["names"][0].as_str());
    let metadata = of_id.and_then(|container| serde_json::from_str(container["metadata"].as_str()?).ok());
    let metadata: serde_json::Value = metadata.unwrap_or_default();
    let image = metadata["image-name"].as_str().map(|image| ("image".to_owned(), image.to_owned()));
    Some(Container::of_host("podman", name, id, image))
}

fn id_of_file(file: &str) -> Option<&str> {
    file.split_once("-json.log").map(|(id, _)| id).filter(|id| is_id(id))
}

/// Reads JSON; what cannot be read is as if it were not there.
fn json_of(path: &Path, bytes_max: u64) -> serde_json::Value {
    text_of(path, bytes_max).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn text_of(path: &Path, bytes_max: u64) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(bytes_max).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Returns the labels that somebody gave a container, as OpenTelemetry's convention names them (`container.label.KEY`), and the
/// service of Docker's compose. Those of its image say the same as its name, and most of compose's are its own notes.
fn labels_of(labels: &serde_json::Value) -> impl Iterator<Item = (String, String)> {
    const OF_IMAGE: [&str; 4] = ["org.opencontainers.", "org.label-schema.", "desktop.docker.", "maintainer"];
    const COMPOSE: &str = "com.docker.compose.";
    let is_telling = |(name, _): &(&str, &str)| !OF_IMAGE.iter().any(|start| name.starts_with(start));
    let field = |(name, value): (&str, &str)| match name.strip_prefix(COMPOSE) {
        Some("service") => Some(("service".to_owned(), value.to_owned())),
        Some("project") => Some(("project".to_owned(), value.to_owned())),
        Some(_) => None,
        None => Some((format!("container.label.{name}"), value.to_owned())),
    };
    telling_labels(labels).filter(is_telling).filter_map(field).take(LABELS_MAX)
}

/// Returns labels that are texts and not too long.
pub(super) fn telling_labels(labels: &serde_json::Value) -> impl Iterator<Item = (&str, &str)> {
    let texts = labels.as_object().into_iter().flatten().filter_map(|(name, value)| Some((&**name, value.as_str()?)));
    texts.filter(|(name, value)| !value.is_empty() && value.len().max(name.len()) <= LABEL_BYTES_MAX)
}

fn three(names: &str) -> Option<[&str; 3]> {
    let parts: Vec<&str> = names.split('_').collect();
    parts.try_into().ok()
}

fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
