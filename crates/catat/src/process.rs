//! What every executable does first and last.

use std::process::ExitCode;

use crate::failure::{Failure, Result};
use crate::privacy;

/// Does what comes before any client, server or file.
pub(crate) fn prepare() -> Result<()> {
    privacy::write_for_owner_alone();
    // The first that needs TLS must find a provider.
    let installed = rustls::crypto::ring::default_provider().install_default();
    installed.map_err(|_| Failure::other("a TLS provider is already installed"))
}

/// Reports a failure; returns the exit code of the process.
pub(crate) fn exit_code(result: Result<()>) -> ExitCode {
    result.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}
