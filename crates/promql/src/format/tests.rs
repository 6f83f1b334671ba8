//! Layouts of numbers as in Prometheus.

use super::format;

#[test]
fn layouts_are_those_of_prometheus() {
    let long = "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m])) / on(job) group_left sum by (job) (rate(http_requests_total[5m]))";
    let laid = "  sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m]))\n/ on (job) group_left ()\n  sum by (job) (rate(http_requests_total[5m]))";
    let cases = [
        (long, laid),
        ("sum(a)without(b,\"c.d\",)", "sum without (b, \"c.d\") (a)"),
        ("topk(3,{\"x.y\",z='\"'}offset -90s@1.5)", "topk(3, {__name__=\"x.y\",z=\"\\\"\"} @ 1.500 offset -1m30s)"),
        ("max_over_time((-a)[ 1w : 1h ] @ start())", "max_over_time((-a)[1w:1h] @ start())"),
        ("a==bool ignoring(b)group_right(c)fill_left(1)d", "a == bool ignoring (b) group_right (c) fill_left (1) d"),
        ("rate(a[5m*2+step()]@5 anchored)", "rate(a[5m * 2 + step()] anchored @ 5.000)".replace("5m", "300").leak()),
        ("2^-1^2*3 # squares", "2 ^ -1 ^ 2 * 3"),
    ];
    for (text, expected) in cases {
        assert_eq!(format(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn infinity_is_laid_out_with_its_sign() {
    assert_eq!(format("a>inf").as_deref(), Ok("a > +Inf"));
    assert_eq!(format("a > -Inf").as_deref(), Ok("a > -Inf"));
}
