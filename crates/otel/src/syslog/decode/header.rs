//! The header of a syslog message: RFC 5424, and RFC 3164 with its dialects.
//!
//! Dialects: no priority; no host (programs on the same machine); no time (Python's handler); times with a year, a fraction,
//! a zone, or in ISO 8601; Cisco's sequence numbers and `%FACILITY-SEVERITY-MNEMONIC`. Any other frame is a message without
//! a header, never an error. All parts are borrowed from the frame.

use parse::{ArrivalContext, ResolvedTime, find_time};
use types::Timestamp;

/// Limit on the bytes of a name.
const NAME_BYTES_MAX: usize = 128;

/// The header of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// Facility times eight plus severity.
    pub(super) priority: Option<u8>,
    /// The time, unless the general parser of texts finds it at its position.
    pub(super) time: Option<Timestamp>,
    pub(super) hostname: Option<&'a str>,
    pub(super) appname: Option<&'a str>,
    pub(super) procid: Option<&'a str>,
    pub(super) msgid: Option<&'a str>,
    /// The elements with their brackets; empty if there are none.
    pub(super) structured_data: &'a str,
}

/// Reads the header of a frame.
pub(super) fn read<'a>(frame: &'a str, received: &ArrivalContext<'_>) -> Header<'a> {
    let (priority, rest) = match priority(frame) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, frame),
    };
    let mut header = Header { priority, ..Header::default() };
    match rest.strip_prefix("1 ").filter(|_| priority.is_some()) {
        Some(rest) => read_5424(rest, &mut header),
        None => read_3164(rest, received, &mut header),
    }
    header
}

/// Parses `<34>`; returns the number and the rest.
fn priority(frame: &str) -> Option<(u8, &str)> {
    let inside = frame.strip_prefix('<')?;
    let end = inside.bytes().take(4).position(|byte| byte == b'>')?;
    let digits = &inside[..end];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().ok().filter(|number| *number <= 191)?;
    Some((number, &inside[end + 1..]))
}

/// Parses `TIME HOST APP PROCID MSGID DATA …`; `-` is absent.
fn read_5424<'a>(rest: &'a str, header: &mut Header<'a>) {
    let mut rest = rest;
    let mut next = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after;
        Some(word).filter(|word| !matches!(*word, "" | "-"))
    };
    let _time = next();
    header.hostname = next();
    header.appname = next();
    header.procid = next();
    header.msgid = next();
    header.structured_data = &rest[..data_end(rest)];
}

/// Returns the end of the structured data at the start of a text; 0 if there is none, or it is malformed.
fn data_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'[') {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = bytes[at..].iter().position(|byte| {
            let was_escaped = std::mem::take(&mut is_escaped);
            match byte {
                b'\\' => is_escaped = is_quoted && !was_escaped,
                b'"' => is_quoted ^= !was_escaped,
                b']' => return !is_quoted,
                _ => {}
            }
            false
        });
        let Some(end) = end else { return 0 };
        at += end + 1;
    }
    if matches!(bytes.get(at), None | Some(b' ')) { at } else { 0 }
}

/// Calls `param` with the name of each element, and each name and value in it, with escapes.
pub(super) fn for_each_param<'a>(data: &'a str, mut param: impl FnMut(&'a str, &'a str, &'a str)) {
    let mut rest = data;
    while let Some(inside) = rest.strip_prefix('[') {
        let id_end = inside.find([' ', ']']).unwrap_or(inside.len());
        let (id, mut params) = inside.split_at(id_end);
        loop {
            params = params.trim_start_matches(' ');
            if let Some(after) = params.strip_prefix(']') {
                rest = after;
                break;
            }
            let Some((name, value)) = params.split_once("=\"") else { return };
            let Some(end) = quote_end(value) else { return };
            param(id, name, &value[..end]);
            params = &value[end + 1..];
        }
    }
}

/// Returns the end of a value: the first quote without a backslash before it.
fn quote_end(value: &str) -> Option<usize> {
    let mut is_escaped = false;
    value.bytes().position(|byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        is_escaped = byte == b'\\' && !was_escaped;
        byte == b'"' && !was_escaped
    })
}

/// Parses `TIME HOST TAG[PID]: …` and its variants.
fn read_3164<'a>(rest: &'a str, received: &ArrivalContext<'_>, header: &mut Header<'a>) {
    let plain = rest.trim_start_matches(' ');
    if let Some(behind) = after_time(plain, received).map(|(_, behind)| behind) {
        return host_and_tag(behind, header);
    }
    // Cisco: `123: host: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: …`, each of the first two may be missing.
    let digits = plain.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.strip_prefix(": ").filter(|_| digits.len() < plain.len()).unwrap_or(plain);
    let (host, behind_host) = match numbered.split_once(": ") {
        Some((host, behind)) if is_name(host) => (Some(host), behind),
        _ => (None, numbered),
    };
    for (host, text) in [(None, numbered), (host, behind_host)] {
        if let Some((time, behind)) = after_time(text.trim_start_matches(['*', '.']), received) {
            header.time = time;
            header.hostname = host;
            tag(behind.trim_start_matches([':', ' ']), header);
            return;
        }
    }
    tag(numbered, header);
}

/// Parses the time at the start of a text; returns the instant and the rest.
fn after_time<'a>(text: &'a str, received: &ArrivalContext<'_>) -> Option<(Option<Timestamp>, &'a str)> {
    let first = *text.as_bytes().first()?;
    if !first.is_ascii_digit() && !first.is_ascii_uppercase() {
        return None;
    }
    let found = find_time(text.as_bytes(), received).filter(|found| found.start == 0)?;
    let time = match found.time {
        ResolvedTime::At(time) => Some(time),
        ResolvedTime::OutOfRange => None,
    };
    let behind = text.get(found.end..)?;
    // A named zone, `CST: ` or `CST 1987 `, is skipped.
    let word = behind.trim_start_matches(' ').split(' ').next().unwrap_or_default();
    let is_zone = |word: &str| (3..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let behind = match word.strip_suffix(':').filter(|zone| is_zone(zone)) {
        Some(_) => &behind.trim_start_matches(' ')[word.len()..],
        None => behind,
    };
    matches!(behind.bytes().next(), None | Some(b' ' | b':')).then_some((time, behind))
}

/// Parses the part after the time: a host and a tag, or only one of them.
fn host_and_tag<'a>(behind: &'a str, header: &mut Header<'a>) {
    let text = behind.trim_start_matches([':', ' ']);
    if text.starts_with("last message repeated ") || tag(text, header) {
        return;
    }
    let (host, rest) = text.split_once(' ').unwrap_or((text, ""));
    // Cisco's firewalls have ` : ` between the two.
    if is_name(host.trim_end_matches(':')) {
        header.hostname = Some(host.trim_end_matches(':'));
        tag(rest.trim_start_matches([' ', ':']), header);
    }
}

fn is_name(word: &str) -> bool {
    (1..=NAME_BYTES_MAX * 2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Parses `app:`, `app[123]:`, `app[123]`, `%FACILITY-SEVERITY-MNEMONIC:` at the start of a text.
fn tag<'a>(text: &'a str, header: &mut Header<'a>) -> bool {
    let head = &text.as_bytes()[..text.len().min(NAME_BYTES_MAX)];
    let Some(end) = head.iter().position(|byte| matches!(byte, b':' | b'[' | b' ') || !byte.is_ascii_graphic()) else {
        return false;
    };
    let (name, rest) = text.split_at(end);
    let ends_here = |rest: &str| matches!(rest.bytes().next(), None | Some(b' ' | b'\t'));
    if name.is_empty() {
        return false;
    }
    if let Some(rest) = rest.strip_prefix(':') {
        // `http://…` and `a:b` are words of a message, addresses are hosts.
        if !ends_here(rest) {
            return false;
        }
        match name.strip_prefix('%').and_then(|mnemonic| Some((mnemonic, mnemonic.split_once('-')?.0))) {
            Some((mnemonic, facility)) => (header.appname, header.msgid) = (Some(facility), Some(mnemonic)),
            None => header.appname = Some(name),
        }
        return true;
    }
    let Some((procid, rest)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return false };
    let is_id = (1..=NAME_BYTES_MAX).contains(&procid.len()) && procid.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id || !(rest.starts_with(':') || ends_here(rest)) {
        return false;
    }
    header.appname = Some(name);
    header.procid = Some(procid);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use parse::Zone;
    use types::Limits;

    /// Returns the header as `priority|time|host|app|procid|msgid`.
    fn shown(frame: &str) -> String {
        let limits = Limits::default();
        let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
        let header = read(frame, &ArrivalContext { at, modified: None, zone: Zone::UTC, limits: &limits });
        let time = header.time.map(|time| time.to_string()).unwrap_or_default();
        let [host, app, procid, msgid] =
            [header.hostname, header.appname, header.procid, header.msgid].map(Option::unwrap_or_default);
        format!("{:?}|{time}|{host}|{app}|{procid}|{msgid}", header.priority.map_or(-1, i16::from))
    }

    #[test]
    fn dialects_of_the_old_header_are_read() {
        let check = |frame: &str, expected: &str| assert_eq!(shown(frame), expected, "{frame}");
        check("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "34||mymachine|su||");
        check("<13>Nov  2 06:47:13 web-1 sshd[4242]: Accepted", "13||web-1|sshd|4242|");
        check("<13>Nov 20 06:47:13 sshd[4242]: Accepted", "13|||sshd|4242|");
        check("<13>Nov 20 06:47:13 web-1 postfix/smtpd[7]: x", "13||web-1|postfix/smtpd|7|");
        check("<13>2026-11-20T06:47:13.123456+01:00 web-1 app[9]: x", "13||web-1|app|9|");
        check("Nov 20 06:47:13 web-1 kernel: oops", "-1||web-1|kernel||");
        check("<13>Nov 20 06:47:13 web-1 last message repeated 3 times", "13||web-1|||");
        check("<13>Nov 20 06:47:13 last message repeated 3 times", "13|||||");
        check("<13>Nov 20 06:47:13 fe80::1 app: x", "13||fe80::1|app||");
        check("<14>myapp: hello", "14|||myapp||");
        check("<14>hello world: it is", "14|||||");
        check("<14>http://x/ was asked", "14|||||");
        check("<999>hello", "-1|||||");
        check("<13>", "13|||||");
        check("", "-1|||||");
    }

    #[test]
    fn headers_of_switches_and_firewalls_are_read() {
        let check = |frame: &str, expected: &str| assert_eq!(shown(frame), expected, "{frame}");
        let config = "SYS|||".replace("|||", "||SYS-5-CONFIG_I");
        check(
            "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured",
            &format!("189|2026-03-01T18:48:50.483Z||{config}"),
        );
        check(
            "<189>29: rtr-1: Mar  1 18:48:50 CST: %SYS-5-CONFIG_I: Configured",
            &format!("189|2026-03-01T18:48:50Z|rtr-1|{config}"),
        );
        check("<166>Nov 20 2026 06:47:13 asa1 : %ASA-6-302013: Built", "166||asa1|ASA||ASA-6-302013");
        check("<166>Nov 20 2026 06:47:13: %ASA-6-302013: Built", "166|||ASA||ASA-6-302013");
        check("<189>29: %LINK-3-UPDOWN: down", "189|||LINK||LINK-3-UPDOWN");
    }

    #[test]
    fn the_new_header_has_its_parts_in_order() {
        assert_eq!(
            shown("<165>1 2026-11-20T06:47:13.003Z host.example app 111 ID47 - \u{feff}text"),
            "165||host.example|app|111|ID47"
        );
        assert_eq!(shown("<165>1 - - - - - -"), "165|||||");
        assert_eq!(shown("<165>1 2026-11-20T06:47:13Z"), "165|||||");
    }

    #[test]
    fn structured_data_is_read_with_its_escapes() {
        let data = r#"[a@1 x="1" y="q\"]\\"][b z="é"]"#;
        let frame = format!("<1>1 - - - - - {data} [no=\"data\"]");
        let limits = Limits::default();
        let received = ArrivalContext { at: Timestamp(0), modified: None, zone: Zone::UTC, limits: &limits };
        let header = read(&frame, &received);
        assert_eq!(header.structured_data, data);
        let mut params = Vec::new();
        for_each_param(header.structured_data, |id, name, value| params.push(format!("{id}.{name}={value}")));
        assert_eq!(params, ["a@1.x=1", r#"a@1.y=q\"]\\"#, "b.z=é"]);
    }

    #[test]
    fn no_cut_frame_and_no_wrong_data_makes_it_fail() {
        let whole = "<165>1 2026-11-20T06:47:13Z h a p m [id x=\"é\\\"\" y][b] text [c";
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            shown(&whole[..end]);
            for_each_param(&whole[34.min(end)..end], |_, _, _| {});
        }
        for data in ["[", "[]", "[=\"", "[a b", "[a b=\"", "[a b=\"c\\", "[a ]]", "[[[["] {
            for_each_param(data, |_, _, _| {});
        }
    }
}
