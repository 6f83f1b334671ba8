//! Histograms and their texts.

use super::*;

fn exponential() -> Histogram {
    Histogram {
        schema: 1,
        zero_threshold: 1e-128,
        zero_count: 2.0,
        count: 12.5,
        sum: -18.4,
        positive: vec![(1, 2.0), (3, 3.0), (9, 4.5)],
        negative: vec![(-7, 1.0)],
        ..Histogram::default()
    }
}

#[test]
fn histograms_come_back_from_their_text() {
    let text = r#"{"schema":1,"count":12.5,"sum":-18.4,"zero_threshold":1e-128,"zero_count":2,"positive":[[1,[2,0,3]],[9,[4.5]]],"negative":[[-7,[1]]]}"#;
    assert_eq!(exponential().to_text(), text);
    assert_eq!(Histogram::of_text(text), Some(exponential()));
    let custom = Histogram {
        schema: crate::CUSTOM_SCHEMA,
        count: 3.0,
        sum: f64::INFINITY,
        custom: Arc::from([-0.5, 1.0, 1e300]),
        positive: vec![(0, 1.0), (3, 2.0)],
        hint: ResetHint::Gauge,
        ..Histogram::default()
    };
    let text =
        r#"{"schema":-53,"count":3,"sum":"+Inf","custom":[-0.5,1,1e300],"positive":[[0,[1,0,0,2]]],"hint":"gauge"}"#;
    assert_eq!(custom.to_text(), text);
    assert_eq!(Histogram::of_text(text), Some(custom));
    let stale = Histogram { sum: f64::from_bits(STALE), ..Histogram::default() };
    assert_eq!(stale.to_text(), r#"{"schema":0,"count":0,"sum":"stale"}"#);
    assert!(Histogram::of_text(&stale.to_text()).is_some_and(|back| back.same(&stale)));
}

#[test]
fn other_texts_are_no_histograms() {
    let text = exponential().to_text();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert_eq!(Histogram::of_text(&text[..end]), None, "{end}");
    }
    for wrong in [
        r#"{"schema":0,"count":inf,"sum":0}"#,
        r#"{"schema":0,"count":1,"sum":0,"positive":[]}"#,
        r#"{"schema":0,"count":1,"sum":0,"positive":[[2147483647,[1,1]]]}"#,
        r#"{"schema":0,"count":1,"sum":0,"positive":[[5,[1]],[3,[1]]]}"#,
        r#"{"schema":0,"count":1,"sum":0,"hint":"often"}"#,
        r#"{"schema":60,"count":1,"sum":0}"#,
        r#"{"schema":0,"count":1,"sum":0}}"#,
        r#"{"schema":0, "count":1}"#,
    ] {
        assert_eq!(Histogram::of_text(wrong), None, "{wrong}");
    }
}
