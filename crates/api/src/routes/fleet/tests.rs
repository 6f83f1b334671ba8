//! What a month is said to cost.

use super::*;

#[test]
fn a_terabyte_and_a_million_requests_a_day_cost_what_the_list_says() {
    assert!((cost_per_day_usd(1e6, 0) - 5.0).abs() < 1e-9);
    assert!((cost_per_day_usd(0.0, 1_000_000_000_000) - 23.0 / 30.0).abs() < 1e-9);
}
