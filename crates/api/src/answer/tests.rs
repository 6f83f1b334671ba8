//! Forms of answers: JSON, NDJSON, CSV.

use execute::ColumnKind;

use super::*;

fn answer(n_rows: usize) -> Answer {
    let column = |name: &str, kind| ColumnInfo { name: name.into(), kind, approximate: false };
    let row = |i: usize| vec![Some(Value::Integer(i as i64)), Some(Value::text("a \"b\", c"))];
    Answer {
        columns: vec![column("n", ColumnKind::Integer), column("t,1", ColumnKind::String)],
        rows: (0..n_rows).map(row).collect(),
        ids: Some((0..n_rows).map(|i| format!("id{i}")).collect()),
        more: false,
        ..Answer::default()
    }
}

fn text(form: Form, n_rows: usize) -> (String, usize) {
    let pieces: Vec<Bytes> = Pieces::new(form, answer(n_rows), Map::new()).collect();
    let bytes = pieces.concat();
    (String::from_utf8(bytes).expect("answers are UTF-8"), pieces.len())
}

#[test]
fn an_answer_of_many_pieces_is_one_json_object() {
    for n_rows in [0, 1, 2, 20_000] {
        let (text, n_pieces) = text(Form::Json, n_rows);
        let json: Json = serde_json::from_str(&text).expect("valid JSON");
        assert_eq!(json["rows"].as_array().map(Vec::len), Some(n_rows));
        assert_eq!(json["ids"].as_array().map(Vec::len), Some(n_rows));
        assert_eq!(json["partial"], false);
        assert_eq!(n_pieces > 1, n_rows > 1000);
    }
}

#[test]
fn ndjson_has_columns_first_and_statistics_last() {
    let (text, _) = text(Form::Ndjson, 2);
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("valid JSON")).collect();
    assert_eq!(lines[0]["columns"][1]["type"], "string");
    assert_eq!(lines[2], json!([1, "a \"b\", c"]));
    assert_eq!(lines[3]["stats"]["events_scanned"], 0);
    assert_eq!(lines.len(), 4);
}

#[test]
fn csv_quotes_what_it_must() {
    assert_eq!(text(Form::Csv(Formulas::Disarmed), 1).0, "n,\"t,1\"\r\n0,\"a \"\"b\"\", c\"\r\n");
}

#[test]
fn the_first_form_named_is_taken() {
    assert_eq!(Form::of_accept("*/*"), Form::Json);
    assert_eq!(Form::of_accept("text/csv; q=0.9, application/json"), Form::Csv(Formulas::Disarmed));
    assert_eq!(Form::of_accept("text/csv; Raw=TRUE"), Form::Csv(Formulas::Kept));
    assert_eq!(Form::of_accept("application/x-ndjson"), Form::Ndjson);
}
