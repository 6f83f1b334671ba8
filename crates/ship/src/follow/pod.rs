//! What Kubernetes says of a pod: its node, its owner, its labels and its images.
//!
//! Asked of the API server with the service account of the pod that we run in, which must be allowed to `get` pods
//! (<https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>). A pod is asked about once; while the API server
//! does not answer, files of pods are followed without what it would say.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Certificate;
use reqwest::blocking::Client;
use serde_json::Value;
use types::Hold;

use super::container::{LABELS_MAX, telling_labels};
use crate::http::chain;

/// Where the service account of a pod lies.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Longest time that an answer may take: following files waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long nothing is asked behind a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Pods that are remembered.
const PODS_MAX: usize = 4_096;

/// Labels that controllers give their pods to tell them apart.
const OF_CONTROLLERS: [&str; 8] = [
    "pod-template-hash",
    "pod-template-generation",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/",
    "apps.kubernetes.io/",
    "statefulset.kubernetes.io/",
];

/// The API server and what it said.
#[derive(Debug)]
pub struct Pods {
    url: String,
    account: PathBuf,
    client: Client,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By namespace and name: the fields of all containers, and the image of each.
    known: HashMap<(String, String), Pod>,
    asked_again: Option<Instant>,
}

#[derive(Clone, Debug, Default)]
struct Pod {
    fields: BTreeMap<String, String>,
    images: BTreeMap<String, String>,
}

impl Pods {
    /// Returns the API server of the cluster that this process runs in; `None` outside of one, and without a service account.
    pub(super) fn of_cluster() -> Option<Self> {
        let (host, port) =
            (std::env::var("KUBERNETES_SERVICE_HOST").ok()?, std::env::var("KUBERNETES_SERVICE_PORT").ok()?);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Self::new(format!("https://{host}:{port}"), PathBuf::from(ACCOUNT))
    }

    fn new(url: String, account: PathBuf) -> Option<Self> {
        let authorities = Certificate::from_pem_bundle(&std::fs::read(account.join("ca.crt")).ok()?).ok()?;
        let client = Client::builder().timeout(PATIENCE).no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.tls_certs_only(authorities).build().ok()?;
        Some(Self { url, account, client, state: Mutex::default() })
    }

    /// Adds what is known of a pod to the fields of one of its containers, which name both.
    pub(super) fn add_to(&self, fields: &mut BTreeMap<String, String>) {
        let names = ["namespace", "pod", "container"].map(|name| fields.get(name));
        if let [Some(namespace), Some(pod), Some(container)] = names {
            fields.extend(self.fields_of(namespace, pod, container));
        }
    }

    /// Returns the fields of the events of a container.
    fn fields_of(&self, namespace: &str, pod: &str, container: &str) -> BTreeMap<String, String> {
        let mut state = self.state.hold();
        let key = (namespace.to_owned(), pod.to_owned());
        if !state.known.contains_key(&key) {
            if state.asked_again.is_some_and(|at| Instant::now() < at) {
                return BTreeMap::new();
            }
            match self.ask(namespace, pod) {
                Ok(told) => {
                    if state.known.len() >= PODS_MAX {
                        state.known.clear();
                    }
                    state.known.insert(key.clone(), told);
                }
                Err(problem) => {
                    tracing::warn!(problem, "labels of pods are not known; the service account needs to get pods");
                    state.asked_again = Some(Instant::now() + PAUSE);
                    return BTreeMap::new();
                }
            }
        }
        let Some(told) = state.known.get(&key) else { return BTreeMap::new() };
        let image = told.images.get(container).map(|image| ("image".to_owned(), image.clone()));
        told.fields.clone().into_iter().chain(image).collect()
    }

    /// Asks for a pod. One that is gone has nothing to say, which is no failure.
    fn ask(&self, namespace: &str, pod: &str) -> Result<Pod, String> {
        // Read each time: it is replaced every hour.
        let token = std::fs::read_to_string(self.account.join("token")).map_err(|error| error.to_string())?;
        let request = self.client.get(format!("{}/api/v1/namespaces/{namespace}/pods/{pod}", self.url));
        let answer = request.bearer_auth(token.trim()).send().map_err(|error| chain(&error.without_url()))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Ok(Pod::default()),
            status => return Err(format!("the API server answers {status}")),
        }
        let mut body = Vec::new();
        answer.take(ANSWER_BYTES_MAX).read_to_end(&mut body).map_err(|error| error.to_string())?;
        let told: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(Pod::of(&told))
    }
}

impl Pod {
    /// Reads a Pod of `v1`.
    fn of(told: &Value) -> Self {
        let labels = &told["metadata"]["labels"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let kept =
            telling_labels(labels).filter(|(name, _)| !OF_CONTROLLERS.iter().any(|start| name.starts_with(start)));
        let mut fields: BTreeMap<String, String> =
            kept.take(LABELS_MAX).map(|(name, value)| (format!("k8s.pod.label.{name}"), value.to_owned())).collect();
        fields.extend(text(&told["spec"]["nodeName"]).map(|node| ("node".to_owned(), node)));
        fields.extend(owner_of(told));
        let service = ["app.kubernetes.io/name", "app"].iter().find_map(|name| text(&labels[*name]));
        fields.extend(service.map(|service| ("service".to_owned(), service)));
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        let containers = lists.iter().flat_map(|list| told["spec"][*list].as_array().into_iter().flatten());
        let image = |container: &Value| Some((text(&container["name"])?, text(&container["image"])?));
        Self { fields, images: containers.filter_map(image).collect() }
    }
}

/// Returns what a pod belongs to by its kind: `deployment`, `statefulset`, `daemonset`, `job` … A set of replicas is named by its
/// deployment and the hash of its template.
fn owner_of(told: &Value) -> Option<(String, String)> {
    let owners = told["metadata"]["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let (kind, name) = (owner["kind"].as_str()?, owner["name"].as_str()?);
    let hash = told["metadata"]["labels"]["pod-template-hash"].as_str();
    let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    Some(match deployment.filter(|_| kind == "ReplicaSet") {
        Some(deployment) => ("deployment".to_owned(), deployment.to_owned()),
        None => (kind.to_ascii_lowercase(), name.to_owned()),
    })
}

#[cfg(test)]
mod tests;
