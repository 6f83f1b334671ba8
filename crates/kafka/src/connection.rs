//! A connection to one broker: frames, versions, TLS and SASL.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::{
    ApiVersionsRequest, RequestHeader, ResponseHeader, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use types::{Secret, ensure};

use crate::Error;
use crate::request::Request;
use crate::scram::{Hash, Scram, is_proven};

/// Largest answer that is read; more was not asked for.
const FRAME_BYTES_MAX: usize = 100 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than a broker makes a member wait that joins.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

const CLIENT_ID: &str = "catat";

types::named! {
    /// How a user proves who it is.
    #[derive(Clone, Copy, Debug)]
    pub enum Mechanism {
        /// The password as it is: for connections with TLS.
        Plain = "PLAIN",
        /// SCRAM with SHA-256.
        ScramSha256 = "SCRAM-SHA-256",
        /// SCRAM with SHA-512.
        ScramSha512 = "SCRAM-SHA-512",
    }
}

/// A user of brokers with SASL.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// How it is proved.
    pub mechanism: Mechanism,
}

/// How brokers are connected to.
#[derive(Clone)]
pub struct Access {
    tls: Option<Arc<ClientConfig>>,
    login: Option<Login>,
}

impl Access {
    /// With TLS, certificates are those that the system trusts.
    ///
    /// # Errors
    /// If the system has none.
    pub fn new(is_tls: bool, login: Option<Login>) -> Result<Self, Error> {
        let make = || {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?);
            let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
            let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
            Ok(Arc::new(builder.with_no_client_auth()))
        };
        let made = is_tls.then(make).transpose();
        let tls = made.map_err(|error: rustls::Error| Error::Usage(format!("TLS: {error}")))?;
        Ok(Self { tls, login })
    }
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A connection. Answers come in the order of requests.
pub(crate) struct Connection {
    pub(crate) address: String,
    stream: Box<dyn Stream>,
    /// The versions of requests that the broker understands, by their keys.
    versions: HashMap<i16, (i16, i16)>,
    n_sent: i32,
}

impl Connection {
    pub(crate) fn open(address: &str, access: &Access) -> Result<Self, Error> {
        let unreachable = |source| Error::Unreachable { address: address.to_owned(), source };
        let stream = connect(address, access).map_err(unreachable)?;
        let mut connection = Self { address: address.to_owned(), stream, versions: HashMap::new(), n_sent: 0 };
        // Version 0 is understood by all brokers.
        let versions = connection.call(&ApiVersionsRequest::default(), (0, 0))?;
        connection.check("versions", versions.error_code)?;
        let range = |key: kafka_protocol::messages::api_versions_response::ApiVersion| {
            (key.api_key, (key.min_version, key.max_version))
        };
        connection.versions = versions.api_keys.into_iter().map(range).collect();
        if let Some(login) = &access.login {
            connection.sign_in(login)?;
        }
        Ok(connection)
    }

    fn sign_in(&mut self, login: &Login) -> Result<(), Error> {
        let what = format!("{}: user {}", self.address, login.user);
        let refused = |reason: String| Error::Refused { what: what.clone(), reason };
        let mechanism = login.mechanism.name();
        let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
        let answer = self.call(&handshake, (1, 1))?;
        if !answer.error_code.is_ok() {
            let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
            return Err(refused(format!("the broker has no {mechanism}, but {}", offered.join(", "))));
        }
        let hash = match login.mechanism {
            Mechanism::Plain => {
                let said = format!("\0{}\0{}", login.user, login.password.reveal());
                return self.authenticate(said, &refused).map(drop);
            }
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
        };
        let random = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
        let (high, low) = random.map_err(|error| refused(format!("no random numbers: {error}")))?;
        let nonce = format!("{high:016x}{low:016x}");
        let scram = Scram::new(hash, &login.user, login.password.reveal(), &nonce);
        let first = self.authenticate(scram.first(), &refused)?;
        let (proof, signature) = scram.last(&first).map_err(|problem| refused(problem.to_owned()))?;
        let last = self.authenticate(proof, &refused)?;
        if is_proven(&last, &signature) { Ok(()) } else { Err(refused("the broker does not know the password".into())) }
    }

    fn authenticate(&mut self, said: String, refused: &dyn Fn(String) -> Error) -> Result<String, Error> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(said));
        let answer = self.call(&request, (0, 1)).map_err(|error| match error {
            Error::Unreachable { source, .. } => refused(format!("{source}, as some do for a wrong password")),
            error => error,
        })?;
        if let Some(error) = answer.error_code.err() {
            return Err(refused(answer.error_message.map_or_else(|| error.to_string(), |words| words.to_string())));
        }
        Ok(String::from_utf8_lossy(&answer.auth_bytes).into_owned())
    }

    /// Sends a request in the newest version that both sides have of `versions`, and returns the answer.
    pub(crate) fn call<R: Request>(&mut self, request: &R, versions: (i16, i16)) -> Result<R::Response, Error> {
        let version = self.send(request, versions)?;
        self.receive::<R>(version)
    }

    /// Sends a request without waiting for the answer; returns its version.
    pub(crate) fn send<R: Request>(&mut self, request: &R, (least, most): (i16, i16)) -> Result<i16, Error> {
        let (oldest, newest) = self.versions.get(&R::KEY).copied().unwrap_or((0, i16::MAX));
        let version = most.min(newest);
        if version < least.max(oldest) {
            let problem = format!("no version of request {} is known to both sides", R::KEY);
            return Err(self.not_understood(&problem));
        }
        self.n_sent = self.n_sent.wrapping_add(1);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.n_sent)
            .with_client_id(Some(StrBytes::from_static_str(CLIENT_ID)));
        let mut frame = BytesMut::new();
        frame.put_u32(0);
        let encoded = header.encode(&mut frame, R::header_version(version));
        encoded.and_then(|()| request.encode(&mut frame, version)).map_err(|error| self.not_understood(&error))?;
        let length = (frame.len() - 4) as u32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        let sent = self.stream.write_all(&frame).and_then(|()| self.stream.flush());
        sent.map_err(|source| Error::Unreachable { address: self.address.clone(), source })?;
        Ok(version)
    }

    /// Receives the answer to the last request.
    pub(crate) fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Error> {
        let mut length = [0; 4];
        let unreachable = |address: &str, source: io::Error| {
            let is_end = source.kind() == io::ErrorKind::UnexpectedEof;
            let source = if is_end { io::Error::other("the broker closed the connection") } else { source };
            Error::Unreachable { address: address.to_owned(), source }
        };
        self.stream.read_exact(&mut length).map_err(|source| unreachable(&self.address, source))?;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(self.not_understood(&format!("an answer of {length} bytes, more than {FRAME_BYTES_MAX}")));
        }
        // Read as it comes: a length alone takes no memory.
        let mut frame = Vec::new();
        let n_read = (&mut self.stream).take(length as u64).read_to_end(&mut frame);
        let n_read = n_read.map_err(|source| unreachable(&self.address, source))?;
        ensure!(n_read >= length, unreachable(&self.address, io::ErrorKind::UnexpectedEof.into()));
        let mut frame = Bytes::from(frame);
        let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version));
        match header {
            Ok(header) if header.correlation_id == self.n_sent => {}
            Ok(_) => return Err(self.not_understood(&"an answer to another request")),
            Err(error) => return Err(self.not_understood(&error)),
        }
        // What may be left behind the answer is for others.
        R::Response::decode(&mut frame, version).map_err(|error| self.not_understood(&error))
    }

    /// Makes a refusal of an error code that is not 0.
    pub(crate) fn check(&self, what: &str, code: i16) -> Result<(), Error> {
        if code.is_ok() { Ok(()) } else { Err(Error::refused(format!("{}: {what}", self.address), code)) }
    }

    fn not_understood(&self, problem: &dyn std::fmt::Display) -> Error {
        Error::Answer { address: self.address.clone(), problem: problem.to_string() }
    }
}

fn connect(address: &str, access: &Access) -> io::Result<Box<dyn Stream>> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for socket in address.to_socket_addrs()? {
        let stream = match TcpStream::connect_timeout(&socket, CONNECT_TIMEOUT) {
            Ok(stream) => stream,
            Err(error) => {
                last = error;
                continue;
            }
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let Some(config) = &access.tls else { return Ok(Box::new(stream)) };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        return Ok(Box::new(StreamOwned::new(connection, stream)));
    }
    Err(last)
}
