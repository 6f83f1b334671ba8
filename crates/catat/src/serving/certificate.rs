//! Certificates of the server.

use std::sync::Arc;

use serve::Tls;

use crate::config::Certificate;
use crate::failure::{Failure, Result};

/// Reads a certificate and its key.
pub(crate) fn load_certificate(files: &Certificate) -> Result<Arc<Tls>> {
    let tls = Tls::load(&files.cert, &files.key).and_then(|tls| match &files.clients {
        Some(clients) => tls.with_clients(clients),
        None => Ok(tls),
    });
    tls.map(Arc::new).map_err(|error| Failure::usage(error.to_string()))
}
