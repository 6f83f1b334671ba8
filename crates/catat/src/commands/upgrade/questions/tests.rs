//! What two answers have in common.

use super::Comparison;

fn compared(old: Result<&str, &str>, new: Result<&str, &str>) -> (&'static str, String) {
    let owned = |answer: Result<&str, &str>| answer.map(str::to_owned).map_err(str::to_owned);
    let found = Comparison::of(Some(owned(old)), owned(new));
    (found.name(), found.detail())
}

#[test]
fn rows_are_equal_in_any_order_and_each_as_often() {
    assert_eq!(compared(Ok("1\n2\n"), Ok("2\n1\n")), ("equal", "2 rows".to_owned()));
    let twice = compared(Ok("1\n2\n"), Ok("1\n1\n2\n"));
    assert_eq!(twice, ("DIFFERENT", "2 rows, now 3; only before: nothing; only now: nothing".to_owned()));
    let other = compared(Ok("1\n2\n"), Ok("1\n3\n"));
    assert_eq!(other, ("DIFFERENT", "2 rows, now 2; only before: 2; only now: 3".to_owned()));
}

#[test]
fn a_refusal_is_equal_to_no_answer_and_never_counts_as_compared() {
    assert_eq!(compared(Err("no such command"), Err("no command boo")), ("refused", "no command boo".to_owned()));
    assert_eq!(compared(Ok(""), Err("no command boo")), ("DIFFERENT", "refused now: no command boo".to_owned()));
    let now = compared(Err("no command boo"), Ok("1"));
    assert_eq!(now, ("DIFFERENT", "answered now, refused before: no command boo".to_owned()));
    let alone = Comparison::of(None, Ok("1\n2\n".to_owned()));
    assert_eq!((alone.name(), alone.detail()), ("answered", "2 rows".to_owned()));
}
