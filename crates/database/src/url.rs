//! Where a PostgreSQL database is, as a URL. It may hold a password, so that it is never shown as it was given:
//! [`fmt::Display`] and [`fmt::Debug`] say user, host, port and name of the database, and nothing else.
//!
//! `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE&sslrootcert=FILE`, with every parameter that libpq
//! knows for hosts, times and TCP. `sslmode`:
//!
//! * `disable`: no TLS. `prefer` (without `sslmode`): TLS where the server has it. `require`: TLS, or no connection.
//!   These three do not look at who signed the certificate, as in libpq, unless `sslrootcert` is given.
//! * `verify-ca`, `verify-full`: TLS with a certificate for this host that an authority signed: one of the file
//!   `sslrootcert`, else one that the system trusts.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// The address of a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// Hosts, user, password, times.
    pub config: Config,
    /// Whose certificates are good.
    pub trust: Trust,
}

/// Where a store's databases are. What is absent is a SQLite file of the data directory.
#[derive(Clone, Debug, Default)]
pub struct Databases {
    /// The catalog.
    pub catalog: Option<DatabaseUrl>,
    /// The control store.
    pub control: Option<DatabaseUrl>,
}

impl Databases {
    /// Reports whether one of them is not a file of the data directory.
    pub fn is_remote(&self) -> bool {
        self.catalog.is_some() || self.control.is_some()
    }
}

/// Whose certificates are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Everyone's: the connection is only encrypted.
    Anybody,
    /// Those that the system trusts.
    System,
    /// Those of the authorities in a PEM file.
    File(PathBuf),
}

/// Why a text is not an address of a database. It quotes nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is no URL.
    #[error("is not a URL such as postgres://user:password@host:5432/database (in it, write %40 for @, %3F for ?)")]
    NotAUrl,
    /// It names a mode that does not exist.
    #[error("has an sslmode that is none of disable, prefer, require, verify-ca, verify-full")]
    Mode,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DatabaseUrlError::NotAUrl);
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        // A password with a question mark in it would be cut in two.
        if query.contains('@') {
            return Err(DatabaseUrlError::NotAUrl);
        }
        let (mut mode, mut roots, mut others) = ("prefer", None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = value,
                Some(("sslrootcert", value)) => roots = Some(percent_decoded(value)?),
                _ => others.push(parameter),
            }
        }
        let mut config: Config =
            format!("{address}?{}", others.join("&")).parse().map_err(|_| DatabaseUrlError::NotAUrl)?;
        if config.get_hosts().is_empty() {
            return Err(DatabaseUrlError::NotAUrl);
        }
        let (ssl_mode, is_verified) = match mode {
            "disable" => (SslMode::Disable, false),
            "prefer" => (SslMode::Prefer, false),
            "require" => (SslMode::Require, false),
            "verify-ca" | "verify-full" => (SslMode::Require, true),
            _ => return Err(DatabaseUrlError::Mode),
        };
        config.ssl_mode(ssl_mode);
        let trust = match roots {
            Some(file) => Trust::File(file.into()),
            None if is_verified => Trust::System,
            None => Trust::Anybody,
        };
        Ok(Self { config, trust })
    }
}

fn percent_decoded(text: &str) -> Result<String, DatabaseUrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let digits = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        decoded.push(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(DatabaseUrlError::NotAUrl)?);
        rest = &others[2..];
    }
    String::from_utf8(decoded).map_err(|_| DatabaseUrlError::NotAUrl)
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(at).or(self.config.get_ports().first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
