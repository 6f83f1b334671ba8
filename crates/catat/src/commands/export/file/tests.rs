//! Rows are counted however the bytes are cut.

use super::*;

#[test]
fn rows_are_counted_by_line_ends_outside_of_quotes() {
    let table = b"a,b\r\n1,\"two\r\nlines\"\r\n2,\"a \"\"quoted\"\"\nword\"\r\n";
    for cut in 0..table.len() {
        let mut rows = Rows { is_csv: true, is_quoted: false, n: 0 };
        rows.count(&table[..cut]);
        rows.count(&table[cut..]);
        assert_eq!(rows.events(), 2, "{cut}");
    }
    let mut rows = Rows { is_csv: false, is_quoted: false, n: 0 };
    rows.count(b"{\"a\":\"\\\"\"}\n{}\n");
    assert_eq!(rows.events(), 2);
    assert_eq!(Rows { is_csv: true, is_quoted: false, n: 0 }.events(), 0, "an answer without a header");
}
