//! How pages and lists of targets are fetched: credentials, TLS, proxies, headers. Keys and meanings are Prometheus'.
//!
//! Files with credentials are read at each request, as they change; certificates when the client is made.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use definition::{DefinitionError, Node};
use percent_encoding::percent_decode_str;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Certificate, Identity, Proxy, Url};
use types::{Secret, ensure};

use super::values::{flag, scalar, scalars, section};
use crate::http::chain;

/// The keys of this file in a job or a service discovery.
pub(super) const KEYS: [&str; 10] = [
    "basic_auth", "authorization", "bearer_token", "bearer_token_file", "tls_config", "follow_redirects",
    "enable_http2", "proxy_url", "proxy_from_environment", "http_headers",
];

/// Most bytes of a file with a credential.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Most redirects that are followed, as in Go's client.
const REDIRECTS_MAX: usize = 10;

/// How requests are made.
#[derive(Clone, Default)]
pub(super) struct ClientConfig {
    credentials: Option<Credentials>,
    tls: TlsConfig,
    keeps_redirects: bool,
    is_http1: bool,
    proxy: Option<Url>,
    proxy_from_environment: bool,
    headers: Vec<(String, Vec<SecretSource>)>,
}

/// A secret, or the file that has it.
#[derive(Clone)]
enum SecretSource {
    Given(Secret),
    File(PathBuf),
}

#[derive(Clone)]
enum Credentials {
    Basic {
        username: SecretSource,
        password: Option<SecretSource>,
    },
    /// A type, such as `Bearer`, and what follows it.
    Other(String, SecretSource),
}

#[derive(Clone, Default)]
struct TlsConfig {
    ca: Option<PemSource>,
    /// Certificate and key.
    identity: Option<(PemSource, PemSource)>,
    is_unchecked: bool,
    version_min: Option<reqwest::tls::Version>,
    version_max: Option<reqwest::tls::Version>,
}

/// PEM, or the file that has it.
#[derive(Clone)]
enum PemSource {
    Given(String),
    File(PathBuf),
}

/// A client that keeps connections open, and one that opens a connection for each request, made when it is first needed.
#[derive(Clone)]
pub(super) struct PageClient {
    pub(super) pooled: Client,
    unpooled: Arc<OnceLock<Client>>,
}

impl PageClient {
    /// Returns the client that opens a connection for each request.
    ///
    /// # Errors
    /// The certificate or key that cannot be read.
    pub(super) fn unpooled(&self, config: &ClientConfig) -> Result<Client, String> {
        if let Some(client) = self.unpooled.get() {
            return Ok(client.clone());
        }
        let client = config.build(0)?;
        Ok(self.unpooled.get_or_init(|| client).clone())
    }
}

impl ClientConfig {
    /// Reads the keys of a job or a service discovery; paths are relative to `base`.
    pub(super) fn read(node: &Node<'_>, base: &Path) -> Result<Self, DefinitionError> {
        let proxy = section(node, "proxy_url").map(|node| address(&node)).transpose()?;
        Ok(Self {
            credentials: credentials(node, base)?,
            tls: section(node, "tls_config").map(|node| TlsConfig::read(&node, base)).transpose()?.unwrap_or_default(),
            keeps_redirects: !flag(node, "follow_redirects", true)?,
            is_http1: !flag(node, "enable_http2", true)?,
            proxy,
            proxy_from_environment: flag(node, "proxy_from_environment", false)?,
            headers: headers(node, base)?,
        })
    }

    /// Takes the user and the password of an address, unless there are other credentials.
    pub(super) fn take_user(&mut self, url: &Url) {
        if self.credentials.is_none() && (!url.username().is_empty() || url.password().is_some()) {
            let secret = |text: &str| SecretSource::Given(Secret::from(&*percent_decode_str(text).decode_utf8_lossy()));
            let (username, password) = (secret(url.username()), url.password().map(secret));
            self.credentials = Some(Credentials::Basic { username, password });
        }
    }

    /// Makes a client.
    ///
    /// # Errors
    /// The certificate or key that cannot be read.
    pub(super) fn client(&self) -> Result<PageClient, String> {
        Ok(PageClient { pooled: self.build(usize::MAX)?, unpooled: Arc::default() })
    }

    fn build(&self, n_idle_max: usize) -> Result<Client, String> {
        // A target by HTTP needs no certificates of authorities, which bare systems lack.
        let built = match self.builder(n_idle_max)?.build() {
            Err(_) if self.tls.ca.is_none() => self.builder(n_idle_max)?.tls_certs_only([]).build(),
            built => built,
        };
        built.map_err(|error| chain(&error))
    }

    fn builder(&self, n_idle_max: usize) -> Result<reqwest::blocking::ClientBuilder, String> {
        let redirects = if self.keeps_redirects {
            reqwest::redirect::Policy::none()
        } else {
            reqwest::redirect::Policy::limited(REDIRECTS_MAX)
        };
        let mut client = Client::builder().redirect(redirects).pool_max_idle_per_host(n_idle_max);
        client = client.user_agent(concat!("catat/", env!("CARGO_PKG_VERSION")));
        if let Some(url) = &self.proxy {
            let proxy = Proxy::all(url.clone()).map_err(|error| format!("proxy_url: {}", chain(&error)))?;
            client = client.proxy(proxy);
        } else if !self.proxy_from_environment {
            client = client.no_proxy();
        }
        if self.is_http1 {
            client = client.http1_only();
        }
        self.tls.apply(client)
    }

    /// Adds credentials and headers to a request.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub(super) fn authorize(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        let mut request = match &self.credentials {
            None => request,
            Some(Credentials::Basic { username, password }) => {
                let password = password.as_ref().map(SecretSource::read).transpose()?;
                request.basic_auth(username.read()?.reveal(), password.as_ref().map(Secret::reveal))
            }
            Some(Credentials::Other(kind, secret)) => {
                request.header(reqwest::header::AUTHORIZATION, format!("{kind} {}", secret.read()?.reveal()))
            }
        };
        for (name, values) in &self.headers {
            for value in values {
                request = request.header(name, value.read()?.reveal());
            }
        }
        Ok(request)
    }
}

impl SecretSource {
    fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let text = text_of(path)?;
                Ok(Secret::from(text.trim()))
            }
        }
    }

    /// Reads a key, or the one that has `_file` after it.
    fn of(node: &Node<'_>, key: &str, base: &Path) -> Result<Option<Self>, DefinitionError> {
        given_or_file(node, key, |text| Self::Given(Secret::from(&*text)), |file| Self::File(base.join(file)))
    }
}

/// Reads what a key gives, or the key with `_file` after it.
fn given_or_file<T>(
    node: &Node<'_>,
    key: &str,
    given: impl FnOnce(String) -> T,
    file: impl FnOnce(&str) -> T,
) -> Result<Option<T>, DefinitionError> {
    let of_file = format!("{key}_file");
    match (section(node, key), section(node, &of_file)) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(given(scalar(&text)?))),
        (None, Some(name)) => Ok(Some(file(name.name()?))),
        (Some(_), Some(file)) => Err(file.error(format!("at most one of {key} and {of_file} can be given"))),
    }
}

/// Reads the first bytes of a file with a credential.
fn text_of(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn credentials(node: &Node<'_>, base: &Path) -> Result<Option<Credentials>, DefinitionError> {
    let basic = section(node, "basic_auth").map(|basic| {
        basic.check_keys(&["username", "username_file", "password", "password_file"])?;
        let username = SecretSource::of(&basic, "username", base)?;
        let username = username.ok_or_else(|| basic.error("\"username\" is missing"))?;
        Ok(Credentials::Basic { username, password: SecretSource::of(&basic, "password", base)? })
    });
    let other = section(node, "authorization").map(|of| {
        of.check_keys(&["type", "credentials", "credentials_file"])?;
        let kind = section(&of, "type").map(|kind| scalar(&kind)).transpose()?.unwrap_or_else(|| "Bearer".to_owned());
        if kind.trim().eq_ignore_ascii_case("basic") {
            return Err(of.child("type").error("use basic_auth for a user and a password"));
        }
        let secret = SecretSource::of(&of, "credentials", base)?;
        let secret = secret.ok_or_else(|| of.error("\"credentials\" or \"credentials_file\" is missing"))?;
        Ok(Credentials::Other(kind.trim().to_owned(), secret))
    });
    let bearer = SecretSource::of(node, "bearer_token", base)?;
    let bearer = bearer.map(|secret| Ok(Credentials::Other("Bearer".to_owned(), secret)));
    let mut found = [basic, other, bearer].into_iter().flatten();
    match (found.next(), found.next()) {
        (first, None) => first.transpose(),
        _ => Err(node.error("at most one of basic_auth, authorization and bearer_token can be given")),
    }
}

fn headers(node: &Node<'_>, base: &Path) -> Result<Vec<(String, Vec<SecretSource>)>, DefinitionError> {
    let Some(list) = section(node, "http_headers") else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for (name, of) in list.members()? {
        of.check_keys(&["values", "secrets", "files"])?;
        reqwest::header::HeaderName::try_from(name).map_err(|_| of.error("is not a name of a header"))?;
        let texts = |key: &str| of.get(key).map(|node| scalars(&node)).transpose().map(Option::unwrap_or_default);
        let mut values: Vec<SecretSource> = Vec::new();
        for text in texts("values")?.into_iter().chain(texts("secrets")?) {
            values.push(SecretSource::Given(Secret::from(&*text)));
        }
        values.extend(texts("files")?.into_iter().map(|file| SecretSource::File(base.join(file))));
        headers.push((name.to_owned(), values));
    }
    Ok(headers)
}

impl PemSource {
    fn of(node: &Node<'_>, key: &str, base: &Path) -> Result<Option<Self>, DefinitionError> {
        given_or_file(node, key, Self::Given, |file| Self::File(base.join(file)))
    }

    fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Given(pem) => Ok(pem.clone().into_bytes()),
            Self::File(path) => std::fs::read(path).map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

impl TlsConfig {
    fn read(node: &Node<'_>, base: &Path) -> Result<Self, DefinitionError> {
        const TLS_KEYS: [&str; 9] = [
            "ca", "ca_file", "cert", "cert_file", "key", "key_file", "insecure_skip_verify", "min_version",
            "max_version",
        ];
        if let Some(name) = node.get("server_name") {
            return Err(name.error("is not supported; name the target as its certificate does"));
        }
        node.check_keys(&TLS_KEYS)?;
        let (cert, key) = (PemSource::of(node, "cert", base)?, PemSource::of(node, "key", base)?);
        let identity = match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert, key)),
            _ => return Err(node.error("a certificate needs its key: give cert_file and key_file")),
        };
        let version = |key: &str| section(node, key).map(|node| version_of(&node)).transpose();
        Ok(Self {
            ca: PemSource::of(node, "ca", base)?,
            identity,
            is_unchecked: flag(node, "insecure_skip_verify", false)?,
            version_min: version("min_version")?,
            version_max: version("max_version")?,
        })
    }

    fn apply(&self, mut client: reqwest::blocking::ClientBuilder) -> Result<reqwest::blocking::ClientBuilder, String> {
        if let Some(ca) = &self.ca {
            let found = Certificate::from_pem_bundle(&ca.read()?).map_err(|error| format!("ca: {}", chain(&error)))?;
            ensure!(!found.is_empty(), "tls_config: ca contains no certificate; PEM is needed".to_owned());
            client = client.tls_certs_only(found);
        }
        if let Some((cert, key)) = &self.identity {
            let pem = [cert.read()?, b"\n".to_vec(), key.read()?].concat();
            client = client.identity(Identity::from_pem(&pem).map_err(|error| format!("cert: {}", chain(&error)))?);
        }
        if let Some(version) = self.version_min {
            client = client.tls_version_min(version);
        }
        if let Some(version) = self.version_max {
            client = client.tls_version_max(version);
        }
        Ok(client.tls_danger_accept_invalid_certs(self.is_unchecked))
    }
}

fn version_of(node: &Node<'_>) -> Result<reqwest::tls::Version, DefinitionError> {
    match &*scalar(node)? {
        "TLS12" => Ok(reqwest::tls::Version::TLS_1_2),
        "TLS13" => Ok(reqwest::tls::Version::TLS_1_3),
        "TLS10" | "TLS11" => Err(node.error("TLS before 1.2 is not supported; write TLS12 or TLS13")),
        _ => Err(node.error("is not a version of TLS; write TLS12 or TLS13")),
    }
}

/// Reads an address of HTTP.
pub(super) fn address(node: &Node<'_>) -> Result<Url, DefinitionError> {
    let url = Url::parse(node.name()?).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| node.error("must begin with http:// or https:// and name a host"))
}
