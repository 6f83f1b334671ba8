//! HTTP/1.1 by hand: sends what no proper client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::server::{PATIENCE, Server};

/// An answer. One that never came, since the connection was closed, has status 0.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A connection that is made again where it was closed.
pub(super) struct Wire {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Wire {
    pub(super) fn to(server: &Server) -> Wire {
        Wire { address: server.url.trim_start_matches("http://").to_owned(), connection: None }
    }

    /// Sends a request with these bytes as its target and these lines among its headers.
    pub(super) fn ask(&mut self, method: &str, target: &[u8], headers: &[&[u8]], body: &[u8]) -> Reply {
        let mut request = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: "].concat();
        request.extend_from_slice(self.address.as_bytes());
        for header in headers {
            request.extend_from_slice(b"\r\n");
            request.extend_from_slice(header);
        }
        request.extend_from_slice(format!("\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        request.extend_from_slice(body);
        // A connection that was kept may have been closed since.
        let was_kept = self.connection.is_some();
        match self.exchange(method, &request) {
            None if was_kept => self.exchange(method, &request).unwrap_or_default(),
            reply => reply.unwrap_or_default(),
        }
    }

    fn exchange(&mut self, method: &str, request: &[u8]) -> Option<Reply> {
        let mut connection = match self.connection.take() {
            Some(kept) => kept,
            None => {
                let stream = TcpStream::connect(&self.address).expect("the server listens");
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
                BufReader::new(stream)
            }
        };
        // It may answer, and close, before it has read everything.
        let _ = connection.get_mut().write_all(request);
        let (reply, is_kept) = read(&mut connection, method == "HEAD")?;
        self.connection = is_kept.then_some(connection);
        Some(reply)
    }
}

/// Reads an answer; tells whether the connection goes on.
fn read(connection: &mut BufReader<TcpStream>, is_head: bool) -> Option<(Reply, bool)> {
    let line = |connection: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        connection.read_line(&mut line).ok().filter(|n| *n > 0)?;
        Some(line.trim_end().to_ascii_lowercase())
    };
    let status = line(connection)?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut is_chunked, mut is_kept) = (0usize, false, true);
    loop {
        let header = line(connection)?;
        let Some((name, value)) = header.split_once(':') else { break };
        match (name, value.trim()) {
            ("content-length", value) => length = value.parse().ok()?,
            ("transfer-encoding", "chunked") => is_chunked = true,
            ("connection", "close") => is_kept = false,
            _ => {}
        }
    }
    let mut body = Vec::new();
    while is_chunked && !is_head {
        let n = usize::from_str_radix(&line(connection)?, 16).ok()?;
        connection.take(n as u64).read_to_end(&mut body).ok()?;
        line(connection)?;
        is_chunked = n > 0;
    }
    if !is_head && length > 0 {
        connection.take(length as u64).read_to_end(&mut body).ok()?;
    }
    Some((Reply { status, body }, is_kept))
}
