//! Reads a trace of system calls and checks that no acknowledgement came early.
//!
//! A necessary condition, whatever the format of the WAL is: between the last bytes read of a request and the first
//! byte of its 200, a sync of a WAL file has begun and ended well. One that had begun before the request was there
//! cannot have covered it.

use std::collections::HashMap;

/// What to trace, and how, so that [`check`] can read it.
pub(crate) const OPTIONS: [&str; 5] =
    ["-y", "-s", "24", "-e", "trace=fsync,fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg"];

/// What a trace showed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) n_acknowledged: usize,
    /// Acknowledged without a sync that could have covered the request.
    pub(crate) n_early: usize,
    /// Syncs of WAL files that ended well.
    pub(crate) n_syncs: usize,
}

/// What is known of a connection: the line at which its last bytes came, and whether they are of an ingest request.
#[derive(Clone, Copy, Default)]
struct Connection {
    read_at: usize,
    is_ingest: bool,
}

/// Checks every answer to an ingest request.
pub(crate) fn check(trace: &str) -> Checked {
    let mut checked = Checked::default();
    let mut begun: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut connections: HashMap<&str, Connection> = HashMap::new();
    // The latest line at which a sync began that has ended.
    let mut synced_from = 0;
    for (at, line) in (1..).zip(trace.lines()) {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let is_begun = call.ends_with("<unfinished ...>");
        let (began_at, head, rest) = match call.strip_prefix("<... ") {
            // The rest of a call whose beginning stands further up.
            Some(rest) => match begun.remove(thread) {
                Some((began_at, head)) => (began_at, head, rest),
                None => continue,
            },
            None => (at, call, call),
        };
        if is_begun && rest == call {
            begun.insert(thread, (at, call));
        }
        let Some((name, arguments)) = head.split_once('(') else { continue };
        let connection = arguments.split(['>', ' ']).next().unwrap_or_default();
        match name {
            "fsync" | "fdatasync" if !is_begun && arguments.contains(".wal>") && returned(rest) == Some(0) => {
                synced_from = synced_from.max(began_at);
                checked.n_syncs += 1;
            }
            "read" | "readv" | "recvfrom" | "recvmsg" if !is_begun && returned(rest) > Some(0) => {
                let known = connections.entry(connection).or_default();
                known.read_at = at;
                let is_head = ["\"GET ", "\"POST ", "\"PUT "].iter().any(|method| rest.contains(method));
                known.is_ingest = if is_head { rest.contains("POST /api/v1/ingest") } else { known.is_ingest };
            }
            "write" | "writev" | "sendto" | "sendmsg" if began_at == at && arguments.contains("HTTP/1.1 200") => {
                let known = connections.get(connection).copied().unwrap_or_default();
                if known.is_ingest {
                    checked.n_acknowledged += 1;
                    checked.n_early += usize::from(synced_from < known.read_at);
                }
            }
            _ => {}
        }
    }
    checked
}

/// What a call returned; strace may say in brackets what it did to it.
fn returned(call: &str) -> Option<i64> {
    call.rsplit_once("= ")?.1.split(' ').next()?.parse().ok()
}

#[test]
fn an_early_acknowledgement_is_found_in_a_trace() {
    let request = "7 recvfrom(15<TCP:[1]>, \"POST /api/v1/ingest?group\"..., 8192) = 300\n";
    let body = "7 recvfrom(15<TCP:[1]>,  <unfinished ...>\n7 <... recvfrom resumed>\"{\\\"a\\\":1}\", 8192) = 9\n";
    let answer = "7 sendto(15<TCP:[1]>, \"HTTP/1.1 200 OK\\r\\nconten\"..., 180) = 180\n";
    let (begin, end) = ("8 fdatasync(12</d/wal/1.wal> <unfinished ...>\n", "8 <... fdatasync resumed>) = 0\n");
    let sync = "8 fdatasync(12</d/wal/1.wal>) = 0\n";
    let verdict = |parts: &[&str]| check(&parts.concat()).n_early;
    assert_eq!(check(&[request, body, sync, answer].concat()), Checked { n_acknowledged: 1, n_early: 0, n_syncs: 1 });
    assert_eq!(verdict(&[request, body, begin, end, answer]), 0);
    assert_eq!(verdict(&[request, body, answer]), 1, "no sync");
    assert_eq!(verdict(&[request, sync, body, answer]), 1, "a sync before the body was there");
    assert_eq!(verdict(&[request, begin, body, end, answer]), 1, "a sync that had begun before");
    assert_eq!(verdict(&[request, body, begin, answer, end]), 1, "a sync that had not ended");
    assert_eq!(verdict(&[request, body, "8 fdatasync(12</d/wal/1.wal>) = -1 EIO (Input/output error)\n", answer]), 1);
    assert_eq!(verdict(&[request, body, "8 fdatasync(12</d/catalog.sqlite-wal>) = 0\n", answer]), 1, "another file");
}
