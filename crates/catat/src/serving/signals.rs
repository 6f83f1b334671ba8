//! SIGHUP reads settings and certificates again.

use std::sync::Arc;

use serve::Tls;
use tokio::signal::unix::{SignalKind, signal};

/// Reads settings and certificates again each time that SIGHUP comes.
pub(super) async fn reload_on_hangup(certificates: Vec<Arc<Tls>>, reload: Option<serve::Reload>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        let (certificates, reload) = (certificates.clone(), reload.clone());
        let work = move || {
            for error in certificates.iter().filter_map(|tls| tls.reload().err()) {
                say!("catat: {error}; the current certificate stays in use");
            }
            if let Some(Err(problems)) = reload.map(|reload| reload()) {
                say!("catat: {problems}\n  the previous settings stay in use");
            }
        };
        if tokio::task::spawn_blocking(work).await.is_err() {
            say!("catat: settings could not be read again; the previous ones stay in use");
        }
    }
}
