//! Binds the sockets of the doors that the configuration names.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use serve::{Door, SocketListeners, Tls};

use super::certificate::load_certificate;
use crate::config::{Certificate, Sockets};
use crate::failure::{Failure, Result};

/// Binds what is configured. `of_http` is the certificate of the HTTP listener, if it has one.
pub(crate) fn bind(doors: &[(Door, Sockets)], of_http: Option<&Arc<Tls>>) -> Result<Vec<(Door, SocketListeners)>> {
    let is_set = |sockets: &Sockets| sockets.udp.is_some() || sockets.tcp.is_some() || sockets.tls.is_some();
    let doors = doors.iter().filter(|(_, sockets)| is_set(sockets));
    doors.map(|(door, sockets)| Ok((*door, bind_one(*door, sockets, of_http)?))).collect()
}

fn bind_one(door: Door, config: &Sockets, of_http: Option<&Arc<Tls>>) -> Result<SocketListeners> {
    let not_bound = |key, address, error: std::io::Error| not_bound(door, key, address, &error);
    let udp = config.udp.map(|address| UdpSocket::bind(address).map_err(|error| not_bound("udp", address, error)));
    let tcp = |key, address| TcpListener::bind(address).map_err(|error| not_bound(key, address, error));
    let tls = config
        .tls
        .as_ref()
        .map(|tls| Ok::<_, Failure>((tcp("tls", tls.address)?, certificate(door, &tls.certificate, of_http)?)));
    Ok(SocketListeners {
        udp: udp.transpose()?,
        tcp: config.tcp.map(|address| tcp("tcp", address)).transpose()?,
        tls: tls.transpose()?,
        allow: config.allow.clone(),
    })
}

fn not_bound(door: Door, key: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    let (name, other) = match door {
        Door::Syslog => ("syslog", "rsyslog?"),
        Door::Gelf => ("GELF", "Graylog?"),
        Door::Forward => ("Fluentd's protocol", "Fluentd?"),
        Door::Lumberjack => ("Lumberjack", "Logstash?"),
        Door::Lines => ("lines", "another server?"),
    };
    let next = match error.kind() {
        std::io::ErrorKind::AddrInUse => format!("another program listens there ({other}); choose another port"),
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need root; choose a higher one".into(),
        _ => "choose another address".into(),
    };
    Failure::usage(format!("cannot listen for {name} on {address}: {error}\n{next} in [{}] {key}", door.name()))
}

/// Returns the certificate of the listener, else the one of the HTTP listener: then both are reloaded together.
fn certificate(door: Door, own: &Option<Certificate>, of_http: Option<&Arc<Tls>>) -> Result<Arc<Tls>> {
    match (own, of_http) {
        (Some(files), _) => load_certificate(files),
        (None, Some(tls)) => Ok(tls.clone()),
        (None, None) => Err(Failure::usage(format!("{}.tls is set without a certificate", door.name()))),
    }
}
