//! Windows of an instant, and values merged from pieces.

use super::*;

fn segments(window_ns: i64, step_ns: i64, n_steps: usize) -> Segments {
    Segments { origin: 1, window_ns, step_ns, n_steps }
}

#[test]
fn an_instant_lies_in_the_windows_whose_segments_hold_it() {
    for (window_ns, step_ns) in [(5, 3), (3, 5), (6, 3), (3, 3), (1, 7), (7, 1)] {
        let segments = segments(window_ns, step_ns, 6);
        let range = segments.range();
        for at in range.from.0..range.to.0 {
            let bucket = |origin: i64| {
                let start = at - (at - origin).rem_euclid(step_ns);
                Some(Value::Timestamp(Timestamp(start)))
            };
            let row = [bucket(1), bucket(1 + window_ns % step_ns)];
            let index = segments.index(&row).expect("a segment");
            for step in 0..6 {
                let end = segments.end(step);
                let is_inside = end - window_ns < at && at <= end;
                assert_eq!(segments.window(step).contains(&index), is_inside, "{window_ns} {step_ns} {at} {step}");
            }
        }
    }
}

#[test]
fn a_queue_knows_the_merged_value_of_what_is_in_it() {
    for function in [RangeFunction::Sum, RangeFunction::Min, RangeFunction::First, RangeFunction::Last] {
        let mut queue = Queue { function, front: Vec::new(), back: Vec::new(), back_merged: None };
        let of = |index: usize| Summary { value: ((index * 7) % 5) as f64, count: 1.0, mean: 0.0 };
        for index in 0..40 {
            if index % 9 != 0 {
                queue.push(index, of(index));
            }
            let start = index.saturating_sub(index % 6);
            queue.drop_before(start);
            let all = (start..=index).filter(|index| index % 9 != 0).map(of);
            assert_eq!(queue.merged(), all.reduce(|a, b| a.merge(b, function)), "{function:?} {index}");
        }
    }
}

#[test]
fn variances_of_pieces_are_that_of_the_whole() {
    let of = |values: &[f64]| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let value = values.iter().map(|value| (value - mean).powi(2)).sum();
        Summary { value, count, mean }
    };
    let (left, right) = (of(&[1.0, 2.0, 7.0]), of(&[100.0, 3.5]));
    let (merged, whole) = (left.merge(right, RangeFunction::Variance), of(&[1.0, 2.0, 7.0, 100.0, 3.5]));
    assert!((merged.value - whole.value).abs() < 1e-9, "{merged:?} {whole:?}");
}
