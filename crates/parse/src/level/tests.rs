//! Levels of lines and fields, and lines that have none.

use types::Value;

use super::*;

fn check(text: &str, expected: Option<Level>) {
    assert_eq!(level_of_text(text), expected, "{text}");
}

#[test]
fn a_text_says_its_level_by_its_form() {
    check("2026-11-20 06:47:13,123 WARN  [main] slow", Some(Level::Warn));
    check("[Fri Nov 20 06:47:13 2026] [error] [client 9.9.9.9] x", Some(Level::Error));
    check("[Fri Nov 20 06:47:13.25 2026] [core:notice] x", Some(Level::Info));
    check("2026/11/20 06:47:13 [crit] 7#7: x", Some(Level::Fatal));
    check("ERROR:root:it broke", Some(Level::Error));
    check("E1120 06:47:13.123456 12 file.go:7] x", Some(Level::Error));
    check("I1120 06:47:13.123456 12 file.go:7] ERROR x", Some(Level::Info));
    check("<34>Nov 20 06:47:13 host app: x", Some(Level::Fatal));
    check("11-20 06:47:13.811  1702  2395 D Tag: x", Some(Level::Debug));
    check("2026-11-20 06:47:13, Info                  CBS    x", Some(Level::Info));
    check("time=x level=warning msg=y", Some(Level::Warn));
    check("ts=1 severity=\"ERROR\" msg=y", Some(Level::Error));
    check("a b c d e f g level=30 x", Some(Level::Info));
    check("- 1117838570 2026.06.03 R02 2026-06-03-15.42.50 R02 RAS KERNEL FATAL x", Some(Level::Fatal));
    check("20261120-06:47:03:606|WARN|1|x", Some(Level::Warn));
}

const INFO: &[&str] = &[
    "[1795863902] resolvd[8:0] notice: module is ready",
    "2026-11-20 06:47:13.784 general: info: channel is open",
    "2026-11-20 06:47:13.784 config: info: none:98: size is 12",
    "Fri Nov 20 06:47:13 2026 : Info: Starting",
    "2026-11-20 06:47:13.679+0000: 409: info : version 11",
    "Nov 20 06:47:13 startup\tinfo\tHello",
    "2026-11-20T06:47:13.504Z|00001|vlog|INFO|opened",
    "2026.11.20 06:47:13 LOG5[ui]: tunnel is up",
    "2026-11-20 06:47:13 UTC [44]: [3-1] user=ann,db=shop,app=desk,client=198.51.100.7 LOG:  duration: 14 ms",
    "2026-11-20 06:47:13.788 UTC [12] LOG limit: 1024",
    "2026-11-20T06:47:13.268Z In(14) shopd[44]: open",
    "2026-11-20T06:47:13.268Z info shopd[44] [Cart@14 sub=x] open",
    "Nov 20 06:47:13 web-1 daemon.info shopd[44]: open",
    "Nov 20 06:47:13 lb-1 notice mcpd[61]: pool is up",
    "I20261120 06:47:13.268114 73310 ledger.cc:88] opened",
    "2026-11-20 06:47:13.769683 I | embed: ready",
    "[0:motion] [NTC] [ALL] [Nov 20 06:47:13] started",
    "2026-11-20  6:47:13 0 [Note] InnoDB: loaded",
    "7:M 20 Nov 2026 06:47:13.682 * loaded",
    "[1795684211] SERVICE ALERT: mail-2;SMTP;OK;HARD;3;fine",
    "[1795684212] HOST ALERT: mail-2;UP;SOFT;1;PING OK",
    "Nov 20 06:47:13 msg=\"Set\" subsystem=\"config\" level=\"0\" prio=\"Info\" tid=\"0\"",
    "Nov 20 06:47:13 sw-1 120: Nov 20 06:47:12: %LINK-5-CHANGED: Interface is up",
    "2026 Nov 20 06:47:13 sw-1 %$ VDC-1 %$ %VSHD-5-CONFIG: done",
    "\u{1b}[2m2026-11-20T06:47:13.45Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m shop: open",
    "info: started {\"order\":7}",
    "\u{1b}[32minfo\u{1b}[39m: started",
    "2026-11-20 06:47:13.193 | SUCCESS  | __main__:<module>:9 - done",
    "I [20/Nov/2026:06:47:13 +0000] Listening to 127.0.0.1",
    "[I 06:47:13.268 ServerApp] notebook is open",
    "2026-11-20T06:47:13Z I! Starting",
    "9:41AM INF open till=7",
    "[2026/11/20 06:47:13] [ info] [engine] started",
    "Nov 20 06:47:13 web-1 NetworkManager[51]: <info>  [1795686067.2681] device is up",
    "11-20 06:47:13.268  4471  4480 I libc    : x",
    "info: Shop.Hosting[14]",
    "06:47:13@667/info - Log: Logging level set to info",
    "06:47:13@667/\u{1b}[1;36minfo\u{1b}[0m - Log: Logging level set to info",
    "[2026-11-20 06:47:13,851] vm/INFO/shop.main: Starting",
    "shop-Message: 06:47:13.752: hello",
    "shop-INFO: 06:47:13.760: note",
    "[Nest] 22982  - 11/20/2026, 6:47:13 AM     LOG [Shop] started",
    "[main:9183] info @2026-11-20 06:47:13> hello",
    "[2026-11-20T06:47:13.947+0000] inf session.cc:419 Listening to incoming peer connections",
    "[Nov 20 06:47:13.301] traffic_server STATUS: opened",
    "[Nov 20 06:47:13.301] [TS_MAIN] NOTE: running",
    "=INFO REPORT==== 20-Nov-2026::06:47:13 ===",
];
const WARN: &[&str] = &[
    "Nov 20 06:47:13 imapd: Warning: Killed with signal 15",
    "1795863951: Warning: File is not ours",
    "2026-11-20 06:47:13 [warning  ] careful     left=3",
    "2026-11-20 06:47:13 +0000 Scope(Class[main]) (warning): careful",
    "2026-11-20T06:47:13.031Z cpu7:44710)WARNING: Bay: 88: low",
    "[20-Nov-2026 06:47:13 UTC] PHP Deprecated:  old in /srv/a.php on line 4",
    "PHP Warning:  Undefined variable in /srv/a.php on line 4",
    "2026/11/20 06:47:13| WARNING: rDNS failed",
    "[1795684213] SERVICE ALERT: mail-2;SMTP;WARNING;SOFT;1;slow",
    "11-20 06:47:13.031  1000  4471  4480 W TillView: low",
    "*** WARNING: you run as root",
    "#1 06:47:13 [WRN] low",
    "/srv/pump.py:2: DeprecationWarning: old thing",
    "(process:22414): shop-WARNING **: 06:47:13.760: low",
    "shop-x-WARNING **: 06:47:13.760: low",
    "20.11.2026 06:47:13 *WARN* [main] x",
    "2026-11-20 06:47:13,729 - pid:4471 [W] server.connect_upstream:618 - Unable to connect",
    "[W][06:47:13.527014] pw.context   | [      pipewire.c:  235 load()] no such file",
    "[06:47:13][W][wifi:7]: lost",
    "[2026-11-20T06:47:13.947+0000] wrn net.cc:363 Bound socket",
];
const ERROR: &[&str] = &[
    "2026-11-20 06:47:13 UTC:192.0.2.5(5432):ann@shop:[87]:ERROR:  no relation",
    "Nov 20 06:47:13 imap(ann)<48><blJ6>: Error: chdir failed",
    "2026-11-20 06:47:13,131:ERROR:shop.main:broke",
    "2026-11-20 06:47:13,131::ERROR::shop::broke",
    "Feeder-12::ERROR::2026-11-20 06:47:13,268::bay::114:: late",
    "[2026-11-20 06:47:13.719] shopd[129]: error: zone is bad",
    "Nov 20 06:47:13 web-1 daemon.err shopd: jammed",
    "11-20 06:47:13.044 E/TillView( 4471): jammed",
    "E/TillView( 4471): jammed",
    "[4471:4480:1120/064713.268114:ERROR:gpu.cc(88)] lost",
    "[2026/11/20 06:47:13.197011,  0] source3/lib/quotas.c:508(get_quota)",
    "2026-11-20-06.47.13.067170-300 I3618738E536       LEVEL: Error",
    "[20-Nov-2026 06:47:13 UTC] PHP Fatal error:  Uncaught LogicException",
    "2026-11-20 06:47:13.01 spid51      Error: 9002, Severity: 17, State: 2.",
    "=ERROR REPORT==== 20-Nov-2026::06:47:13 ===",
    "[2026-11-20 06:47:13.101 +0000] E [MSGID: 106] [rpc.c:12:notify] 0-mgmt: lost",
    "2026-11-20T06:47:13.268+0000 E NETWORK  [listener] broke",
    "E261120 06:47:13.849265 12 sql/conn.go:7  broke",
    "error: cannot bind",
    "a68g: runtime error: 1: attempt at division by zero",
    "src/a.ts(1,7): error TS2322: Type 'string' is not assignable",
    "06:47:13.145 main \u{25b6} ERRO 005 cannot",
    "Error: cannot bind",
    "fail: Shop.Orders.Cart[0]",
    "[4471]ERROR: x",
    "(2026-11-20  6:47:13): [be[x]] [sbus] (0x0040): no reply",
    "Nov 20 06:47:13 sol-1 shopd[44]: [ID 800047 daemon.error] broke",
    "[2026-11-20T06:47:13.268+0000] {task.py:88} ERROR - x",
    "2026.11.20 06:47:13.268114 [ 7 ] {5c1d-aa} <Error> Application: x",
    "Nov 20 06:47:13 web-1 kubelet[77]: E1120 06:47:13.268114   77 kubelet.go:12] x",
    "2026-11-20 06:47:13.766 UTC,\"a\",\"b\",44,\"127.0.0.1:35\",6b.2c,1,\"INSERT\",2026-11-20 06:47:12 UTC,1/2,740,ERROR,23505,\"x\"",
    "2026-11-20T06:47:13.268+0000 7f12ab345700 -1 osd.4 9 broke",
    "npm ERR! code E404",
    "[1795684213] SERVICE NOTIFICATION: ann;mail-2;SMTP;CRITICAL;mail;x",
];

#[test]
fn programs_tell_what_is_wrong_with_their_input() {
    check("parse error: Unfinished term at line 2, column 0", Some(Level::Error));
    check("jq: error (at <stdin>:1): Cannot index number with string", Some(Level::Error));
    check("gawk: cmd. line:1: fatal: function `pump' not defined", Some(Level::Fatal));
    check("pump.c:12:5: warning: unused variable", Some(Level::Warn));
    check("---Error: dry 7", Some(Level::Error));
    check("<W>2026-11-20 06:47:13.402 Binding to address", Some(Level::Warn));
    check("[11/20/2026] [6:47:13 PM] › ⚠  warning   dry 7", Some(Level::Warn));
    check("2026-11-20T06:47:13 ntpd[7]: CONFIG: readconfig: parsing", None);
    check("CONFIG: readconfig: parsing", None);
    check("Error, dry 7 at pump.g:1 called from", Some(Level::Error));
    check("error[E0308]: mismatched types", Some(Level::Error));
    check("warning[E0101]: unused", Some(Level::Warn));
    check("npm error code ENOENT", Some(Level::Error));
    check("E: Unable to locate package pump", Some(Level::Error));
    check("log4j:WARN No appenders could be found for logger (shop.Cart).", Some(Level::Warn));
    check("SLF4J(W): No SLF4J providers were found.", Some(Level::Warn));
    check("e[0]: 7", None);
    check("npm is on", None);
    check("last error: none", None);
    check("mean error: 0.25", None);
    check("the type error: see the notes", None);
    // The report of a sanitizer after which the program goes on has the level itself.
    check("a.c:3:5: runtime error: signed integer overflow", None);
    check("a68g: runtime error: signed integer overflow", Some(Level::Error));
}

#[test]
fn a_level_is_read_where_programs_write_one() {
    for (lines, level) in [(INFO, Level::Info), (WARN, Level::Warn), (ERROR, Level::Error)] {
        let wrong: Vec<_> = lines.iter().filter(|line| level_of_text(line) != Some(level)).collect();
        assert!(wrong.is_empty(), "{level}: {wrong:#?}");
    }
    check("2026-11-20 06:47:13.389: main pid 26623: FATAL:  1 is outside the range", Some(Level::Fatal));
    check("2026-11-20 06:47:13,804 CRIT running as root", Some(Level::Fatal));
    check("2026-11-20T06:47:13Z Fatal error : no such directive", Some(Level::Fatal));
    check("2026-11-20 06:47:13.784 UTC [7] DEBUG5:  find", Some(Level::Debug));
    check("2026-11-20 06:47:13 [dbug] x", Some(Level::Debug));
    check("2026-11-20 06:47:13,131 BLAT x", Some(Level::Trace));
    check("0    [main] TRACE shop.Cart - x", Some(Level::Trace));
    check("TRACE - x", Some(Level::Trace));
    check("Nov 20 06:47:13 c2s55c36\tdebug\tclosing, <stream:error> is: <x/>", Some(Level::Debug));
}

#[test]
fn an_access_log_has_the_level_of_its_status() {
    let line = |status: &str| format!("9.9.9.9 - - [20/Nov/2026:06:47:13 +0000] \"GET /ERROR HTTP/1.1\" {status} 5");
    check(&line("200"), Some(Level::Info));
    check(&line("404"), Some(Level::Warn));
    check(&line("503"), Some(Level::Error));
}

const PROSE: &[&str] = &[
    "no ERROR here",
    "result: ERROR",
    "ERRORS: 0, WARNING: 0",
    "Total: 7 ERROR: 0 WARN: 0",
    "50% ERROR rate",
    "Nov 20 06:47:13 web-1 shop: <info>x</info>",
    "<error>x</error>",
    "# Error: x",
    "a,ERROR,b",
    "2026-11-20 06:47:13 Critical section entered",
    "2026-11-20 06:47:13 alert rules loaded",
    "2026-11-20 06:47:13 read /var/log/error: 7 lines",
    "2026-11-20 06:47:13 success: 7 of 7",
    "2026-11-20 06:47:13 7 E coli found",
    "E",
    "W x",
    "D: x",
    "2026-11-20 06:47:13 found no ERROR in 7 files",
    "2026-11-20 06:47:13 an error: of some kind",
    "2026-11-20 06:47:13 error rate is 0",
    "2026-11-20 06:47:13 warning letters were sent",
    "Nov 20 06:47:13 web-1 shop: the error: none",
    "------ INFO OUTPUT ------",
    "------ STACK TRACE ------",
    "=== ERROR SUMMARY ===",
    "Sending <error> to the peer",
    "2026-11-20 06:47:13 Sending[c2s]: <stream:error>",
    "http://shop.example/ERROR: x",
    "2026-11-20 06:47:13 /srv/ERROR/x: gone",
    "2026-11-20 06:47:13 read pid 7: ok",
    "2026-11-20 06:47:13 UTC [7] ann@shop STATEMENT:  select 'ERROR: x'",
    "2026-11-20 06:47:13 UTC [7] DETAIL:  ERROR: is in the text",
    "2026-11-20 06:47:13 [config] [http] loaded",
    "2026-11-20 06:47:13 config: loaded",
    "2026-11-20 06:47:13 I think so",
    "[E] is a letter",
    "2026-11-20 06:47:13 chose option [E] of 7",
    "2026-11-20 06:47:13 A new day",
    "2026/11/20 06:47:13 http: TLS handshake failed",
    "Note: the cart is empty",
    "HTTP GET /x",
    "NOTE x",
    "Success: all is well",
    "[lvl=2] x",
    "[GET /ERROR HTTP/1.1] x",
    "192.0.2.1 - - [20/Nov/2026 06:47:13] code 404, message ERROR",
    "2026-11-20 06:47:13 user asked for level of ERROR",
    "100% done",
    "%d errors",
    "In(3) x",
    "error",
    "a: b: c d: error: x",
];

#[test]
fn prose_has_no_level() {
    let wrong: Vec<_> = PROSE.iter().filter(|line| level_of_text(line).is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    check("0 errors found", None);
    check("GET /error.html", None);
    check("an error occurred", None);
    check("Info about things", None);
    check("one two three four five six seven eight ERROR", None);
    check("zlevel=error", None);
    check("compression_level=50", None);
    check("loaded /var/ERROR/x ERROR-7", None);
    check("", None);
    check("<999>x", None);
    check("<", None);
}

#[test]
fn fields_say_levels_by_name_and_number() {
    let check = |name: &str, value: Value, expected| assert_eq!(level_of_field(name, &value), expected, "{name}");
    check("level", Value::text("Warning"), Some(Level::Warn));
    check("LogLevel", Value::text(" err "), Some(Level::Error));
    check("level", Value::Integer(20), Some(Level::Debug));
    check("level", Value::Integer(3), None);
    check("severity", Value::Integer(3), Some(Level::Error));
    check("severity", Value::text("NOTICE"), Some(Level::Info));
    check("SeverityNumber", Value::Integer(17), Some(Level::Error));
    check("severity_number", Value::Integer(1), Some(Level::Trace));
    check("levels", Value::text("error"), None);
    check("message", Value::text("error"), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_looked_at_without_panic(text in "\\PC{0,60}", form in "[<\\[(]?[A-Za-z0-9=:,\" \\[\\]()<>%|/\u{1b}\t-]{0,60}") {
        let _ = level_of_text(&text);
        let _ = level_of_text(&form);
    }
}
