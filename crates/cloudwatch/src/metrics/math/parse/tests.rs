//! Precedence of operators, and places of mistakes.

use super::*;

/// Returns an expression with all parentheses.
fn shown(expression: &Expression) -> String {
    let list = |items: &[Expression]| items.iter().map(shown).collect::<Vec<_>>().join(",");
    match expression {
        Expression::Number(number) => number.to_string(),
        Expression::Text(text) => format!("{text:?}"),
        Expression::Word(word) => word.clone(),
        Expression::List(items) => format!("[{}]", list(items)),
        Expression::Negated(inner) => format!("-{}", shown(inner)),
        Expression::Binary(operator, left, right) => format!("({} {operator:?} {})", shown(left), shown(right)),
        Expression::Call(name, items) => format!("{name}({})", list(items)),
    }
}

#[test]
fn operators_bind_as_in_arithmetic() {
    for (text, expected) in [
        ("m1+m2*2", "(m1 Add (m2 Multiply 2))"),
        ("(m1+m2)/2 ^ 3", "((m1 Add m2) Divide (2 Power 3))"),
        ("m1 > 5 AND m2<=1e3 or m3", "(((m1 Greater 5) And (m2 LessOrEqual 1000)) Or m3)"),
        ("-m1^2", "-(m1 Power 2)"),
        ("IF(m1 == 0 && m2 != 1, [m1,m2], .5)", "IF(((m1 Equal 0) And (m2 Unequal 1)),[m1,m2],0.5)"),
        ("SUM(METRICS('err'))", "SUM(METRICS(\"err\"))"),
        ("order - 1", "(order Subtract 1)"),
    ] {
        assert_eq!(Expression::read(text).map(|read| shown(&read)), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn mistakes_have_their_place() {
    for (text, expected) in [
        ("", "a number, an id, a function, a list or \"(\" is expected (character 1)"),
        ("m1 +", "a number, an id, a function, a list or \"(\" is expected (character 5)"),
        ("(m1", "\")\" is expected (character 4)"),
        ("m1 m2", "the expression should end here (character 4)"),
        ("SUM([m1 m2])", "\",\" is expected (character 9)"),
        ("'m1", "the quote does not end (character 1)"),
        ("1.2.3", "\"1.2.3\" is not a number (character 1)"),
    ] {
        assert_eq!(Expression::read(text), Err(MathProblem(expected.to_owned())), "{text}");
    }
    let deep = "(".repeat(100_000);
    assert!(Expression::read(&deep).is_err());
    assert!(Expression::read(&"-".repeat(100_000)).is_err());
}
