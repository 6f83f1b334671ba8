//! Lines that tell of a start.

use super::*;
use crate::mask;

fn check(text: &str, expected: Option<Start>) {
    assert_eq!(start(&mask(text)), expected, "{text}");
}

#[test]
fn programs_units_and_machines_say_that_they_start() {
    check("Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)", Some(Start::Boot));
    check("kernel: Command line: BOOT_IMAGE=/vmlinuz-6.1 root=/dev/sda1", Some(Start::Boot));
    check("Started nginx.service - A high performance web server.", Some(Start::Unit));
    check("Nov 20 06:00:01 web-1 systemd[1]: Started The Apache HTTP Server.", Some(Start::Unit));
    check("pay starting", Some(Start::Program));
    check("pay 2.4.1 started", Some(Start::Program));
    check("payment v4.13.0 starting, pool ledger-db max_size=8 (was 64)", Some(Start::Program));
    check("deploy started service=payment version=v4.13.0", Some(Start::Program));
    check("Started PayApplication in 3.214 seconds (JVM running for 4.1)", Some(Start::Program));
    check("Server listening on 0.0.0.0 port 22.", Some(Start::Program));
    check("database system is ready to accept connections", Some(Start::Program));
    check("cups: cupsd startup succeeded", Some(Start::Program));
    check("Jun 14 15:16:01 combo syslogd 1.4.1: restart.", Some(Start::Program));
    check("AH00163: Apache/2.4.57 (Debian) configured -- resuming normal operations", Some(Start::Program));
    check("TrustedInstaller service starts successfully.", Some(Start::Program));
    check("2015-07-29 19:04:12,394 - INFO  [main:QuorumPeerMain@127] - Starting quorum peer", Some(Start::Program));
}

#[test]
fn daily_work_and_failures_are_no_starts() {
    for text in [
        "10.251.73.220:50010 Starting thread to transfer block blk_-1608999687919862906",
        "Started reading broadcast variable 9",
        "2016-12-19 INFO [ReplicaFetcherThread-0-2], Starting  (kafka.server.ReplicaFetcherThread)",
        "IPC Server handler 3 on 62260: starting",
        "checkpoint starting: time",
        "Controller 0 epoch 36 started leader election for partition [test,3] (state.change.logger)",
        "Reduce slow start threshold not met. completedMapsForReduceSlowstart 1",
        "Scheduling restart of crashed service com.tencent.mobileqq in 1000ms",
        "Failed to start nginx.service",
        "jk2_init() Found child 6725 in scoreboard slot 10",
        "startSync hiSyncOption = HiSyncOption{syncAction=2}",
        "told me to run this job; however, but the start time isn't for 439034 seconds.  Ignoring.",
        "Retrying connect to server: msra-sa-41:8030. Already tried 4 time(s)",
        "waiting for the server to be ready to accept connections",
        "Times: total = 41, boot = -15, init = 55, finish = 1",
        "request took 12 ms",
        "GET /start, 200 in 12 ms",
        "restart=false pid=7",
    ] {
        check(text, None);
    }
}
