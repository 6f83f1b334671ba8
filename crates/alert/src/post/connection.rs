//! Connections to receivers that do not speak HTTP. They lead where posts may go.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_platform_verifier::ConfigVerifierExt;
use types::ensure;

use super::{ANSWER_TIMEOUT, Reach, addresses};

/// Bytes that a receiver may still send when nothing more comes.
const LAST_BYTES_MAX: u64 = 64 << 10;

/// A connection. The process must have installed a TLS provider (rustls) before the first one with TLS.
pub enum Connection {
    /// As it is.
    Plain(TcpStream),
    /// With TLS: the system trusts the certificate.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects to `HOST:PORT`. Blocks, as reading and writing do.
    ///
    /// # Errors
    /// If the receiver cannot be reached, or if nothing is posted to its address.
    pub fn open(address: &str, is_tls: bool, reach: Reach) -> io::Result<Self> {
        let found = addresses::allowed_addresses(address.to_socket_addrs()?, reach == Reach::Far)?;
        let mut stream = Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
        for address in found {
            stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT);
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        if !is_tls {
            return Ok(Self::Plain(stream));
        }
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let config = ClientConfig::with_platform_verifier().map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    /// Says that nothing more comes, and waits until the receiver has read all of it and closes its side, too.
    ///
    /// # Errors
    /// If it does not, or breaks the connection off.
    pub fn finish(mut self) -> io::Result<()> {
        match &mut self {
            Self::Plain(stream) => stream.shutdown(Shutdown::Write)?,
            Self::Tls(stream) => {
                // The handshake first, where nothing was written yet.
                stream.flush()?;
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.shutdown(Shutdown::Write)?;
            }
        }
        let ended = io::copy(&mut (&mut self).take(LAST_BYTES_MAX), &mut io::sink());
        match ended {
            // Many close the connection without ending TLS.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            Err(error) => Err(error),
            Ok(n_bytes) => {
                ensure!(n_bytes < LAST_BYTES_MAX, io::Error::other("the receiver does not close the connection"));
                Ok(())
            }
        }
    }
}

impl Read for Connection {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(place),
            Self::Tls(stream) => stream.read(place),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
