//! Binds the sockets for syslog that the configuration names.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serve::SyslogListeners;

use crate::config::{Syslog, SyslogTls};
use crate::failure::Failure;

/// Binds what is configured; nothing where nothing is.
pub(crate) fn bind(config: &Syslog) -> Result<SyslogListeners, Failure> {
    let udp = config.udp.map(|address| UdpSocket::bind(address).map_err(|error| not_bound("udp", address, &error)));
    let tcp = |key, address| TcpListener::bind(address).map_err(|error| not_bound(key, address, &error));
    let tls = config.tls.as_ref().map(|tls| Ok::<_, Failure>((tcp("tls", tls.address)?, tls_config(tls)?)));
    Ok(SyslogListeners {
        udp: udp.transpose()?,
        tcp: config.tcp.map(|address| tcp("tcp", address)).transpose()?,
        tls: tls.transpose()?,
        allow: config.allow.clone(),
    })
}

fn not_bound(key: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    let next = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there (rsyslog?); choose another port",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need root; choose a higher one",
        _ => "choose another address",
    };
    Failure::usage(format!("cannot listen for syslog on {address}: {error}\n{next} in [syslog] {key}"))
}

fn tls_config(tls: &SyslogTls) -> Result<Arc<ServerConfig>, Failure> {
    let wrong = |path: &Path, problem: &dyn std::fmt::Display| Failure::usage(format!("{}: {problem}", path.display()));
    let certificates = CertificateDer::pem_file_iter(&tls.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| wrong(&tls.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| wrong(&tls.key, &error))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key);
    config.map(Arc::new).map_err(|error| wrong(&tls.cert, &error))
}
