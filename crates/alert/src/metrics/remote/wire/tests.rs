//! Requests as Prometheus reads them.

use super::*;

#[test]
fn a_request_is_as_prometheus_reads_it() {
    let labels = vec![("le".to_owned(), "1".to_owned()), ("B".into(), "x".into()), ("none".into(), String::new())];
    let exemplar = Exemplar { id: "0af7".into(), value: 0.5, at: Timestamp(1_250_000_000) };
    let exemplar = Some(("trace_id".to_owned(), exemplar));
    let sample = NamedSample { name: "m_bucket".into(), labels, value: 2.0, exemplar };
    let body = request(&[sample], "h:1", Timestamp(1_500_000_000));
    let plain = snap::raw::Decoder::new().decompress_vec(&body).expect("snappy");
    let mut expected: Vec<u8> = Vec::new();
    for (name, text) in [("B", "x"), ("__name__", "m_bucket"), ("instance", "h:1"), ("job", "catat"), ("le", "1")] {
        let label = [&[0x0a, name.len() as u8], name.as_bytes(), &[0x12, text.len() as u8], text.as_bytes()].concat();
        expected.extend([0x0a, label.len() as u8]);
        expected.extend(label);
    }
    expected.extend([0x12, 12, 0x09]);
    expected.extend(2.0f64.to_le_bytes());
    // 1,500 milliseconds.
    expected.extend([0x10, 0xdc, 0x0b]);
    expected.extend([0x1a, 0x1e, 0x0a, 16, 0x0a, 8]);
    expected.extend(b"trace_id\x12\x040af7\x11");
    expected.extend(0.5f64.to_le_bytes());
    // 1,250 milliseconds.
    expected.extend([0x18, 0xe2, 0x09]);
    assert!(expected.len() < 128);
    assert_eq!(plain, [&[0x0a, expected.len() as u8], expected.as_slice()].concat());
}

#[test]
fn a_page_is_read_as_it_was_written() {
    let page = "# HELP a b\n# TYPE a counter\na 1\nb{x=\"1 \\\"{,\\\\\\n\",y=\"\"} 2.5\nc{le=\"+Inf\"} +Inf\nd NaN\n";
    let found = samples_of_page(page);
    let b = vec![("x".to_owned(), "1 \"{,\\\n".to_owned()), ("y".to_owned(), String::new())];
    let named = |name: &str, labels, value| NamedSample { name: name.into(), labels, value, exemplar: None };
    let c = vec![("le".to_owned(), "+Inf".to_owned())];
    assert_eq!(found, [named("a", vec![], 1.0), named("b", b, 2.5), named("c", c, f64::INFINITY)]);
}
