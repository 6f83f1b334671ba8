//! Values as senders of JSON write them, and broken ones.

use types::{GroupName, GroupScope};

use super::*;
use crate::house::{House, sender};

impl House {
    /// Returns the number of accepted events, and the numbers of rejected ones.
    fn send_values(&self, body: &str, form: ValuesForm) -> Result<(u64, Vec<usize>), IngestError> {
        let target = LogTarget { group: GroupName::new("app").unwrap(), stream: "s".into() };
        let body = (body.as_bytes(), Encoding::Identity);
        let answer = ingest_values(&self.intake, body, form, &target, &sender(&GroupScope::All))?;
        Ok((answer.accepted, answer.rejected.iter().map(|one| one.line).collect()))
    }
}

#[test]
fn a_line_is_a_value_of_any_kind() {
    let house = House::new();
    let body = "{\"message\":\"a\",\"timestamp\":1795175700000}\r\n\n[{\"message\":\"b\"},\"c\",[1]]\n\"d \\u00e9\"\n42\ntrue\nnull\nx y\n{\"z\":\n[1,\n";
    assert_eq!(house.send_values(body, ValuesForm::Lines).unwrap(), (9, vec![8, 9, 10]));
    let again = house.send_values(body, ValuesForm::Lines).unwrap();
    assert_eq!(again.1, [8, 9, 10]);
    assert_eq!(house.events(&["@message", "@log", "@logStream"]).len(), 9);
    let texts = ["1", "42", "[1]", "a", "b", "c", "d é", "null", "true"].map(|text| format!("{text} | app | s"));
    assert_eq!(house.events(&["@message", "@log", "@logStream"]), texts);
}

#[test]
fn a_body_is_an_object_or_a_list_of_objects() {
    let house = House::new();
    let send = |body: &str| house.send_values(body, ValuesForm::Objects);
    assert_eq!(send(" {\"message\":\"a\"} ").unwrap(), (1, vec![]));
    assert_eq!(send("[{\"message\":\"b\"},\"c\",{\"message\":\"d\"},[]]").unwrap(), (2, vec![2, 4]));
    assert_eq!(send("[]").unwrap(), (0, vec![]));
    assert_eq!(send("\"hello\"").unwrap(), (0, vec![1]));
    assert_eq!(send("{\"message\":\"e\"}{\"message\":\"f\"}").unwrap(), (0, vec![1]));
    assert!(send("[{\"message\":\"g\"}").is_err() && send("[{\"message\":\"g\"}] x").is_err());
    assert_eq!(house.events(&["@message"]), ["a", "b", "d"]);
}
