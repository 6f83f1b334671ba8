//! Rules over states of alarms, and mistakes in them.

use super::*;

fn holds(text: &str) -> bool {
    let states = [("a", AlarmState::Alarm), ("b c", AlarmState::Ok), ("d", AlarmState::InsufficientData)];
    let state_of = |name: &str| states.iter().find(|(known, _)| *known == name).map(|(_, state)| *state);
    CompositeRule::read(text).expect(text).holds(&state_of)
}

#[test]
fn rules_hold_by_the_states_of_alarms() {
    for (text, expected) in [
        ("ALARM(a)", true),
        ("ALARM(\"b c\")", false),
        ("OK('b c') AND INSUFFICIENT_DATA(d)", true),
        ("OK(b c)", true),
        ("alarm(arn:aws:cloudwatch:eu-central-1:000000000000:alarm:a)", true),
        ("NOT ALARM(a) OR OK(a)", false),
        ("ALARM(a) OR ALARM(d) AND ALARM(\"b c\")", true),
        ("(ALARM(a) OR ALARM(d)) AND ALARM(\"b c\")", false),
        ("NOT (ALARM(d) OR FALSE)", true),
        ("NOT NOT TRUE", true),
        ("ALARM(nowhere)", false),
        ("AT_LEAST(1, ALARM, (a, b c, d))", true),
        ("AT_LEAST(2, ALARM, (a, b c, d))", false),
        ("at_least(2,not alarm,(a,\"b c\",arn:aws:cloudwatch:eu-central-1:000000000000:alarm:d))", true),
        ("AT_LEAST(3, NOT ALARM, (a, 'b c', d))", false),
        ("AT_LEAST(33%, OK, (a, b c, d))", true),
        ("AT_LEAST(34%, OK, (a, b c, d))", false),
        ("AT_LEAST(50 %, NOT OK, (a, b c, d)) AND NOT AT_LEAST(100%, NOT OK, (a, b c, d))", true),
        ("AT_LEAST(1, INSUFFICIENT_DATA, (d)) AND ALARM(a)", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
    let rule = CompositeRule::read("ALARM(a) AND (OK(b) OR NOT ALARM(a))").unwrap();
    assert_eq!(rule.names().into_iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn mistakes_have_their_place_and_deep_nesting_an_end() {
    for (text, expected) in [
        ("", "is expected (character 1)"),
        ("ALARM", "\"(\" is expected (character 6)"),
        ("ALARM()", "the name of an alarm is missing (character 7)"),
        ("ALARM(a", "\")\" is expected (character 8)"),
        ("ALARM(\"a)", "the quote does not end (character 7)"),
        ("ALARM(a) ALARM(b)", "AND, OR or the end of the rule is expected (character 10)"),
        ("ALARMED(a)", "is expected (character 1)"),
        ("ALARM(a) AND", "is expected (character 13)"),
        ("(ALARM(a)", "\")\" is expected (character 10)"),
        ("é", "is expected (character 1)"),
        ("AT_LEAST(two, OK, (a))", "a number or a percentage is expected (character 10)"),
        ("AT_LEAST(2 OK, (a))", "\",\" is expected (character 12)"),
        ("AT_LEAST(1, UP, (a))", "ALARM, OK or INSUFFICIENT_DATA is expected (character 13)"),
        ("AT_LEAST(1, OK, a)", "\"(\" is expected (character 17)"),
        ("AT_LEAST(1, OK, (a, ))", "the name of an alarm is missing (character 21)"),
        ("AT_LEAST(3, OK, (a, b))", "AT_LEAST needs a number from 1 to 2 (character 10)"),
        ("AT_LEAST(101%, OK, (a, b))", "AT_LEAST needs a number from 1% to 100% (character 10)"),
        ("AT_LEAST(0, OK, (a, b))", "AT_LEAST needs a number from 1 to 2 (character 10)"),
        ("AT_LEAST(1, OK, (a, b)", "\")\" is expected (character 23)"),
    ] {
        let error = CompositeRule::read(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    for opening in ["(", "NOT ", "(NOT "] {
        let deep = format!("{}TRUE", opening.repeat(100_000));
        let error = CompositeRule::read(&deep).unwrap_err();
        assert!(error.contains("nested more than 64 deep"), "{error}");
    }
    let wide = vec!["(TRUE)"; 1_000].join(" AND ");
    assert!(CompositeRule::read(&wide).is_ok(), "width is no depth");
    let many: Vec<String> = (0..101).map(|number| format!("OK(a{number})")).collect();
    assert!(CompositeRule::read(&many.join(" OR ")).unwrap_err().contains("101 alarms"));
}
