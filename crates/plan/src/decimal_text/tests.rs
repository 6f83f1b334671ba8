//! Decimals beside those of Java.

use super::*;

#[test]
fn decimals_are_written_as_java_writes_them() {
    for (number, text) in
        [(3.0, "3.0"), (-0.5, "-0.5"), (1e7, "1.0E7"), (1.5e10, "1.5E10"), (1e-4, "1.0E-4"), (0.0, "0.0")]
    {
        assert_eq!(decimal_text(number), text);
    }
}
