//! Labels as text and back; numbers that no column holds.

use std::borrow::Cow;

use proptest::prelude::*;
use types::Limits;

use super::*;

fn labels(pairs: &[(String, String)]) -> Result<SeriesLabels, String> {
    let pairs = pairs.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value)));
    SeriesLabels::new(pairs.chain([(Cow::Borrowed(METRIC_NAME), Cow::Borrowed("up"))]), &Limits::default())
}

proptest! {
    #[test]
    fn labels_of_any_text_are_read_back(pairs in proptest::collection::btree_map(".{1,8}", ".{1,8}", 0..6)) {
        let pairs: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| name != METRIC_NAME).collect();
        let made = labels(&pairs).expect("labels within the limits");
        let mut expected = pairs;
        expected.push((METRIC_NAME.to_owned(), "up".to_owned()));
        expected.sort();
        prop_assert_eq!(label_pairs(made.text()), Some(expected));
        let series = made.to_series().series;
        prop_assert!(series.is_of_labels() && **series.stream() == *made.text());
    }
}

#[test]
fn labels_that_cannot_name_a_series_are_refused_by_name() {
    let refusal = |name: &str, value: &str| labels(&[(name.to_owned(), value.to_owned())]).expect_err("a refusal");
    assert!(refusal("", "x").contains("1 to 500"));
    assert!(refusal("__name__", "down").contains("twice"));
    assert!(refusal("path", &"x".repeat(Limits::default().field_bytes_max + 1)).contains("\"path\""));
    let nameless = SeriesLabels::new([(Cow::Borrowed("job"), Cow::Borrowed("a"))], &Limits::default());
    assert!(nameless.expect_err("a refusal").contains("__name__"));
}

#[test]
fn numbers_that_no_column_holds_come_back_to_the_bit() {
    for number in [f64::from_bits(STALE_BITS), f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(number_of_text(text_of_number(number)).map(f64::to_bits), Some(number.to_bits()));
    }
    assert!(number_of_text(text_of_number(f64::NAN)).is_some_and(f64::is_nan));
    assert_eq!(number_of_text("1"), None);
}

#[test]
fn labels_keep_out_of_the_way_of_the_fields_of_samples() {
    let fields = ["__name__", "name", "label.x", "job", "@type"].map(|label| field_of_label(label).into_owned());
    assert_eq!(fields, ["name", "label.name", "label.label.x", "job", "label.@type"]);
}
