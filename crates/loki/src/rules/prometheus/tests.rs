//! Values as Prometheus writes them.

use super::*;

#[test]
fn values_look_as_in_prometheus() {
    let values = [json!(1), json!(0.25), json!(1234.5), json!(0), json!("+Inf")];
    assert_eq!(values.map(|value| value_text(&value)), ["1e+00", "2.5e-01", "1.2345e+03", "0e+00", "+Inf"]);
}
