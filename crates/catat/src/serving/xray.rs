//! Binds the socket for documents of X-Ray that the configuration names.

use std::net::UdpSocket;

use serve::XRayListener;

use crate::config::XRay;
use crate::failure::{Failure, Result};

/// Binds the socket; without an address there is none.
pub(crate) fn bind(config: &XRay) -> Result<Option<XRayListener>> {
    let Some(address) = config.udp else { return Ok(None) };
    let socket = UdpSocket::bind(address).map_err(|error| {
        let next = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there (the X-Ray daemon?); choose another port",
            _ => "choose another address",
        };
        Failure::usage(format!("cannot listen for X-Ray on {address}: {error}\n{next} in [xray] udp"))
    })?;
    Ok(Some(XRayListener { socket, allow: config.allow.clone() }))
}
