//! Binds the sockets for syslog that the configuration names.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use serve::{SyslogListeners, Tls};

use super::certificate::load_certificate;
use crate::config::{Certificate, Syslog};
use crate::failure::Failure;

/// Binds what is configured; nothing where nothing is. `of_door` is the certificate of the other door, where there is one.
pub(crate) fn bind(config: &Syslog, of_door: Option<&Arc<Tls>>) -> Result<SyslogListeners, Failure> {
    let udp = config.udp.map(|address| UdpSocket::bind(address).map_err(|error| not_bound("udp", address, &error)));
    let tcp = |key, address| TcpListener::bind(address).map_err(|error| not_bound(key, address, &error));
    let tls = config
        .tls
        .as_ref()
        .map(|tls| Ok::<_, Failure>((tcp("tls", tls.address)?, certificate(&tls.certificate, of_door)?)));
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

/// Returns the certificate of the listener, else the one of the HTTP listener: then both are reloaded together.
fn certificate(own: &Option<Certificate>, of_door: Option<&Arc<Tls>>) -> Result<Arc<Tls>, Failure> {
    match (own, of_door) {
        (Some(files), _) => load_certificate(files),
        (None, Some(tls)) => Ok(tls.clone()),
        (None, None) => Err(Failure::usage("syslog.tls is set without a certificate")),
    }
}
