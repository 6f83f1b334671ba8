//! Counting codes gives what counting rows gives.

use std::sync::Arc;

use types::{BatchBuilder, BatchRun, GroupName, Run, Timestamp};

use super::{Asked, SECOND, hot, shown};

#[test]
fn counts_of_codes_and_counts_of_rows_agree() {
    let mut builder = BatchBuilder::new();
    for n in 0..9_000i64 {
        builder.set_timestamp(Timestamp(n / 7 * SECOND));
        builder.set_message("m");
        builder.field_integer("n", n);
        if n % 3 > 0 {
            builder.field_text("host", &format!("h{}", n * n % 11));
        }
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (20_000..29_000).collect();
    let some_missing = BatchRun::new(GroupName::new("g").expect("a valid name"), 2, Arc::new(batch));
    let runs: [Arc<dyn Run>; 2] = [hot(0, 5_000), Arc::new(some_missing)];
    for by in ["host", "bin(5m) as t, host", "host, bin(5m) as t", "bin(1s) as t, host", "bin(5m) as t, @level"] {
        let fields = by.replace("bin(5m) as ", "").replace("bin(1s) as ", "");
        let answer = |aggregates: &str| {
            let text = format!("stats {aggregates} by {by} | fields {fields}, c | sort c desc, {fields} | limit 10000");
            shown(&Asked::default().answer(&text, &runs).expect("an answer"))
        };
        let counted = answer("count(*) as c");
        assert_eq!(counted, answer("count(*) as c, sum(n) as s"), "{by}");
        assert!(counted.len() > 5, "{by}");
    }
}
