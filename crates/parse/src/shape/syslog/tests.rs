//! Headers of devices and relays, and what only looks like one.

use super::*;

/// The header of a frame as `priority|time|host|program|process|kind|message`.
fn shown(header: &SyslogHeader<'_>) -> String {
    let priority =
        header.facility.zip(header.severity).map(|(facility, severity)| (facility * 8 + severity).to_string());
    let SyslogHeader { time, hostname, appname, procid, msgid, message, .. } = header;
    format!("{}|{time}|{hostname}|{appname}|{procid}|{msgid}|{message}", priority.unwrap_or_default())
}

fn check(frame: &str, expected: &str) {
    assert_eq!(shown(&SyslogHeader::of_frame(frame)), expected, "{frame}");
}

#[test]
fn dialects_of_the_old_header_are_read() {
    check("<34>Oct 11 22:14:15 web-1 su: 'su root' failed", "34|Oct 11 22:14:15|web-1|su|||'su root' failed");
    check("<13>Nov 20 06:47:13 sshd[4242]: Accepted", "13|Nov 20 06:47:13||sshd|4242||Accepted");
    check("<13>Nov 20 06:47:13 web-1 postfix/smtpd[7]: x", "13|Nov 20 06:47:13|web-1|postfix/smtpd|7||x");
    check("<13>2026-11-20T06:47:13.5+01:00 web-1 app[9]: x", "13|2026-11-20T06:47:13.5+01:00|web-1|app|9||x");
    check("<13>Nov 20 06:47:13 fe80::1 app: x", "13|Nov 20 06:47:13|fe80::1|app|||x");
    check(
        "<13>Nov 20 06:47:13 web-1 last message repeated 3 times",
        "13|Nov 20 06:47:13|web-1||||last message repeated 3 times",
    );
    check("<13>Nov 20 06:47:13 last message repeated 3 times", "13|Nov 20 06:47:13|||||last message repeated 3 times");
    check("<13>Nov 20 06:47:13 (systemd)[7]: x", "13|Nov 20 06:47:13||(systemd)|7||x");
    check("<14>myapp: hello", "14|||myapp|||hello");
    check("<14>hello world: it is", "14||||||hello world: it is");
    check("<14>http://x/ was asked", "14||||||http://x/ was asked");
    check("<14>Warning: little tea", "14||||||Warning: little tea");
    check("<14>{\"a\": 1}", "14||||||{\"a\": 1}");
    check("<999>hello", "||||||<999>hello");
    check("<13>", "13||||||");
    check("", "||||||");
}

#[test]
fn words_for_the_severity_are_no_host_and_no_program() {
    check("<133>Nov 20 06:47:13 lb-1 notice mcpd[77]: x", "133|Nov 20 06:47:13|lb-1|mcpd|77||x");
    check("Nov 20 06:47:13 web-1 daemon.err shop[77]: x", "27|Nov 20 06:47:13|web-1|shop|77||x");
    check("Nov 20 06:47:13 kern.warn web-1 shop: x", "4|Nov 20 06:47:13|web-1|shop|||x");
    check("2026-11-20T06:47:13Z Er(11) shop[77]: x", "11|2026-11-20T06:47:13Z||shop|77||x");
    check("<13>Nov 20 06:47:13 [192.0.2.7] shop: x", "13|Nov 20 06:47:13|192.0.2.7|shop|||x");
    check("<13>Nov 20 06:47:13 notice of a delay", "13|Nov 20 06:47:13|||||notice of a delay");
    check("<13>Nov 20 06:47:13 In(12) shop: x", "13|Nov 20 06:47:13|||||In(12) shop: x");
}

#[test]
fn headers_of_switches_and_firewalls_are_read() {
    let cisco = "SYS||SYS-5-CONFIG_I|Configured";
    check(
        "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured",
        &format!("189|Mar  1 18:48:50.483 UTC||{cisco}"),
    );
    check(
        "<189>29: rtr-1: 77: Mar  1 18:48:50 CST: %SYS-5-CONFIG_I: Configured",
        &format!("189|Mar  1 18:48:50 CST|rtr-1|{cisco}"),
    );
    check("<189>29: rtr-1: 2d03h: %SYS-5-CONFIG_I: Configured", &format!("189||rtr-1|{cisco}"));
    check("<189>29: %SYS-5-CONFIG_I: Configured", &format!("189|||{cisco}"));
    check(
        "<166>Nov 20 2026 06:47:13 asa1 : %ASA-6-302013: Built",
        "166|Nov 20 2026 06:47:13|asa1|ASA||ASA-6-302013|Built",
    );
    check("<166>:Nov 20 06:47:13 UTC: %ASA-6-302013: Built", "166|Nov 20 06:47:13 UTC||ASA||ASA-6-302013|Built");
    check(
        "<187>RP/0/RSP1/CPU0:Nov 20 06:47:13.5: bgp[77]: %ROUTING-BGP-5-ADJCHANGE : Down",
        "187|Nov 20 06:47:13.5||bgp|77|ROUTING-BGP-5-ADJCHANGE|Down",
    );
    check("Nov 20 06:47:13 sw-1 7: %LINK-3-UPDOWN: x", "187|Nov 20 06:47:13|sw-1|LINK||LINK-3-UPDOWN|x");
    check(
        "<13>Nov 20 06:47:13 web-1 shop: 5 %A-3-B: is no mnemonic",
        "13|Nov 20 06:47:13|web-1|shop|||5 %A-3-B: is no mnemonic",
    );
    check("<13>shop: at 50%-3-x", "13|||shop|||at 50%-3-x");
}

#[test]
fn the_new_header_has_its_parts_in_order_and_may_have_fewer() {
    let time = "2026-11-20T06:47:13.003Z";
    check(
        &format!("<165>1 {time} host.example app 111 ID47 - \u{feff}text"),
        &format!("165|{time}|host.example|app|111|ID47|text"),
    );
    check("<165>1 - - - - - -", "165||||||");
    check(&format!("<165>1 {time}"), &format!("165|{time}|||||"));
    check("<158>1 2026-11-20 06:47:13 tor-1 swss#agent 77 - - up", "158|2026-11-20 06:47:13|tor-1|swss#agent|77||up");
    check(&format!("<165>1 {time} vault-1 CEF:0|a|b"), &format!("165|{time}|vault-1||||CEF:0|a|b"));
    check(&format!("<165>1 {time} vault-1 app[7]: text"), &format!("165|{time}|vault-1|app|7||text"));
    check(&format!("<165>1 {time} vault-1 words of a text"), &format!("165|{time}|vault-1||||words of a text"));
}

#[test]
fn a_line_of_a_file_is_one_of_syslog_only_where_that_is_sure() {
    let is_sure = |line: &str| SyslogHeader::of_line(line, &crate::time::TimeMemo::default()).is_some();
    for line in [
        "Nov 20 06:47:13 web-1 kernel: x",
        "Nov 20 06:47:13 shop[7]: x",
        "2026-11-20T06:47:13.5+01:00 web-1 kernel: x",
        "2026-11-20T06:47:13Z web-1 shop[7]: x",
        "Nov 20 06:47:13 gate-1 CEF:0|a|b|c|d|e|1|",
        "<13>x",
    ] {
        assert!(is_sure(line), "{line}");
    }
    for line in [
        "Nov 20 06:47:13 shop[7:0] info: x",
        "Nov 20 06:47:13 shop: x",
        "Nov 20 06:47:13 [info] shop: x",
        "Nov 20 06:47:13 c2s77\tinfo\tshop: x",
        "Nov 20 06:47:13 it was late: x",
        "Nov 20 06:47 web-1 shop: x",
        "2026-11-20T06:47:13Z Server started: x",
        "2026-11-20T06:47:13Z INFO shop[7]: x",
        "2026-11-20T06:47:13+01:00 main Worker: x",
    ] {
        assert!(!is_sure(line), "{line}");
    }
}

#[test]
fn what_is_glued_to_a_host_or_put_before_it_is_no_part_of_its_name() {
    check("<30>Nov 20 06:47:13 ap-7,802aa8,v4.1 hostapd: up", "30|Nov 20 06:47:13|ap-7|hostapd|||up");
    check("<30>Nov 20 06:47:13 lb-7,rule=web,took=4", "30|Nov 20 06:47:13|lb-7||||rule=web,took=4");
    check("<30>Nov 20 06:47:13 lately, all is well", "30|Nov 20 06:47:13|||||lately, all is well");
    check("<133>Nov 20 06:47:13 slot2/lb-1 notice mcpd[77]: x", "133|Nov 20 06:47:13|lb-1|mcpd|77||x");
    check("<13>Nov 20 06:47:15 relay-1 Nov 20 06:47:13 web-1 shop[7]: x", "13|Nov 20 06:47:13|web-1|shop|7||x");
    check("<13>Nov 20 06:47:15 relay-1 Nov 20 06:47:13 was a fine day", "13|Nov 20 06:47:13|relay-1||||was a fine day");
    check("<134> 1795157233.071 mx-7-hq events port 3 is down", "134|1795157233.071|mx-7-hq||||events port 3 is down");
    check("<134> 1795157233.071    33 192.0.2.1 TCP_MISS/200", "134||||||1795157233.071    33 192.0.2.1 TCP_MISS/200");
    check("<13>Nov 20 06:47:13 [nas-7:disk.fail:error]: disk 3", "13|Nov 20 06:47:13|nas-7|||disk.fail|disk 3");
    check("<13>Nov 20 06:47:13 [a: b:c]: d", "13|Nov 20 06:47:13|||||[a: b:c]: d");
    check("<166>: 2026 Nov 20 06:47:13 ET: %L2FM-4-MOVE: x", "166|2026 Nov 20 06:47:13||L2FM||L2FM-4-MOVE|x");
}
