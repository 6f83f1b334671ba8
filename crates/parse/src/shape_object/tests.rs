//! Lines of access logs, syslog and flow logs as objects.

use proptest::prelude::*;

use super::*;

fn check(shape: Shape, line: &str, expected: &str) {
    let shown = shape_object(shape, line).map_or_else(|| "nothing".to_owned(), |value| value.to_string());
    assert_eq!(shown, expected, "{line}");
}

#[test]
fn access_logs_are_read_with_their_oddities() {
    check(
        Shape::CommonLog,
        r#"192.0.2.1 - ann [20/Nov/2026:06:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 512"#,
        r#"{"client":"192.0.2.1","user":"ann","time":"20/Nov/2026:06:00:00 +0000","method":"GET","path":"/a?b=c","protocol":"HTTP/1.1","status":200,"bytes":512}"#,
    );
    check(
        Shape::CombinedLog,
        r#"::1 - John Doe [20/Nov/2026:06:00:00 +0000] "GET /x y HTTP/2.0" 404 - "-" "say \"hi\"""#,
        r#"{"client":"::1","user":"John Doe","time":"20/Nov/2026:06:00:00 +0000","method":"GET","path":"/x y","protocol":"HTTP/2.0","status":404,"user_agent":"say \"hi\""}"#,
    );
    check(
        Shape::CommonLog,
        r#"h - - [t] "\x16\x03" 400 0"#,
        r#"{"client":"h","time":"t","path":"\\x16\\x03","status":400,"bytes":0}"#,
    );
    check(Shape::CommonLog, "just words", "nothing");
    check(Shape::CommonLog, r#"h - - [t] "GET /" abc 0"#, "nothing");
    check(Shape::CombinedLog, r#"h - - [t] "GET /" 200 0"#, "nothing");
}

#[test]
fn syslog_is_read_in_both_forms_and_as_files_have_it() {
    check(
        Shape::Syslog,
        r#"<165>1 2026-11-20T06:00:00.003Z web-1 app 77 ID47 [ex@1 a="1" b="x \"y\" \]"][z] started"#,
        r#"{"facility":"local4","severity":"notice","timestamp":"2026-11-20T06:00:00.003Z","hostname":"web-1","appname":"app","procid":"77","msgid":"ID47","ex@1":{"a":"1","b":"x \"y\" ]"},"z":{},"message":"started"}"#,
    );
    check(
        Shape::Syslog,
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
        r#"{"facility":"auth","severity":"crit","timestamp":"Oct 11 22:14:15","hostname":"mymachine","appname":"su","message":"'su root' failed"}"#,
    );
    check(
        Shape::Syslog,
        "Nov  2 06:00:01 web-1 sshd[77]: Accepted key",
        r#"{"timestamp":"Nov  2 06:00:01","hostname":"web-1","appname":"sshd","procid":"77","message":"Accepted key"}"#,
    );
    check(
        Shape::Syslog,
        "2026-11-20T06:00:00+01:00 web-1 last message repeated 3 times",
        r#"{"timestamp":"2026-11-20T06:00:00+01:00","hostname":"web-1","message":"last message repeated 3 times"}"#,
    );
    check(Shape::Syslog, "<34>1 - - - - - -", r#"{"facility":"auth","severity":"crit"}"#);
    check(Shape::Syslog, "<34>1 - - - - - [a b", r#"{"facility":"auth","severity":"crit","message":"[a b"}"#);
    for wrong in ["", "hello world", "<999>Oct 11 22:14:15 h a: b"] {
        check(Shape::Syslog, wrong, "nothing");
    }
}

#[test]
fn flow_logs_have_fourteen_columns() {
    check(
        Shape::Vpc,
        "2 012345678901 eni-1 192.0.2.1 198.51.100.2 49152 443 6 10 840 1793520000 1793520060 ACCEPT OK",
        r#"{"version":2,"accountId":"012345678901","interfaceId":"eni-1","srcAddr":"192.0.2.1","dstAddr":"198.51.100.2","srcPort":49152,"dstPort":443,"protocol":6,"packets":10,"bytes":840,"start":1793520000,"end":1793520060,"action":"ACCEPT","logStatus":"OK"}"#,
    );
    check(
        Shape::Vpc,
        "2 123 eni-1 - - - - - - - 1793520000 1793520060 - NODATA",
        r#"{"version":2,"accountId":"123","interfaceId":"eni-1","start":1793520000,"end":1793520060,"logStatus":"NODATA"}"#,
    );
    check(
        Shape::Vpc,
        "version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes start end action logStatus",
        "nothing",
    );
    check(Shape::Vpc, "2 123", "nothing");
}

proptest! {
    #[test]
    fn no_text_makes_a_format_panic(line in r#"[ <>\[\]":=\\0-9a-zé-]{0,80}"#) {
        for shape in Shape::ALL {
            let read = |line: &str| shape_object(shape, line);
            let _ = read(&line);
            let _ = read(&format!("<34>1 - - - - - [{line}"));
            let _ = read(&format!("Oct 11 22:14:15 {line}"));
            let _ = read(&format!("h - - [{line}"));
        }
    }
}
