//! TLS for the doors: certificate and key from PEM files, which may change while the server runs.
//!
//! TLS 1.2 and 1.3 by rustls; HTTP/2, HTTP/1.1 or syslog inside. Connections that are there keep what they began with;
//! each new one gets the certificate of the files as they last were good. Files that are no good change nothing but the
//! log.
//!
//! Clients can be asked for a certificate of theirs, by an authority that is read once. What they may do with it is not known here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use std::{fmt, fs, io};
use types::{Hold, ensure};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoClientAuth, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::time::sleep;
use x509_cert::der::Decode;

/// How often it is looked whether the files changed.
const LOOK: Duration = Duration::from_secs(5);

/// Largest file: a chain of many certificates has some 20 kB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{path}: no {wanted} in PEM: {source}")]
    Content {
        /// The file.
        path: String,
        /// What it was to hold.
        wanted: &'static str,
        /// Why it does not.
        source: pem::Error,
    },
    /// The two do not fit together, or rustls cannot use them.
    #[error("certificate {cert} and key {key} cannot be used: {source}")]
    Unusable {
        /// The file of the certificate.
        cert: String,
        /// The file of the key.
        key: String,
        /// Why.
        source: rustls::Error,
    },
    /// The authority of clients cannot be used.
    #[error("{path}: the authority of clients cannot be used: {problem}")]
    Authority {
        /// The file.
        path: String,
        /// Why.
        problem: String,
    },
}

/// By whom certificates of clients have to be.
#[derive(Clone, Debug)]
pub struct ClientAuthority {
    /// Its certificate, a file of PEM; there may be several.
    pub file: PathBuf,
    /// Whether clients without a certificate are refused.
    pub is_required: bool,
}

/// The DNS names in the certificate that a client has shown.
#[derive(Clone, Debug)]
pub struct ClientNames(pub Arc<[String]>);

impl ClientNames {
    /// Returns the names of the first certificate, which was verified; `None` if there is none.
    pub(crate) fn of(chain: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let shown = webpki::EndEntityCert::try_from(chain?.first()?).ok()?;
        Some(Self(shown.valid_dns_names().map(str::to_owned).collect()))
    }
}

/// A certificate that may be exchanged, and how connections begin with it.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// The same, but clients are asked for no certificate.
    open: Arc<ServerConfig>,
    /// The files as they were looked at last, good or not.
    seen: Mutex<Option<[Stamp; 2]>>,
}

/// What tells that a file was written or replaced.
type Stamp = (u64, u64, Option<SystemTime>);

struct Current(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate and key")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads certificate and key.
    pub fn load(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (cert, key) = (cert.into(), key.into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let seen = stamps(&cert, &key);
        let certified = read(&cert, &key, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(certified))));
        let unusable = |source| TlsError::Unusable { cert: shown(&cert), key: shown(&key), source };
        let open = config_with(Arc::new(NoClientAuth), &provider, &current).map_err(unusable)?;
        Ok(Self { cert, key, provider, current, config: open.clone(), open, seen: Mutex::new(seen) })
    }

    /// Asks clients for certificates of theirs.
    ///
    /// # Errors
    /// If the file holds no authority.
    pub fn with_clients(self, of: &ClientAuthority) -> Result<Self, TlsError> {
        let path = shown(&of.file);
        let content = |source| TlsError::Content { path: path.clone(), wanted: "certificate", source };
        let unusable =
            |problem: &dyn fmt::Display| TlsError::Authority { path: path.clone(), problem: problem.to_string() };
        let mut roots = RootCertStore::empty();
        for found in CertificateDer::pem_slice_iter(&read_file(&of.file)?) {
            roots.add(found.map_err(content)?).map_err(|error| unusable(&error))?;
        }
        ensure!(!roots.is_empty(), content(pem::Error::NoItemsFound));
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), self.provider.clone());
        let builder = if of.is_required { builder } else { builder.allow_unauthenticated() };
        let verifier = builder.build().map_err(|error| unusable(&error))?;
        let config = config_with(verifier, &self.provider, &self.current).map_err(|error| unusable(&error))?;
        Ok(Self { config, ..self })
    }

    /// Returns the acceptor of connections.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Returns the acceptor of connections of other nodes, which show who they are with each request.
    pub fn config_for_nodes(&self) -> Arc<ServerConfig> {
        self.open.clone()
    }

    /// Returns the acceptor of connections without ALPN; no certificate is asked for there.
    pub fn config_for_bytes(&self) -> Arc<ServerConfig> {
        let mut config = (*self.open).clone();
        config.alpn_protocols.clear();
        Arc::new(config)
    }

    /// Returns when the certificate in use expires, if that can be read from it.
    pub fn expires(&self) -> Option<SystemTime> {
        let certified = self.current.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let certificate = x509_cert::Certificate::from_der(certified.end_entity_cert().ok()?).ok()?;
        Some(certificate.tbs_certificate.validity.not_after.to_system_time())
    }

    /// Reads the files again, whether they changed or not; bad ones change nothing.
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.seen.hold() = stamps(&self.cert, &self.key);
        let certified = read(&self.cert, &self.key, &self.provider)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        tracing::info!(cert = %self.cert.display(), "TLS certificate read again");
        Ok(())
    }

    /// Reads the files again where they changed since they were looked at last. Two files that are exchanged one after
    /// the other do not fit for a moment, and do when the second one is there.
    pub fn reload_if_changed(&self) {
        let is_same = *self.seen.hold() == stamps(&self.cert, &self.key);
        if is_same {
            return;
        }
        if let Err(error) = self.reload() {
            tracing::warn!(%error, "the new TLS certificate is not used; the old one stays");
        }
    }
}

/// Looks again and again whether the files changed.
pub async fn watch(tls: Arc<Tls>) {
    loop {
        sleep(LOOK).await;
        let tls = tls.clone();
        // A panic there would be in the log already; the certificate that is there stays.
        let _ = tokio::task::spawn_blocking(move || tls.reload_if_changed()).await;
    }
}

fn config_with(
    verifier: Arc<dyn ClientCertVerifier>,
    provider: &Arc<CryptoProvider>,
    current: &Arc<Current>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(current.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Returns the versions of the files; `None` if one cannot be read.
fn stamps(cert: &Path, key: &Path) -> Option<[Stamp; 2]> {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.len(), metadata.modified().ok()))
    };
    Some([of(cert)?, of(key)?])
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let wanted = "certificate";
    let content = |source| TlsError::Content { path: shown(cert), wanted, source };
    let pem = read_file(cert)?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(content)?;
    ensure!(!chain.is_empty(), content(pem::Error::NoItemsFound));
    let content = |source| TlsError::Content { path: shown(key), wanted: "private key", source };
    let private = PrivateKeyDer::from_pem_slice(&read_file(key)?).map_err(content)?;
    CertifiedKey::from_der(chain, private, provider).map_err(|source| TlsError::Unusable {
        cert: shown(cert),
        key: shown(key),
        source,
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|source| TlsError::Read { path: shown(path), source })
}
