//! Samples, histograms and exemplars of a series.

use super::*;

/// Returns a field whose content is bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

fn sample_of(value: f64, time: &[u8]) -> Vec<u8> {
    [&[VALUE_KEY], &value.to_le_bytes()[..], &[TIME_KEY], time].concat()
}

#[test]
fn one_sample_alone_is_read_as_among_others() {
    let minus_one = [&[0xff; 9][..], &[1]].concat();
    for (value, time, ms) in [(1.5, &[0][..], 0), (f64::NAN, &[0xff, 1], 255), (-0.0, &minus_one, -1)] {
        let message = sample_of(value, time);
        let (own_time, own_value) = only_sample(&field(2, &message)).expect("a sample");
        let (other_time, other_value) = sample(&message).expect("a sample");
        assert_eq!((own_time, own_value.to_bits()), (ms, value.to_bits()));
        assert_eq!((own_time, own_value.to_bits()), (other_time, other_value.to_bits()));
    }
}

#[test]
fn whatever_else_follows_labels_is_no_sample_alone() {
    let usual = field(2, &sample_of(1.0, &[5]));
    let time_first = [&[TIME_KEY, 5, VALUE_KEY], &1.0f64.to_le_bytes()[..]].concat();
    let others = [
        Vec::new(),
        usual[..usual.len() - 1].to_vec(),
        [&usual[..], &usual].concat(),
        [&usual[..], &field(3, b"")].concat(),
        field(2, &sample_of(1.0, &[])),
        field(2, &sample_of(1.0, &[5, 6])),
        field(2, &sample_of(1.0, &[0xff; 11])),
        field(2, &time_first),
        field(4, &sample_of(1.0, &[5])),
    ];
    for other in others {
        assert_eq!(only_sample(&other), None, "{other:?}");
    }
}

#[test]
fn exemplars_that_cannot_be_read_are_refused_by_themselves() {
    let budget = &mut DecodeBudget::of_body(100);
    let not_text = field(1, &field(2, b"\xff"));
    let refused = exemplar(&not_text, None, budget).expect("protobuf");
    assert_eq!(refused, Err("the value \"\u{fffd}\" of label \"\" is not UTF-8".to_owned()));
    let symbols: [&[u8]; 2] = [b"", b"trace_id"];
    let references = field(1, &[1, 7]);
    let refused = exemplar(&references, Some(&symbols), budget).expect("protobuf");
    assert_eq!(refused, Err("there is no symbol 7; the message has 2".to_owned()));
    assert!(exemplar(b"\x0a\x7f", None, budget).is_err(), "a field that is cut off is no protobuf");
}
