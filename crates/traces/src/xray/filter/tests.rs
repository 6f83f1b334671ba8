//! Reading, writing and evaluating filters.

mod plain;
mod show;

use plan::Comparison;
use proptest::prelude::*;

use self::plain::{WORDS, holds, plainly, rows, trace};
use self::show::shown;
use super::candidates::conditions;
use super::evaluate::matches;
use super::parse::{FILTER_BYTES_MAX, parse};
use super::{AnnotationTest, Filter, Node, NumberKey, Outcome, TextKey, TextTest};
use crate::xray::segments::Segments;

fn check(text: &str, expected: &str) {
    let found = match parse(text) {
        Ok(filter) => shown(&filter),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn examples_of_the_developer_guide_are_read() {
    check("responsetime > 5", "responsetime > 5");
    check("duration >= 5 AND duration <= 8", "(duration >= 5 AND duration <= 8)");
    check("ok !partial duration <3", "(ok = true AND !(partial = true) AND duration < 3)");
    check("ok = false", "ok = false");
    check("http.status != 200", "http.status != 200");
    check(r#"http.url CONTAINS "/api/game/""#, r#"http.url CONTAINS "/api/game/""#);
    check(r#"user CONTAINS """#, r#"user CONTAINS """#);
    check(r#"service("api.example.com") { fault }"#, r#"service(id(name: "api.example.com")) {fault = true}"#);
    check("service() { fault }", "service() {fault = true}");
    check(r#"edge("a", "b") { error }"#, r#"edge(id(name: "a"), id(name: "b")) {error = true}"#);
    check(
        r#"http.url BEGINSWITH "http://api/" AND http.url CONTAINS "/v2/" AND !service("api")"#,
        r#"(http.url BEGINSWITH "http://api/" AND http.url CONTAINS "/v2/" AND !(service(id(name: "api"))))"#,
    );
    check(r#"annotation.gameid = "817DL6VO""#, r#"annotation[gameid] = "817DL6VO""#);
    check("annotation[age] > 29", "annotation[age] > 29");
    check(
        r#"service("api") { fault = true OR responsetime > 2.5 } AND annotation.account = "12345""#,
        r#"(service(id(name: "api")) {(fault = true OR responsetime > 2.5)} AND annotation[account] = "12345")"#,
    );
    check(
        r#"service(id(name: "random-name", type:"AWS::Lambda::Function")) { error }"#,
        r#"service(id(name: "random-name", type: "AWS::Lambda::Function")) {error = true}"#,
    );
}

#[test]
fn words_bind_as_usual_and_in_any_case() {
    check("ok OR fault error", "(ok = true OR (fault = true AND error = true))");
    check("(ok or FAULT) and Error", "((ok = true OR fault = true) AND error = true)");
    check("!!ok !!!fault", "(ok = true AND !(fault = true))");
    check(r#"fault = "true" error != true"#, "(fault = true AND error = false)");
    check(r#"user = "a\"b\\" "#, r#"user = "a\"b\\""#);
    check(
        "annotation[http.route] = 1 annotation.a.b != false",
        "(annotation[http.route] = 1 AND annotation[a.b] = true)",
    );
    check("http.status = -1.5e2", "http.status = -150");
}

#[test]
fn mistakes_are_named_with_their_places() {
    check(
        "responsetime >",
        "the filter expression ends too early at 1:15; write a condition such as responsetime > 5, fault or service(\"NAME\")",
    );
    check("ok AND\nrespnsetime > 5", "there is no keyword respnsetime at 2:1; did you mean responsetime?");
    check("rootcause.fault.service { name = \"x\" }", "the keyword rootcause.fault.service is not supported at 1:1");
    check("group.name = \"slow\"", "the keyword group.name is not supported at 1:1");
    check("json(\"{}\")", "the keyword json is not supported at 1:1");
    check("ok AND user = 'ann'", "\"'\" cannot be read here at 1:15; texts have double quotes");
    check("user = \"ann", "\"\\\"\" cannot be read here at 1:8; the text has no closing quote");
    check(
        "duration = \"5\"",
        "duration cannot be compared like this at 1:1; write duration > NUMBER, with =, !=, <, <=, > or >=",
    );
    check(
        "duration CONTAINS 5",
        "duration cannot be compared like this at 1:1; write duration > NUMBER, with =, !=, <, <=, > or >=",
    );
    check(
        "duration > 1e999",
        "duration cannot be compared like this at 1:1; write duration > NUMBER, with =, !=, <, <=, > or >=",
    );
    check(
        "user > \"a\"",
        "user cannot be compared like this at 1:1; write user CONTAINS \"TEXT\", with =, !=, CONTAINS, BEGINSWITH or ENDSWITH",
    );
    check("fault > true", "fault cannot be compared like this at 1:1; write fault, !fault or fault = true");
    check(
        "annotation.key",
        "annotation \"key\" is not compared at 1:1; compare it: annotation[KEY] = \"TEXT\", = NUMBER or = true",
    );
    check("edge(\"a\") {fault}", "edge() takes two services, not 1 at 1:1");
    check("service(\"a\", \"b\")", "service() takes at most one service, not 2 at 1:1");
    check(
        "service(\"a\") { service(\"b\") }",
        "service() cannot be used inside the braces of a service or an edge at 1:16; join them outside with AND",
    );
    check("service(id(arn: \"x\"))", "id() has no part \"arn\" here at 1:12; write id(name: \"NAME\", type: \"TYPE\")");
    let deep = "(".repeat(40) + "ok" + &")".repeat(40);
    check(&deep, "brackets are nested more than 32 deep at 1:33");
    let long = "ok ".repeat(FILTER_BYTES_MAX);
    assert_eq!(parse(&long).expect_err("too long").code, "query-too-long");
    assert!(parse(&"!".repeat(FILTER_BYTES_MAX)).is_err());
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => Just(String::new()), 1 => Just("a".to_owned())]
}

fn orders() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn text_tests() -> impl Strategy<Value = TextTest> {
    use TextTest::*;
    (0..5, texts()).prop_map(|(kind, text)| match kind {
        0 => Equal(text),
        1 => NotEqual(text),
        2 => Contains(text),
        3 => BeginsWith(text),
        _ => EndsWith(text),
    })
}

fn simple() -> BoxedStrategy<Filter> {
    let outcomes =
        prop::sample::select(vec![Outcome::Ok, Outcome::Error, Outcome::Throttle, Outcome::Fault, Outcome::Partial]);
    let numbers = prop::sample::select(vec![
        (NumberKey::ResponseTime, 2.0),
        (NumberKey::Duration, 3.0),
        (NumberKey::ResponseTime, 0.5),
        (NumberKey::HttpStatus, 404.0),
        (NumberKey::HttpStatus, 429.0),
    ]);
    let keys = prop::sample::select(vec![TextKey::HttpUrl, TextKey::User, TextKey::Name]);
    let annotations = prop_oneof![
        (orders(), prop::sample::select(vec![7.0, 3.0]))
            .prop_map(|(order, number)| AnnotationTest::Number(order, number)),
        text_tests().prop_map(AnnotationTest::Text),
        any::<bool>().prop_map(AnnotationTest::Boolean),
    ];
    prop_oneof![
        (outcomes, any::<bool>()).prop_map(|(outcome, is)| Filter::Outcome(outcome, is)),
        (numbers, orders()).prop_map(|((key, number), order)| Filter::Number(key, order, number)),
        (keys, text_tests()).prop_map(|(key, test)| Filter::Text(key, test)),
        (prop::sample::select(vec!["k", "kind"]), annotations)
            .prop_map(|(name, test)| Filter::Annotation(name.into(), test)),
    ]
    .boxed()
}

fn joined(inner: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    inner
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
        .boxed()
}

fn nodes() -> impl Strategy<Value = Node> {
    let kinds = prop_oneof![4 => Just(None), 1 => Just(Some("remote".to_owned()))];
    (prop::sample::select(&WORDS[..]), kinds).prop_map(|(name, kind)| Node { name: Some(name.to_owned()), kind })
}

fn filters() -> BoxedStrategy<Filter> {
    let within = || prop::option::of(joined(simple()).prop_map(Box::new));
    let any_node = prop_oneof![1 => Just(Node::default()), 2 => nodes()];
    joined(
        prop_oneof![
            3 => simple(),
            1 => (any_node, within()).prop_map(|(node, filter)| Filter::Service(node, filter)),
            1 => (nodes(), nodes(), within()).prop_map(|(from, to, filter)| Filter::Edge(from, to, filter)),
        ]
        .boxed(),
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_filter(filter in filters()) {
        prop_assert_eq!(parse(&shown(&filter)), Ok(filter));
    }

    #[test]
    fn filters_are_evaluated_as_they_are_described(filter in filters(), rows in rows()) {
        let trace = trace(&rows);
        let found = matches(&filter, &Segments::of(&trace));
        prop_assert_eq!(found, plainly(&filter, &rows, None), "{}", shown(&filter));
        for condition in conditions(&filter).into_iter().filter(|_| found) {
            prop_assert!(trace.spans.iter().any(|span| holds(&condition, span)), "{} by {condition:?}", shown(&filter));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([a-z]{1,9}|[(){}!=<>\"\\[\\]:,. ]|AND|OR|service\\(|annotation\\.|CONTAINS|-?[0-9.]{1,5}|é){0,20}") {
        if let Ok(filter) = parse(&text) {
            prop_assert_eq!(parse(&shown(&filter)), Ok(filter));
        }
    }
}

#[test]
fn selective_conditions_are_chosen() {
    let chosen = |text: &str| format!("{:?}", conditions(&parse(text).expect(text)));
    assert!(chosen("fault AND annotation.customer = \"acme\"").contains("customer"));
    assert!(chosen("annotation.paid = true AND annotation.customer = \"acme\" AND service(\"pay\")").contains("acme"));
    let n_conditions = |text: &str| conditions(&parse(text).expect(text)).len();
    assert_eq!(n_conditions("annotation.paid = true AND fault AND responsetime > 1 AND service(\"pay\")"), 3);
    assert_eq!(n_conditions("annotation.customer = \"acme\" AND fault"), 1);
    for (text, words) in [
        ("service(\"pay\") {fault}", ["peer.service", "aws.xray.fault"]),
        ("!ok AND responsetime > 1", ["aws.xray.error", "duration_ms"]),
    ] {
        assert!(words.iter().all(|word| chosen(text).contains(word)), "{text}: {}", chosen(text));
    }
    assert!(chosen("annotation.a = 1 OR annotation.b = 2").contains("Or"));
    for any in [
        "ok", "!fault", "!!ok", "!annotation.a = 1", "duration > 5", "annotation.a = 1 OR ok", "service()",
        "responsetime < 1",
    ] {
        assert_eq!(chosen(any), "[]", "{any}");
    }
}
