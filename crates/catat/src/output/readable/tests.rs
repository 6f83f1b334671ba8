//! Cells and what people see of them.

use super::*;

#[test]
fn people_see_fewer_digits() {
    let shown = |cell: &str, kind| readable(cell.to_owned(), &Column { kind, ..Column::named("n") });
    for (cell, expected) in [
        ("87.02135231316726", "87.0214"),
        ("1405", "1405"),
        ("1405.0", "1405"),
        ("123456789.5", "123456790"),
        ("-0.40583333", "-0.40583"),
        ("0.0000123456789", "1.23457e-5"),
        ("0.0", "0"),
        ("\"12.3456789123\"", "\"12.3456789123\""),
        ("null", "null"),
    ] {
        assert_eq!(shown(cell, Kind::Other), expected, "{cell}");
    }
    assert_eq!(shown("\"2026-11-20T06:47:13.123456789+01:00\"", Kind::Time), "\"2026-11-20T06:47:13.123+01:00\"");
    assert_eq!(shown("\"2026-11-20T06:47:13.12Z\"", Kind::Time), "\"2026-11-20T06:47:13.12Z\"");
    assert_eq!(shown("171239", Kind::Bytes), "\"167.2 KiB\"");
    assert_eq!(shown("0.405833", Kind::Share), "\"40.6 %\"");
}
