//! Formats whose fields have names of their own: access logs, syslog, VPC flow logs.
//!
//! | format | fields |
//! |---|---|
//! | `clf` | `client ident user time method path protocol status bytes` |
//! | `combined` | the same, `referrer agent` |
//! | `syslog` | `facility severity timestamp hostname appname procid msgid message`, structured data under its ids |
//! | `vpc` | `version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes start end action logStatus` |
//!
//! Counts, sizes, ports and status codes are whole numbers, everything else is text as it was written. A `-` is a
//! missing value. A text of another form gives nothing.

use std::sync::Arc;

use types::Value;

/// Members of the object that a text becomes.
type Members = Vec<(Arc<str>, Option<Value>)>;

const VPC_FIELDS: [&str; 14] = [
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "logStatus",
];

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Structured data that is read; what comes behind is left.
const STRUCTURED_MAX: usize = 64;

fn text(value: &str) -> Option<Value> {
    (!value.is_empty() && value != "-").then(|| Value::text(value))
}

fn whole(value: &str) -> Option<Value> {
    value.parse().ok().map(Value::Integer)
}

fn object(members: Members) -> Option<Value> {
    Some(Value::Object(members.into_iter().filter(|(_, value)| value.is_some()).collect::<Vec<_>>().into()))
}

/// Takes the word before the next blank off the front.
fn word<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    *rest = behind;
    (!word.is_empty()).then_some(word)
}

/// Takes what stands between two signs off the front; inside of it, a backslash keeps a sign from closing.
fn enclosed<'t>(rest: &mut &'t str, open: char, close: char) -> Option<&'t str> {
    let inner = rest.strip_prefix(open)?;
    let mut is_escaped = false;
    for (at, sign) in inner.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            sign if sign == close => {
                let behind = &inner[at + close.len_utf8()..];
                *rest = behind.strip_prefix(' ').unwrap_or(behind);
                return Some(&inner[..at]);
            }
            _ => {}
        }
    }
    None
}

/// An access log in the common format.
pub(super) fn common(line: &str) -> Option<Value> {
    let mut rest = line.trim_start();
    object(access(&mut rest)?)
}

/// An access log in the combined format.
pub(super) fn combined(line: &str) -> Option<Value> {
    let mut rest = line.trim_start();
    let mut members = access(&mut rest)?;
    members.push(("referrer".into(), text(enclosed(&mut rest, '"', '"')?)));
    members.push(("agent".into(), text(enclosed(&mut rest, '"', '"')?)));
    object(members)
}

fn access(rest: &mut &str) -> Option<Members> {
    let (client, ident) = (word(rest)?, word(rest)?);
    // A user may have blanks in it: it ends where the time begins.
    let (user, behind) = rest.split_once(" [")?;
    *rest = &rest[rest.len() - behind.len() - 1..];
    let time = enclosed(rest, '[', ']')?;
    let request = enclosed(rest, '"', '"')?;
    let (status, bytes) = (word(rest)?, word(rest)?);
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let is_size = bytes == "-" || bytes.bytes().all(|byte| byte.is_ascii_digit());
    if !is_status || !is_size {
        return None;
    }
    let (method, target) = request.split_once(' ').unwrap_or(("", request));
    let (path, protocol) = match target.rsplit_once(' ') {
        Some((path, protocol)) if protocol.starts_with("HTTP/") => (path, protocol),
        _ => (target, ""),
    };
    let members = [
        ("client", text(client)),
        ("ident", text(ident)),
        ("user", text(user)),
        ("time", text(time)),
        ("method", text(method)),
        ("path", text(path)),
        ("protocol", text(protocol)),
        ("status", whole(status)),
        ("bytes", whole(bytes)),
    ];
    Some(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A VPC flow log of version 2.
pub(super) fn vpc(line: &str) -> Option<Value> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(VPC_FIELDS.len() + 1).collect();
    let is_record = words.len() == VPC_FIELDS.len() && words[0].bytes().all(|byte| byte.is_ascii_digit());
    if !is_record {
        return None;
    }
    let value = |(name, word): (&&str, &&str)| {
        let value = match *name {
            // An account is a name that happens to have digits only, perhaps leading zeros.
            "accountId" => text(word),
            _ => whole(word).or_else(|| text(word)),
        };
        (Arc::from(*name), value)
    };
    object(VPC_FIELDS.iter().zip(&words).map(value).collect())
}

/// A syslog message of RFC 5424 or RFC 3164, with or without its priority, as files have it.
pub(super) fn syslog(line: &str) -> Option<Value> {
    let mut members = Members::new();
    let mut rest = line.trim_start_matches('\u{feff}');
    if let Some(priority) = enclosed(&mut rest, '<', '>') {
        let priority: usize = priority.parse().ok().filter(|priority| *priority < 192)?;
        members.push(("facility".into(), text(FACILITIES[priority / 8])));
        members.push(("severity".into(), text(SEVERITIES[priority % 8])));
    }
    match rest.strip_prefix("1 ") {
        Some(rest) => rfc5424(rest, &mut members)?,
        None => rfc3164(rest, &mut members)?,
    }
    object(members)
}

fn rfc5424(mut rest: &str, members: &mut Members) -> Option<()> {
    for name in ["timestamp", "hostname", "appname", "procid", "msgid"] {
        members.push((name.into(), text(word(&mut rest)?)));
    }
    match rest.strip_prefix('-') {
        Some(behind) => rest = behind.strip_prefix(' ').unwrap_or(behind),
        None => {
            let mut n_elements = 0;
            while rest.starts_with('[') && n_elements < STRUCTURED_MAX {
                members.push(element(&mut rest)?);
                n_elements += 1;
            }
        }
    }
    members.push(("message".into(), text(rest.trim_start_matches('\u{feff}'))));
    Some(())
}

/// One element of structured data: `[id name="value" …]`.
fn element(rest: &mut &str) -> Option<(Arc<str>, Option<Value>)> {
    let mut inner = rest.strip_prefix('[')?;
    let end = inner.find([' ', ']'])?;
    let id = &inner[..end];
    let mut parameters = Members::new();
    inner = inner[end..].trim_start_matches(' ');
    while !inner.starts_with(']') {
        let (name, behind) = inner.split_once('=')?;
        inner = behind;
        let value = enclosed(&mut inner, '"', '"')?;
        let value = value.replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\");
        parameters.push((name.into(), Some(Value::text(value))));
        inner = inner.trim_start_matches(' ');
    }
    let behind = &inner[1..];
    *rest = behind.strip_prefix(' ').unwrap_or(behind);
    Some((id.into(), Some(Value::Object(parameters.into()))))
}

fn rfc3164(line: &str, members: &mut Members) -> Option<()> {
    let (timestamp, mut rest) = traditional_time(line).or_else(|| iso_time(line))?;
    members.push(("timestamp".into(), text(timestamp)));
    members.push(("hostname".into(), text(word(&mut rest)?)));
    // The tag ends at the first sign that no program's name has; without a colon behind it there is none.
    let end = rest.find(|c: char| c == '[' || c == ':' || c.is_whitespace()).unwrap_or(rest.len());
    let (program, behind) = rest.split_at(end);
    let (process, behind) = match behind.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((process, behind)) => (process, behind),
        None => ("", behind),
    };
    match behind.strip_prefix(':').filter(|_| !program.is_empty()) {
        Some(message) => {
            members.push(("appname".into(), text(program)));
            members.push(("procid".into(), text(process)));
            members.push(("message".into(), text(message.strip_prefix(' ').unwrap_or(message))));
        }
        None => members.push(("message".into(), text(rest))),
    }
    Some(())
}

/// `Nov  2 06:00:01` and what follows.
fn traditional_time(line: &str) -> Option<(&str, &str)> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (time, rest) = (line.get(..15)?, line.get(15..)?.strip_prefix(' ')?);
    let fits = |(at, byte): (usize, u8)| match at {
        0..=2 => true,
        3 | 6 => byte == b' ',
        4 => byte == b' ' || byte.is_ascii_digit(),
        9 | 12 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let is_time = MONTHS.contains(&time.get(..3)?) && time.bytes().enumerate().all(fits);
    is_time.then_some((time, rest))
}

/// `2026-11-20T06:00:00.5+01:00` and what follows.
fn iso_time(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let is_time = time.len() <= 40 && types::Timestamp::parse_rfc3339(time).is_some();
    is_time.then_some((time, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(read: fn(&str) -> Option<Value>, line: &str, expected: &str) {
        let shown = read(line).map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        assert_eq!(shown, expected, "{line}");
    }

    #[test]
    fn access_logs_are_read_with_their_oddities() {
        check(
            common,
            r#"192.0.2.1 - ann [20/Nov/2026:06:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 512"#,
            r#"{"client":"192.0.2.1","user":"ann","time":"20/Nov/2026:06:00:00 +0000","method":"GET","path":"/a?b=c","protocol":"HTTP/1.1","status":200,"bytes":512}"#,
        );
        check(
            combined,
            r#"::1 - John Doe [20/Nov/2026:06:00:00 +0000] "GET /x y HTTP/2.0" 404 - "-" "say \"hi\"""#,
            r#"{"client":"::1","user":"John Doe","time":"20/Nov/2026:06:00:00 +0000","method":"GET","path":"/x y","protocol":"HTTP/2.0","status":404,"agent":"say \\\"hi\\\""}"#,
        );
        check(
            common,
            r#"h - - [t] "\x16\x03" 400 0"#,
            r#"{"client":"h","time":"t","path":"\\x16\\x03","status":400,"bytes":0}"#,
        );
        check(common, "just words", "nothing");
        check(common, r#"h - - [t] "GET /" abc 0"#, "nothing");
        check(combined, r#"h - - [t] "GET /" 200 0"#, "nothing");
    }

    #[test]
    fn syslog_is_read_in_both_forms_and_as_files_have_it() {
        check(
            syslog,
            r#"<165>1 2026-11-20T06:00:00.003Z web-1 app 77 ID47 [ex@1 a="1" b="x \"y\" \]"][z] started"#,
            r#"{"facility":"local4","severity":"notice","timestamp":"2026-11-20T06:00:00.003Z","hostname":"web-1","appname":"app","procid":"77","msgid":"ID47","ex@1":{"a":"1","b":"x \"y\" ]"},"z":{},"message":"started"}"#,
        );
        check(
            syslog,
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            r#"{"facility":"auth","severity":"crit","timestamp":"Oct 11 22:14:15","hostname":"mymachine","appname":"su","message":"'su root' failed"}"#,
        );
        check(
            syslog,
            "Nov  2 06:00:01 web-1 sshd[77]: Accepted key",
            r#"{"timestamp":"Nov  2 06:00:01","hostname":"web-1","appname":"sshd","procid":"77","message":"Accepted key"}"#,
        );
        check(
            syslog,
            "2026-11-20T06:00:00+01:00 web-1 last message repeated 3 times",
            r#"{"timestamp":"2026-11-20T06:00:00+01:00","hostname":"web-1","message":"last message repeated 3 times"}"#,
        );
        check(syslog, "<34>1 - - - - - -", r#"{"facility":"auth","severity":"crit"}"#);
        for wrong in
            ["", "hello world", "<999>Oct 11 22:14:15 h a: b", "<34>1 t", "Oct 11 22:14 h a: b", "<34>1 - - - - - [a b"]
        {
            check(syslog, wrong, "nothing");
        }
    }

    #[test]
    fn flow_logs_have_fourteen_columns() {
        check(
            vpc,
            "2 012345678901 eni-1 192.0.2.1 198.51.100.2 49152 443 6 10 840 1793520000 1793520060 ACCEPT OK",
            r#"{"version":2,"accountId":"012345678901","interfaceId":"eni-1","srcAddr":"192.0.2.1","dstAddr":"198.51.100.2","srcPort":49152,"dstPort":443,"protocol":6,"packets":10,"bytes":840,"start":1793520000,"end":1793520060,"action":"ACCEPT","logStatus":"OK"}"#,
        );
        check(
            vpc,
            "2 123 eni-1 - - - - - - - 1793520000 1793520060 - NODATA",
            r#"{"version":2,"accountId":"123","interfaceId":"eni-1","start":1793520000,"end":1793520060,"logStatus":"NODATA"}"#,
        );
        check(vpc, &VPC_FIELDS.join(" "), "nothing");
        check(vpc, "2 123", "nothing");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_format_panic(line in r#"[ <>\[\]":=\\0-9a-zé-]{0,80}"#) {
            for read in [common, combined, syslog, vpc] {
                let _ = read(&line);
                let _ = read(&format!("<34>1 - - - - - [{line}"));
                let _ = read(&format!("Oct 11 22:14:15 {line}"));
                let _ = read(&format!("h - - [{line}"));
            }
        }
    }
}
