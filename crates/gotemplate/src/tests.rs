//! Go's own functions, comparisons, verbs and numbers, as Go has them.

use proptest::prelude::*;

use crate::{Dialect, Input, MapType, Template, Value, general};

static PLAIN: Dialect = Dialect {
    functions: &[],
    variables: &["$", "$m"],
    regex: |_| Err("no expressions".to_owned()),
    steps_max: 1_000,
    text_bytes_max: 100,
    lenient: None,
};

/// Values of `$` and `$m`.
struct Values([Value; 2]);

impl Input for Values {
    fn variables(&self) -> &[Value] {
        &self.0
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, String> {
        Err(format!("{name} is not known"))
    }
}

/// Fills in a template whose dot is a struct with the field `N`; returns the failure where it fails.
fn rendered(template: &str) -> String {
    let members = [("N".to_owned(), Value::Float(f64::NAN))];
    let dot = Value::map(MapType::Struct("*main.T"), members.into());
    let map = Value::map(MapType::Texts, [("a".to_owned(), "x".into())].into());
    let mut text = String::new();
    match Template::parse(template, &PLAIN).map(|read| read.run(&Values([dot, map]), &mut text)) {
        Err(problem) => format!("refused: {problem}"),
        Ok(Err(failure)) if failure.is_full => text + "…",
        Ok(Err(failure)) => failure.text("t"),
        Ok(Ok(())) => text,
    }
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(rendered(template), expected, "{template}");
}

#[test]
fn the_dot_and_variables_are_given() {
    check("{{ . }} {{ $ }} {{ $m }} {{ .N }} {{ $.N }}", "&{NaN} &{NaN} map[a:x] NaN NaN");
    check("{{ $m.a }}|{{ $m.b }}|{{ index $m \"b\" }}|{{ len $m }}", "x|||1");
    check(
        "{{ range $k, $v := $m }}{{ $k }}={{ $v }}{{ end }}{{ printf \"%q %T\" $m . }}",
        "a=xmap[\"a\":\"x\"] *main.T",
    );
    check("{{ with $m }}{{ .a }}{{ $.N }}{{ end }}", "xNaN");
    check(
        "{{ .Nothing }}",
        "template: t:1:3: executing \"t\" at <.Nothing>: can't evaluate field Nothing in type *main.T",
    );
}

#[test]
fn comparisons_are_those_of_go() {
    // `gt` and `ge` are the opposites of `le` and `lt`, also where a number is not one.
    check(
        "{{ lt .N 1.0 }} {{ le .N 1.0 }} {{ gt .N 1.0 }} {{ ge .N 1.0 }} {{ eq .N .N }}",
        "false false true true false",
    );
    for (template, problem) in [
        ("eq 1", "missing argument for comparison"),
        ("lt 1 true", "incompatible types for comparison"),
        ("lt true false", "invalid type for comparison"),
        ("lt $m 1", "invalid type for comparison"),
        ("eq $m 1", "non-comparable type in a comparison"),
        ("eq 1 \"1\"", "incompatible types for comparison"),
    ] {
        let function = &template[..2];
        let expected = format!("template: t:1:3: executing \"t\" at <{template}>: error calling {function}: {problem}");
        check(&format!("{{{{ {template} }}}}"), &expected);
    }
    check("{{ eq 2 1 2 }} {{ eq nil nil }} {{ ne nil 1 }}", "true true true");
}

#[test]
fn words_are_read_as_in_go() {
    check("{{ \"\\101\\x41\\u00e9\" }} {{ '\\n' }} {{ 0x1F }} {{ 1_000 }} {{ 010 }}", "AAé 10 31 1000 8");
    check("{{/* a /*/}}b", "b");
    check("{{ \"a\n\" }}", "refused: unterminated quoted string");
    check("{{ ''' }}", "refused: malformed character constant");
    check("{{ 1 ) }}", "refused: unexpected \")\" in action");
    check("{{ $a, $b := 1 }}", "refused: too many declarations");
    check("{{ 1 2 }}", "template: t:1:3: executing \"t\" at <1 2>: can't give argument to non-function");
    check("{{ if false }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", {
        "template: t:1:40: executing \"t\" at <$x>: undefined variable: $x"
    });
}

#[test]
fn verbs_are_those_of_go() {
    for (form, expected) in [
        ("\"%+q|%#v|%#q\" \"é\" \"a\" \"b\"", "\"\\u00e9\"|\"a\"|`b`"),
        ("\"% d|%+.1f|% x\" 5 1.25 \"ab\"", " 5|+1.2|61 62"),
        ("\"%v|%6v|%06.1f|%+v\" .N .N .N .N", "NaN|   NaN|   NaN|+NaN"),
        ("\"%05d|%-5d|%5t\" -42 -42 true", "-0042|-42  | true"),
        ("\"a%\"", "a%!(NOVERB)"),
        ("\"%s\" nil", "%!s(<nil>)"),
    ] {
        check(&format!("{{{{ printf {form} }}}}"), expected);
    }
}

#[test]
fn numbers_look_as_in_go() {
    for (number, n, expected) in [
        (0.0, None, "0"),
        (-0.0, None, "-0"),
        (100_000.0, None, "100000"),
        (1_234_567.0, None, "1.234567e+06"),
        (0.0001, None, "0.0001"),
        (0.00001, None, "1e-05"),
        (f64::INFINITY, None, "+Inf"),
        (f64::NAN, None, "NaN"),
        (999.96, Some(4), "1000"),
        (12_345.0, Some(4), "1.234e+04"),
        (0.125, Some(2), "0.12"),
        (-2.5, None, "-2.5"),
    ] {
        assert_eq!(general(number, n), expected, "{number}");
    }
}

#[test]
fn work_and_output_are_bounded() {
    check("{{ range 2000 }}{{ end }}", "template: t: template takes more than 1000 steps");
    check(&"é".repeat(51), &format!("{}…", "é".repeat(50)));
}

proptest! {
    #[test]
    fn no_text_ends_the_reader(text in "(\\{\\{|\\}\\}|[-|()$.,:= \"`'\\\\a-z0-9/*]){0,40}") {
        let _ = rendered(&text);
    }

    #[test]
    fn numbers_are_read_back(number in proptest::num::f64::NORMAL) {
        prop_assert_eq!(general(number, None).parse::<f64>().unwrap(), number);
    }
}
