//! Inputs of the shipper that are no plain files of programs: what they bring arrives as events that can be asked for.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::server::{Server, catat};
use crate::ship_config::Running;

/// Starts `catat ship` with these inputs; a `journalctl` in `scratch` is found before any other.
fn ship(server: &Server, scratch: &Path, inputs: &str) -> Running {
    let settings = format!("[ship]\nurl = \"{}\"\nstate_dir = \"state\"\n{inputs}", server.url);
    fs::write(scratch.join("ship.toml"), settings).expect("scratch is writable");
    let mut command = catat(scratch);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", scratch.display()));
    command.args(["ship", "--config", "ship.toml"]).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().expect("the executable was built"))
}

/// Waits until a count is what it should be.
fn check(server: &Server, query: &str, expected: usize) {
    let query = format!("{query} | stats count(*) as n");
    server.until(&query, || (server.value(&query) == json!(expected)).then_some(()));
}

#[test]
fn measurements_heartbeats_and_pages_of_metrics_can_be_asked_for() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let inputs = format!(
        "[[input]]\ntype = \"host_metrics\"\nevery = \"1h\"\n[[input]]\ntype = \"heartbeat\"\nevery = \"1h\"\n\
         [[input]]\ntype = \"node_exporter\"\nevery = \"1h\"\n\
         [[input]]\ntype = \"scrape\"\nname = \"catat\"\nurl = \"{}/metrics\"\nevery = \"1h\"\n\
         [[input]]\ntype = \"scrape\"\nname = \"away\"\nurl = \"http://127.0.0.1:1/metrics\"\nevery = \"1h\"\n",
        server.url
    );
    let _ship = ship(&server, scratch.path(), &inputs);
    check(&server, "filter @log = \"heartbeat\" and message = \"heartbeat\" and host != \"\"", 1);
    check(&server, "filter @log = \"metrics/host\" and subject = \"system\" and memory_percent > 0", 1);
    check(&server, "filter @log = \"metrics/host\" and subject = \"cpu\" and node_cpu_seconds_total >= 0", 8);
    check(&server, "filter mountpoint = \"/\" and disk_percent >= 0 and disk_percent <= 100", 1);
    check(&server, "filter @log = \"metrics/catat\" and name = \"up\" and value = 1 and job = \"catat\"", 1);
    check(&server, "filter name = \"scrape_samples_scraped\" and value > 10 and job = \"catat\"", 1);
    check(&server, "filter @log = \"metrics/away\" and name = \"up\" and value = 0", 1);
    check(&server, "filter @log = \"metrics/node\" and name = \"node_load1\" and job = \"node\"", 1);
}

#[test]
fn the_journal_containers_and_syslog_arrive_with_what_they_say() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let journalctl = scratch.path().join("journalctl");
    let entry = r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795210709000001","MESSAGE":"ERROR no tea","PRIORITY":"6","_TRANSPORT":"stdout","_SYSTEMD_UNIT":"shop.service"}"#;
    fs::write(&journalctl, format!("#!/bin/sh\necho '{entry}'\nexec sleep 1000\n")).expect("scratch is writable");
    fs::set_permissions(&journalctl, PermissionsExt::from_mode(0o755)).expect("scratch is writable");
    let pod = scratch.path().join("pods/shop_web-1_uid/nginx");
    fs::create_dir_all(&pod).expect("scratch is writable");
    fs::write(pod.join("0.log"), "2026-11-20T10:00:00Z stdout F half a cup\n").expect("scratch is writable");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let inputs = format!(
        "[[input]]\ntype = \"journal\"\n[[input]]\ntype = \"containers\"\npaths = \"pods/*/*/*.log*\"\n\
         [[input]]\ntype = \"syslog\"\ntcp = \"127.0.0.1:{port}\"\n"
    );
    let _ship = ship(&server, scratch.path(), &inputs);
    let mut sender = server.until("the shipper listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    sender.write_all(b"38 <11>Nov 20 10:00:00 fw01 kernel: a\n  b").expect("it listens");
    check(&server, "filter unit = \"shop.service\" and message = \"ERROR no tea\" and @level = \"error\"", 1);
    check(&server, "filter @log = \"kubernetes/shop/nginx\" and pod = \"web-1\" and stream = \"stdout\"", 1);
    check(
        &server,
        "filter @log = \"syslog\" and hostname = \"fw01\" and severity = \"err\" and @message like /  b/",
        1,
    );
}

#[test]
fn files_in_utf_16_arrive_as_text_unless_there_are_rules_for_them() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let logs = scratch.path().join("windows");
    fs::create_dir(&logs).expect("scratch is writable");
    let text = "\u{feff}2026-11-20 10:00:00 ERROR Größe 日本 😀\r\n   at Main()\r\n2026-11-20 10:00:01 INFO ok\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (name, bytes) in [("little.log", &little), ("big.log", &big), ("masked.txt", &little)] {
        fs::write(logs.join(name), bytes).expect("scratch is writable");
    }
    let inputs = format!(
        "[[input]]\ntype = \"files\"\nname = \"plain\"\npaths = [\"{logs}/*.log\"]\ngroup = \"windows\"\n\
         [[input]]\ntype = \"files\"\nname = \"masked\"\npaths = [\"{logs}/*.txt\"]\ngroup = \"masked\"\nmask = [\"email\"]\n",
        logs = logs.display()
    );
    let _ship = ship(&server, scratch.path(), &inputs);
    let all = "filter @log = \"windows\"";
    check(&server, all, 4);
    check(
        &server,
        &format!("{all} and @level = \"error\" and @message like \"ERROR Größe 日本 😀\\r\\n   at Main()\""),
        2,
    );
    // A unit is written half by half, as a program's buffer ends.
    let more: Vec<u8> = "2026-11-20 10:00:02 INFO später\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut file = fs::OpenOptions::new().append(true).open(logs.join("little.log")).expect("it is there");
    for part in more.chunks(7) {
        file.write_all(part).expect("scratch is writable");
    }
    check(&server, &format!("{all} and @message = \"2026-11-20 10:00:02 INFO später\""), 1);
    check(&server, "filter @log = \"masked\"", 0);
}
