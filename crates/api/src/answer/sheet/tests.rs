//! Times of one answer in every kind of sheet.

use execute::ColumnKind;
use types::Timestamp;

use super::*;

fn written(kind: Kind) -> String {
    let sheet = Sheet { kind, zone: Tz::Asia__Jakarta };
    let columns = ["@timestamp", "@message", "=n"];
    let column = |name: &&str| ColumnInfo { name: (*name).into(), kind: ColumnKind::Any, approximate: false };
    let columns: Vec<ColumnInfo> = columns.iter().map(column).collect();
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let instant = Timestamp::parse_rfc3339("2026-11-20T06:00:00.5Z").expect("a constant");
    let rows = [
        vec![Some(Value::Timestamp(instant)), Some(Value::text("a,\t\"b\"\n\u{1b}[31m")), Some(Value::Integer(-3))],
        vec![None, Some(Value::text("=1+1")), None],
    ];
    let mut out = sheet.head(&columns);
    rows.iter().for_each(|row| sheet.write_row(&names, row, &mut out));
    out
}

#[test]
fn every_kind_says_the_same_instants_with_their_offset() {
    let time = "2026-11-20T13:00:00.5+07:00";
    let csv = format!("@timestamp,@message,'=n\r\n{time},\"a,\t\"\"b\"\"\n\u{1b}[31m\",-3\r\n,'=1+1,\r\n");
    assert_eq!(written(Kind::Csv), csv);
    let tsv = format!("@timestamp\t@message\t=n\n{time}\ta,\\t\"b\"\\n\u{1b}[31m\t-3\n\t'=1+1\t\n");
    assert_eq!(written(Kind::Tsv), tsv);
    let first = format!(r#"{{"@timestamp":"{time}","@message":"a,\t\"b\"\n\u001b[31m","=n":-3}}"#);
    assert_eq!(written(Kind::Ndjson), format!("{first}\n{{\"@message\":\"=1+1\"}}\n"));
    assert_eq!(written(Kind::Text), format!("{time}  a,\t\"b\"\n\u{241b}[31m  =n=-3\n=1+1\n"));
}
