//! Filters of levels, and control characters in lines.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic before").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_asks_for_everything_hears_nothing_of_single_connections_unless_they_are_named() {
    let check = |asked: Option<&str>| filter(asked).expect("it is a filter").to_string();
    for asked in ["debug", "trace", "info,serve=debug"] {
        let written = check(Some(asked));
        assert!(written.contains("hyper_util=warn") && written.contains("h2=warn"), "{asked}: {written}");
    }
    let named = check(Some("debug,hyper_util=trace"));
    assert!(named.contains("hyper_util=trace") && !named.contains("hyper_util=warn"), "{named}");
    assert_eq!(check(None), "tantivy=error,warn");
    assert!(filter(Some("a=no-level")).is_err());
}

#[test]
fn what_somebody_sent_neither_begins_a_line_nor_moves_a_cursor() {
    let written = LogBuffer::default();
    let of_log = written.clone();
    let log = tracing_subscriber::fmt().fmt_fields(fields()).with_ansi(false).with_writer(move || of_log.clone());
    tracing::subscriber::with_default(log.finish(), || {
        let sent = "a\nERROR forged\r\n\u{1b}[2J\u{85}\u{2028}\u{0}é";
        tracing::error!(name = %sent, quoted = sent, n = 5, "failed: {sent}");
    });
    let text = String::from_utf8(written.0.lock().expect("no panic before").clone()).expect("the log is UTF-8");
    let shown = r"a\nERROR forged\r\n\u{1b}[2J\u{85}\u{2028}\u{0}é";
    let (entry, rest) = text.split_once('\n').expect("an entry ends with its line");
    assert_eq!(rest, "");
    assert!(entry.contains(&format!("failed: {shown}")) && entry.contains(&format!("name={shown}")), "{entry}");
    assert!(entry.contains("quoted=\"") && entry.ends_with("n=5"), "{entry}");
    assert!(!entry.chars().any(|c| c.is_control() || c == '\u{2028}'), "{entry}");
}
