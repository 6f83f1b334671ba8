//! Durations and sizes as they are written.

use super::*;

#[test]
fn written_durations_are_exact_and_read_back() {
    for ns in [1, 999, 1_500_000, 90 * Timestamp::MINUTE, 15 * Timestamp::DAY + 1] {
        assert_eq!(parse_duration_ns(&format_duration_ns(ns)), Ok(ns));
    }
    assert_eq!(format_duration_ns(90 * Timestamp::MINUTE), "1h30m");
    assert_eq!(format_duration_ns(-500_000_000), "-500ms");
    assert_eq!(format_duration_ns(0), "0s");
}

#[test]
fn sizes_know_powers_of_ten_and_of_two() {
    assert_eq!("64MiB".parse(), Ok(ByteSize(64 << 20)));
    assert_eq!("1.5 kB".parse(), Ok(ByteSize(1500)));
    assert_eq!("12".parse(), Ok(ByteSize(12)));
    assert!("12 parsecs".parse::<ByteSize>().is_err());
    assert!("-1".parse::<ByteSize>().is_err());
    assert_eq!(ByteSize(1536 << 10).to_string(), "1.5 MiB");
}

#[test]
fn durations_may_combine_units() {
    assert_eq!(parse_duration_ns("1h30m"), Ok(90 * Timestamp::MINUTE));
    assert_eq!(parse_duration_ns("500ms"), Ok(500_000_000));
    assert!(parse_duration_ns("5").is_err());
    assert!(parse_duration_ns("").is_err());
    assert!(parse_duration_ns("5 parsecs").is_err());
}
