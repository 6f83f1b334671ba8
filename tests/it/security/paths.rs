//! No name that somebody sends becomes a path: the system calls of a server that is sent two thousand of them, at every
//! place that takes a name, stay below its data directory.
//!
//! Each payload is sent to a few of the places in turn, the worst to all of them; with `CATAT_FAULT_ROUNDS` all to all.

use std::collections::BTreeSet;

use super::payloads::{all, in_address, in_header, in_json};
use super::wire::Wire;
use crate::lab::{self, strace};
use crate::server::{Launch, Server};

/// Calls that make, change, remove and read what has a name.
const CALLS: &str = "trace=open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,\
    symlinkat,link,linkat,truncate,chmod,fchmodat,chown,fchownat,mknod,mknodat";

/// What a server reads besides its own files: the loader, the machine, certificates, time zones, names of hosts.
const READ_ELSEWHERE: [&str; 18] = [
    "/proc/", "/sys/", "/dev/", "/usr/lib/", "/usr/share/", "/lib/", "/lib64/", "/usr/lib64/", "/etc/ld.so",
    "/etc/ssl/", "/etc/pki/", "/etc/ca-certificates", "/etc/localtime", "/etc/timezone", "/etc/resolv.conf",
    "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf",
];

/// A file that is no device of the machine's is written to.
const WRITTEN_ELSEWHERE: [&str; 3] = ["/dev/null", "/dev/tty", "/proc/self/"];

/// A place that takes a name: method, target, header and body, in which `@` stands for the payload.
struct Place {
    method: &'static str,
    target: &'static str,
    header: &'static str,
    body: &'static str,
}

const fn at(method: &'static str, target: &'static str, body: &'static str) -> Place {
    Place { method, target, header: "", body }
}

const fn with(target: &'static str, header: &'static str, body: &'static str) -> Place {
    Place { method: "POST", target, header, body }
}

const EVENT: &str = "{\"message\":\"a\"}";

const PLACES: [Place; 64] = [
    at("GET", "/@", ""),
    at("GET", "/assets/@", ""),
    at("GET", "/reference/@", ""),
    at("GET", "/index.html?v=@", ""),
    at("POST", "/api/v1/ingest?group=@", EVENT),
    at("POST", "/api/v1/ingest?group=a&stream=@", EVENT),
    at("POST", "/api/v1/ingest?group=a&format=@", EVENT),
    at("POST", "/api/v1/ingest?group=a&source=@&file=@", EVENT),
    at(
        "POST",
        "/api/v1/ingest?format=lines",
        "{\"source\":\"@\",\"file\":\"@\",\"generation\":1,\"start\":0,\"path\":\"@\",\"host\":\"@\"}\na\n",
    ),
    at(
        "POST",
        "/api/v1/ingest?group=a",
        "{\"message\":\"a\",\"@log\":\"@\",\"@logStream\":\"@\",\"group\":\"@\",\"stream\":\"@\"}",
    ),
    with("/api/v1/ingest?group=a", "X-Catat-Batch: @", EVENT),
    with("/api/v1/ingest?group=a", "Content-Encoding: @", EVENT),
    with("/api/v1/ingest?group=a", "X-Request-Id: @", EVENT),
    with("/api/v1/ingest?group=a", "X-Scope-OrgID: @", EVENT),
    with("/api/v1/ingest?group=a", "Cookie: catat_session=@", EVENT),
    with("/api/v1/ingest?group=a", "User-Agent: @", EVENT),
    at("GET", "/api/v1/groups/@", ""),
    at("PUT", "/api/v1/groups/@", "{\"retention\":{\"age\":\"30d\"}}"),
    at("DELETE", "/api/v1/groups/@", ""),
    at("POST", "/api/v1/groups/@/delete-events", "{\"query\":\"filter nothing = 1\",\"all_time\":true}"),
    at("GET", "/api/v1/groups/@/delete-events", ""),
    at("GET", "/api/v1/groups/a/delete-events/@", ""),
    at("GET", "/api/v1/fields/@/values", ""),
    at("GET", "/api/v1/fields?groups=@&prefix=@", ""),
    at("DELETE", "/api/v1/queries/@", ""),
    at("PUT", "/api/v1/lookups/@", "n\n1\n"),
    at("GET", "/api/v1/lookups/@", ""),
    at("DELETE", "/api/v1/lookups/@", ""),
    at("POST", "/api/v1/sources/@", "{\"host\":\"@\",\"files\":[{\"file\":\"@\",\"path\":\"@\",\"group\":\"@\"}]}"),
    at("GET", "/api/v1/sources?host=@", ""),
    at("POST", "/api/v1/query", "{\"query\":\"lookup `@` n as m output n\",\"groups\":[\"@\"],\"time_zone\":\"@\"}"),
    at("POST", "/api/v1/query", "{\"query\":\"source logGroups(namePrefix: ['@'])\"}"),
    at("GET", "/api/v1/query?query=@&groups=@&time_zone=@&language=@", ""),
    at("GET", "/api/v1/histogram?query=&groups=@&by=@", ""),
    at("GET", "/api/v1/patterns?query=&groups=@&baseline=@", ""),
    at("POST", "/api/v1/complete", "{\"query\":\"@\",\"cursor\":1,\"groups\":[\"@\"]}"),
    at("POST", "/api/v1/keys", "{\"name\":\"@\",\"role\":\"@\",\"groups\":[\"@\"]}"),
    at("DELETE", "/api/v1/keys/@", ""),
    at("POST", "/api/v1/keys/@/rotate", "{}"),
    at("POST", "/api/v1/users", "{\"name\":\"@\",\"password\":\"correct horse\",\"role\":\"read\",\"groups\":[\"@\"]}"),
    at("DELETE", "/api/v1/users/@", ""),
    at("PUT", "/api/v1/users/@/password", "{\"password\":\"correct horse\"}"),
    at("POST", "/api/v1/session", "{\"name\":\"@\",\"password\":\"@\"}"),
    at("POST", "/api/v1/pipelines/test", "{\"name\":\"@\",\"group\":\"@\",\"pipeline\":\"@\",\"events\":[\"@\"]}"),
    at("GET", "/api/v1/rules?name=@&file=@", ""),
    at("POST", "/elasticsearch/@/_doc", EVENT),
    at("PUT", "/elasticsearch/@/_create/@", EVENT),
    at("POST", "/elasticsearch/@/_bulk?pipeline=@", "{\"index\":{}}\n{\"message\":\"a\"}\n"),
    at("POST", "/elasticsearch/_bulk", "{\"create\":{\"_index\":\"@\",\"_id\":\"@\"}}\n{\"message\":\"a\"}\n"),
    at("PUT", "/elasticsearch/_index_template/@", "{}"),
    at("PUT", "/elasticsearch/@", "{}"),
    at("POST", "/@/_bulk", "{\"index\":{\"_index\":\"@\"}}\n{\"message\":\"a\"}\n"),
    at(
        "POST",
        "/loki/api/v1/push",
        "{\"streams\":[{\"stream\":{\"group\":\"@\",\"service_name\":\"@\",\"filename\":\"@\"},\"values\":[[\"1795176000000000000\",\"a\"]]}]}",
    ),
    at("GET", "/loki/api/v1/label/@/values", ""),
    at("GET", "/loki/api/v1/@", ""),
    at(
        "POST",
        "/v1/logs",
        "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"@\"}},{\"key\":\"@\",\"value\":{\"stringValue\":\"@\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"a\"}}]}]}]}",
    ),
    at(
        "POST",
        "/services/collector/event",
        "{\"event\":\"a\",\"index\":\"@\",\"source\":\"@\",\"sourcetype\":\"@\",\"host\":\"@\"}",
    ),
    at("POST", "/services/collector/raw?index=@&source=@&host=@&sourcetype=@", "a"),
    with("/cloudwatch/", "X-Amz-Target: Logs_20140328.CreateLogGroup", "{\"logGroupName\":\"@\"}"),
    with(
        "/cloudwatch/",
        "X-Amz-Target: Logs_20140328.CreateLogStream",
        "{\"logGroupName\":\"a\",\"logStreamName\":\"@\"}",
    ),
    with(
        "/cloudwatch/",
        "X-Amz-Target: Logs_20140328.PutLogEvents",
        "{\"logGroupName\":\"@\",\"logStreamName\":\"@\",\"logEvents\":[{\"timestamp\":1795176000000,\"message\":\"a\"}]}",
    ),
    with("/cloudwatch/", "X-Amz-Target: Logs_20140328.DeleteLogGroup", "{\"logGroupName\":\"@\"}"),
    with(
        "/cloudwatch/",
        "X-Amz-Target: Logs_20140328.TagResource",
        "{\"resourceArn\":\"arn:aws:logs:@:0:log-group:@\",\"tags\":{\"@\":\"@\"}}",
    ),
    with("/cloudwatch/", "X-Amz-Target: Logs_20140328.@", "{}"),
];

/// Puts a payload where `@` stands alone; `"@log"` and the like are names of ours.
fn filled(template: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('@') {
        out.extend_from_slice(before.as_bytes());
        let is_ours = after.starts_with("log");
        out.extend_from_slice(if is_ours { b"@" } else { payload });
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Sends a payload to a place; a fault of the server's and the contents of a file are told.
fn send(wire: &mut Wire, place: &Place, payload: &[u8], key: &str) -> Option<String> {
    let target = filled(place.target, &in_address(payload));
    let header = filled(place.header, &in_header(payload));
    let body = filled(place.body, in_json(payload).as_bytes());
    let content = format!("X-Catat-Key: {key}\r\nContent-Type: application/json");
    let headers: Vec<&[u8]> = [content.as_bytes(), &header].into_iter().filter(|header| !header.is_empty()).collect();
    let reply = wire.ask(place.method, &target, &headers, &body);
    let shows_file = reply.body.windows(5).any(|window| window == b"root:") || contains(&reply.body, key.as_bytes());
    let is_right = (200..500).contains(&reply.status) && !shows_file;
    let shown =
        || format!("{} {} {:?}: {}", place.method, place.target, String::from_utf8_lossy(payload), reply.status);
    (!is_right).then(shown)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Sends all payloads; says to which answers were not as they ought to be, and how many were sent.
fn send_all(server: &Server) -> (Vec<String>, usize) {
    let key = server.admin().trim_start_matches("Bearer ").to_owned();
    let payloads = all();
    let worst: BTreeSet<usize> = (0..payloads.len()).step_by(67).collect();
    let threads = 4;
    let shares: Vec<(Vec<String>, usize)> = std::thread::scope(|scope| {
        let work = |share: usize| {
            let (key, payloads, worst) = (&key, &payloads, &worst);
            move || {
                let (mut wire, mut wrong, mut n) = (Wire::to(server), Vec::new(), 0);
                for at in (share..payloads.len()).step_by(threads) {
                    let is_for = |place: usize| {
                        lab::is_long()
                            || worst.contains(&at)
                            || (place + PLACES.len() - at % PLACES.len()).is_multiple_of(31)
                    };
                    for place in (0..PLACES.len()).filter(|place| is_for(*place)) {
                        wrong.extend(send(&mut wire, &PLACES[place], &payloads[at], key));
                        n += 1;
                    }
                }
                (wrong, n)
            }
        };
        let running: Vec<_> = (0..threads).map(|share| scope.spawn(work(share))).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let n = shares.iter().map(|(_, n)| n).sum();
    (shares.into_iter().flat_map(|(wrong, _)| wrong).collect(), n)
}

/// The paths of a traced call.
fn paths(call: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = call;
    while let Some((_, after)) = rest.split_once('"') {
        let Some((path, after)) = after.split_once('"') else { break };
        found.push(path);
        rest = after;
    }
    found
}

/// Why a traced call is none that a server makes with files of its own, where it is not.
fn strays(line: &str, data_dir: &str) -> Option<String> {
    let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
    let (name, _) = call.split_once('(')?;
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return None;
    }
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"].iter().any(|flag| call.contains(flag));
    let is_reading = name.starts_with("open") && !writes;
    let is_own = |path: &str| path == data_dir || path.strip_prefix(data_dir).is_some_and(|rest| rest.starts_with('/'));
    let elsewhere: &[&str] = if is_reading { &READ_ELSEWHERE } else { &WRITTEN_ELSEWHERE };
    let is_fine = |path: &str| {
        !path.split('/').any(|part| part == "..")
            && (is_own(path) || elsewhere.iter().any(|start| path.starts_with(start)))
    };
    let bad = paths(call).into_iter().find(|path| !is_fine(path))?;
    // Directories above the data directory are looked at when its name is made durable, and made at the first start.
    let is_above = data_dir.starts_with(&format!("{}/", bad.trim_end_matches('/')));
    let is_harmless = is_above && (is_reading || name.starts_with("mkdir"));
    (!is_harmless).then(|| format!("{bad} in {line}"))
}

#[test]
fn no_name_that_is_sent_leads_out_of_the_data_directory() {
    if !strace::is_there() {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let trace = scratch.path().join("trace");
    // Without the loader looking where the test was built.
    let launch = Launch::new(scratch.path(), &["serve"]).with_variable("LD_LIBRARY_PATH", "");
    let mut server = strace::traced(launch, &trace, &["-e", CALLS]).start();
    server.ingest("a", "{\"message\":\"a\"}\n");
    let (wrong, n_sent) = send_all(&server);
    eprintln!("{n_sent} requests with {} payloads at {} places", all().len(), PLACES.len());
    assert!(wrong.is_empty(), "{} of {n_sent}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    server.flush();
    let names: Vec<String> = server.get("/api/v1/groups", &[("authorization", &server.admin())]).json()["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|group| Some(group["name"].as_str()?.to_owned()))
        .collect();
    let is_clean = |name: &String| name.split('/').skip(1).all(|part| !matches!(part, "." | ".."));
    assert!(names.len() > 100 && names.iter().all(is_clean), "{} groups: {names:?}", names.len());
    for name in names.iter().take(5) {
        server.try_delete(&format!("/api/v1/groups/{}", name.replace('/', "%2F")));
    }
    server.flush();
    let (pid, data_dir) = (server.pid(), server.data_dir.clone());
    server.stop();
    // Whether somebody can log in here is looked up once, at the start.
    let calls = strace::whole_trace(&trace, pid).replacen("\"/etc/passwd\", O_RDONLY", "\"/dev/null\", O_RDONLY", 1);
    let data_dir = data_dir.to_str().expect("scratch paths are ASCII");
    let own = calls.lines().filter(|line| line.contains(data_dir) && line.contains("O_CREAT")).count();
    assert!(own > 10, "the trace shows what the server writes: {own}");
    let strayed: BTreeSet<String> = calls.lines().filter_map(|line| strays(line, data_dir)).collect();
    assert!(strayed.is_empty(), "{strayed:#?}");
}

#[test]
fn a_path_elsewhere_is_seen_in_a_trace() {
    let check = |call: &str| strays(&format!("123 {call}"), "/x/data").is_some();
    assert!(!check("openat(AT_FDCWD, \"/x/data/wal/1.wal\", O_WRONLY|O_CREAT, 0600) = 5"));
    assert!(!check("openat(AT_FDCWD, \"/usr/lib/libc.so.6\", O_RDONLY|O_CLOEXEC) = 5"));
    assert!(!check("openat(AT_FDCWD, \"/x\", O_RDONLY|O_CLOEXEC) = 5") && !check("+++ exited with 0 +++"));
    assert!(check("openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 5"));
    assert!(check("openat(AT_FDCWD, \"/x/data/../escaped\", O_RDONLY) = -1 ENOENT"));
    assert!(check("openat(AT_FDCWD, \"/x/database\", O_WRONLY|O_CREAT, 0600) = 5"));
    assert!(check("openat(AT_FDCWD, \"/usr/lib/a\", O_RDWR) = 5") && check("unlink(\"/usr/lib/a\") = 0"));
    assert!(check("rename(\"/x/data/a\", \"/x/b\") = 0") && check("unlink(\"relative\") = 0"));
}
