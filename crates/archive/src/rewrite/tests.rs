//! Documents and tables, in pieces of all sizes.

use std::io::{self, Read};

use super::{Documents, Rewrite, Rewritten, Table};

/// Gives a few bytes at a time.
struct Slow(Vec<u8>, usize, usize);

impl Read for Slow {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let n_bytes = place.len().min(self.2).min(self.0.len() - self.1);
        place[..n_bytes].copy_from_slice(&self.0[self.1..self.1 + n_bytes]);
        self.1 += n_bytes;
        Ok(n_bytes)
    }
}

/// The lines, and what is wrong at the end; the same in pieces of any size.
fn rewritten<R: Rewrite>(text: &str, rewrite: impl Fn() -> R) -> (String, Option<String>) {
    let read = |n_bytes: usize| {
        let slow = Slow(text.as_bytes().to_vec(), 0, n_bytes);
        let mut lines = Vec::new();
        let failure = Rewritten::new(Box::new(slow), rewrite()).read_to_end(&mut lines).err();
        (String::from_utf8(lines).expect("it is text"), failure.map(|error| error.to_string()))
    };
    let whole = read(usize::MAX);
    for n_bytes in [1, 2, 3, 7] {
        assert_eq!(read(n_bytes), whole, "{n_bytes} bytes at a time");
    }
    whole
}

fn documents(text: &str) -> (String, Option<String>) {
    assert!(Documents::are_in(text.as_bytes()), "{text}");
    rewritten(text, Documents::default)
}

fn table(name: &str, text: &str) -> (String, Option<String>) {
    rewritten(text, || Table::of(name, text.as_bytes()).expect("a table"))
}

#[test]
fn records_of_a_list_are_lines() {
    let (lines, failure) = documents("[\n {\"a\": 1, \"b\": \"x , ] } \\\" y\"},\n {\"c\": [1, {\"d\": null}]}\n]\n");
    assert_eq!(lines, "{\"a\":1,\"b\":\"x , ] } \\\" y\"}\n{\"c\":[1,{\"d\":null}]}\n");
    assert_eq!(failure, None);
    let (lines, failure) = documents("[{\"a\":1},2,\"t\",[3]] [] [{}]");
    assert_eq!((&*lines, failure), ("{\"a\":1}\n2\n\"t\"\n[3]\n{}\n", None));
}

#[test]
fn records_of_cloudtrail_are_lines() {
    let text = "{\"Records\": [{\"eventName\":\"A\"},{\"eventName\":\"B\"}], \"x\": {\"y\": \"]}\"}}";
    let expected = "{\"eventName\":\"A\"}\n{\"eventName\":\"B\"}\n";
    assert_eq!(documents(text), (expected.into(), None));
    // Files are joined.
    let (lines, failure) = documents(&format!("{text}\n{text}"));
    assert_eq!((lines, failure), (format!("{expected}{expected}"), None));
}

#[test]
fn a_list_that_breaks_off_is_named_and_its_whole_records_go_through() {
    let (lines, failure) = documents("{\"Records\":[{\"a\":1},{\"a\":2},{\"a\":");
    assert_eq!(lines, "{\"a\":1}\n{\"a\":2}\n");
    assert_eq!(failure.as_deref(), Some("the list of records breaks off"));
    let (lines, failure) = documents("[{\"a\":1}] and more");
    assert_eq!(lines, "{\"a\":1}\n");
    assert!(failure.expect("it is named").contains("no list of records"));
}

#[test]
fn what_is_no_list_of_records_is_left_as_it_is() {
    for text in ["[error] x", "[1,2]", "{\"Records\": 5}", "{\"a\":[{}]}", "", "[", "[ INFO ] {\"a\":1}"] {
        assert!(!Documents::are_in(text.as_bytes()), "{text}");
    }
}

#[test]
fn rows_are_lines_with_typed_values() {
    let text = "\u{feff}time,\"level\",n,ok,text\r\n2026-11-30T06:00:00Z,error,1,true,\"two\r\nlines, \"\"q\"\"\"\r\n\
                x,,-2.5,FALSE,\"\"\n,,007,12345678901234567890,1e5\n";
    let expected = "{\"time\":\"2026-11-30T06:00:00Z\",\"level\":\"error\",\"n\":1,\"ok\":true,\
                    \"text\":\"two\\r\\nlines, \\\"q\\\"\"}\n\
                    {\"time\":\"x\",\"n\":-2.5,\"ok\":false,\"text\":\"\"}\n\
                    {\"n\":\"007\",\"ok\":\"12345678901234567890\",\"text\":\"1e5\"}\n";
    assert_eq!(table("a.csv.gz", text), (expected.into(), None));
    let splunk = "\"_time\",\"_raw\"\n\"2026-11-20T06:00:00.000+0000\",\"a b\"\n";
    let expected = "{\"_time\":\"2026-11-20T06:00:00.000+0000\",\"@message\":\"a b\"}\n";
    assert_eq!(table("a.csv", splunk), (expected.into(), None));
    let tabs = "a\tb\n1\tx y\n";
    assert_eq!(table("a.tsv", tabs), ("{\"a\":1,\"b\":\"x y\"}\n".into(), None));
    assert_eq!(table("a.CSV", "a;b\n1;0.50\n2;-0"), ("{\"a\":1,\"b\":0.50}\n{\"a\":2,\"b\":\"-0\"}\n".into(), None));
}

#[test]
fn rows_that_do_not_fit_the_header_are_named_and_go_through() {
    let (lines, failure) = table("a.csv", "a,b\n1,2\n3\n\n4,5,6\n7,8\n");
    assert_eq!(lines, "{\"a\":1,\"b\":2}\n{\"a\":3}\n{\"a\":4,\"b\":5,\"column3\":6}\n{\"a\":7,\"b\":8}\n");
    assert!(
        failure
            .expect("it is named")
            .starts_with("2 rows have more or fewer cells than the 2 of the header, the first in line 3")
    );
    let (lines, failure) = table("a.csv", "a,b\n1,2\n3,\"4\n5,6\n");
    assert_eq!(lines, "{\"a\":1,\"b\":2}\n");
    assert!(failure.expect("it is named").contains("does not end"));
}

#[test]
fn what_has_no_header_is_no_table() {
    for text in ["2026-11-20 06:47:13.123 UTC,\"ann\"\n", "1,2\n", "a,,b\n", ""] {
        assert!(Table::of("a.csv", text.as_bytes()).is_none(), "{text}");
    }
    assert!(Table::of("a.log", b"a,b\n1,2\n").is_none());
}
