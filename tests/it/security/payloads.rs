//! Names that would be paths: the list is made here, the same each time.

use std::collections::BTreeSet;

/// What a name may be that ought to lead out of a directory.
const STEPS: [&str; 22] = [
    "../",
    "..\\",
    "./../",
    "..//",
    "....//",
    "..;/",
    ".%2e/",
    "%2e./",
    "..%2f",
    "%2e%2e%5c",
    "..%c0%af",
    "%c0%ae%c0%ae/",
    "%e0%80%ae%e0%80%ae/",
    "%f0%80%80%ae%f0%80%80%ae/",
    "..%00/",
    "..\u{2215}",
    "\u{2024}\u{2024}/",
    "\u{ff0e}\u{ff0e}\u{ff0f}",
    "\u{2025}/",
    "%u002e%u002e/",
    "/../",
    "segments/../../",
];

/// Where it would lead.
const ENDS: [&str; 8] =
    ["", "escaped", "etc/passwd", "tmp/escaped", "escaped%00.seg", "admin.key", "wal/escaped.wal", "control.sqlite"];

/// Names that are none of a file, or of another one than they say.
const ODD: [&str; 30] = [
    ".", "..", "/", "//", "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "\\\\host\\share\\a", "C:\\Windows\\a",
    "C:a", "CON", "PRN", "AUX", "NUL", "COM1", "LPT1.txt", "con.seg", "a\u{0}b", "a\u{0}/../../escaped", "~root",
    "~/a", "$HOME", "$(id)", "`id`", ";id", "|id", "a'; DROP TABLE keys;--", "%s%n", "-rf", "a\r\nb",
];

/// Encodes `.`, `/`, `\` and what no address holds as it is; more than once also the `%` of the time before.
fn encoded(text: &[u8], times: usize) -> Vec<u8> {
    (0..times).fold(text.to_vec(), |text, round| {
        let mut out = Vec::with_capacity(text.len() * 3);
        for byte in text {
            let is_plain = byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (round == 0 && byte == b'%');
            if is_plain {
                out.push(byte);
            } else {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
        out
    })
}

/// All payloads: some that lead up by one to eight steps, each plain and encoded once, twice and three times.
pub(super) fn all() -> Vec<Vec<u8>> {
    let mut found = BTreeSet::new();
    for step in STEPS {
        for depth in [1, 3, 8] {
            for end in ENDS {
                let text = step.repeat(depth) + end;
                found.extend((0..=3).map(|times| encoded(text.as_bytes(), times)));
            }
        }
    }
    let long = ["a".repeat(300), "../".repeat(300), "\u{e9}".repeat(300), format!("{}/escaped", "a/..".repeat(75))];
    for text in ODD.iter().map(|text| (*text).to_owned()).chain(long) {
        found.extend((0..=3).map(|times| encoded(text.as_bytes(), times)));
    }
    // Bytes that are no text.
    found.extend([&b"\xc0\xae\xc0\xae/escaped"[..], b"\xff\xfe/../escaped", b"..\xc0\xafescaped"].map(<[u8]>::to_vec));
    found.into_iter().collect()
}

/// A payload as the value of a parameter or a part of a path: what would end the request line is encoded.
pub(super) fn in_address(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    for byte in payload {
        if byte.is_ascii_graphic() && !b"#?&\"<>`{}|^".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

/// A payload as text in a body of JSON.
pub(super) fn in_json(payload: &[u8]) -> String {
    let text = serde_json::Value::from(String::from_utf8_lossy(payload)).to_string();
    text[1..text.len() - 1].to_owned()
}

/// A payload as the value of a header, without what would end it.
pub(super) fn in_header(payload: &[u8]) -> Vec<u8> {
    payload.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect()
}

#[test]
fn there_are_enough_of_them_and_none_is_a_plain_name() {
    let all = all();
    assert!(all.len() >= 2_000, "{}", all.len());
    assert!(all.contains(&b"%25252E%25252E%25252Fetc%25252Fpasswd".to_vec()));
    assert!(all.iter().any(|payload| payload.contains(&0)) && all.iter().any(|payload| payload.len() > 300));
}
