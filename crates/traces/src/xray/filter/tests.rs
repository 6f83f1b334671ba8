use std::fmt::Write;

use plan::{Comparison, Expr, Name};
use proptest::prelude::*;
use types::{Timestamp, Value};

use super::candidates::condition;
use super::evaluate::matches;
use super::parse::{FILTER_BYTES_MAX, parse};
use super::{AnnotationTest, Filter, Node, NumberKey, Order, Outcome, TextKey, TextTest};
use crate::read::Trace;
use crate::span::Span;
use crate::tree::Tree;
use crate::xray::segments::Segments;

fn check(text: &str, expected: &str) {
    let found = match parse(text) {
        Ok(filter) => shown(&filter),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text}");
}

/// Writes a filter in a canonical form, which reads as the same filter.
fn shown(filter: &Filter) -> String {
    let list = |filters: &[Filter], word: &str| {
        let parts: Vec<String> = filters.iter().map(shown).collect();
        format!("({})", parts.join(word))
    };
    let braces = |filter: &Option<Box<Filter>>| filter.as_ref().map_or(String::new(), |f| format!(" {{{}}}", shown(f)));
    match filter {
        Filter::All(filters) => list(filters, " AND "),
        Filter::Any(filters) => list(filters, " OR "),
        Filter::Not(filter) => format!("!({})", shown(filter)),
        Filter::Outcome(outcome, is) => format!("{} = {is}", format!("{outcome:?}").to_lowercase()),
        Filter::Number(key, order, number) => {
            let key = match key {
                NumberKey::ResponseTime => "responsetime",
                NumberKey::Duration => "duration",
                NumberKey::HttpStatus => "http.status",
            };
            format!("{key} {} {number}", sign(*order))
        }
        Filter::Text(key, test) => {
            let key = match key {
                TextKey::HttpUrl => "http.url",
                TextKey::HttpMethod => "http.method",
                TextKey::HttpUserAgent => "http.useragent",
                TextKey::HttpClientIp => "http.clientip",
                TextKey::User => "user",
                TextKey::Name => "name",
                TextKey::InstanceId => "instance.id",
                TextKey::AvailabilityZone => "availabilityzone",
            };
            format!("{key} {}", text_shown(test))
        }
        Filter::Annotation(name, test) => {
            let test = match test {
                AnnotationTest::Number(order, number) => format!("{} {number}", sign(*order)),
                AnnotationTest::Text(test) => text_shown(test),
                AnnotationTest::Boolean(is) => format!("= {is}"),
            };
            format!("annotation[{name}] {test}")
        }
        Filter::Service(node, filter) => {
            let node = if *node == Node::default() { String::new() } else { node_shown(node) };
            format!("service({node}){}", braces(filter))
        }
        Filter::Edge(from, to, filter) => format!("edge({}, {}){}", node_shown(from), node_shown(to), braces(filter)),
    }
}

fn sign(order: Order) -> &'static str {
    match order {
        Order::Equal => "=",
        Order::NotEqual => "!=",
        Order::Less => "<",
        Order::LessOrEqual => "<=",
        Order::Greater => ">",
        Order::GreaterOrEqual => ">=",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn text_shown(test: &TextTest) -> String {
    match test {
        TextTest::Equal(text) => format!("= {}", quoted(text)),
        TextTest::NotEqual(text) => format!("!= {}", quoted(text)),
        TextTest::Contains(text) => format!("CONTAINS {}", quoted(text)),
        TextTest::BeginsWith(text) => format!("BEGINSWITH {}", quoted(text)),
        TextTest::EndsWith(text) => format!("ENDSWITH {}", quoted(text)),
    }
}

fn node_shown(node: &Node) -> String {
    let mut parts = Vec::new();
    parts.extend(node.name.as_ref().map(|name| format!("name: {}", quoted(name))));
    parts.extend(node.kind.as_ref().map(|kind| format!("type: {}", quoted(kind))));
    format!("id({})", parts.join(", "))
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

const WORDS: [&str; 4] = ["api", "pay", "a\"b", "7"];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => Just(String::new()), 1 => Just("a".to_owned())]
}

fn orders() -> impl Strategy<Value = Order> {
    use Order::*;
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

/// A segment as a person would write it down: a service that was called by another, and its only span.
#[derive(Clone, Debug)]
struct Row {
    service: usize,
    /// The row of the caller, before this one.
    caller: Option<usize>,
    seconds: i64,
    status: Option<i64>,
    is_failed: bool,
    is_open: bool,
    user: Option<usize>,
    annotation: Option<Value>,
    /// Whom it calls without an answer.
    calls: Option<usize>,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        (0..WORDS.len(), any::<prop::sample::Index>(), 0..4_i64),
        prop::option::of(prop::sample::select(vec![200_i64, 404, 429, 503])),
        (any::<bool>(), prop::bool::weighted(0.1)),
        prop::option::of(0..WORDS.len()),
        prop::option::of(prop_oneof![
            Just(Value::Integer(7)),
            Just(Value::Float(3.5)),
            Just(Value::text("api")),
            Just(Value::Boolean(true))
        ]),
        prop::option::weighted(0.3, 0..WORDS.len()),
    );
    prop::collection::vec(row, 1..5).prop_map(|rows| {
        let row = |(index, ((service, caller, seconds), status, (is_failed, is_open), user, annotation, calls)): (
            usize,
            (_, _, _, _, _, _),
        )| {
            let caller: prop::sample::Index = caller;
            let caller = (index > 0).then(|| caller.index(index.max(1)));
            Row { service, caller, seconds, status, is_failed, is_open, user, annotation, calls }
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn trace(rows: &[Row]) -> Trace {
    let span = |index: usize, fields: Vec<(&str, Value)>| {
        let mut all = vec![
            (Name::from("trace_id"), Value::text("0".repeat(31) + "1")),
            (Name::from("span_id"), Value::text(format!("{:016x}", index + 1))),
            (Name::from("@timestamp"), Value::Timestamp(Timestamp(index as i64 * Timestamp::SECOND))),
        ];
        all.extend(fields.into_iter().map(|(name, value)| (Name::from(name), value)));
        Span::of_event(all)
    };
    let mut spans = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let mut fields = vec![
            ("service", Value::text(WORDS[row.service])),
            ("kind", Value::text("server")),
            ("duration_ms", Value::Integer(row.seconds * 1_000)),
            ("status", Value::text(if row.is_failed { "error" } else { "unset" })),
        ];
        fields.extend(row.caller.map(|caller| ("parent_span_id", Value::text(format!("{:016x}", caller + 1)))));
        fields.extend(row.status.map(|status| ("http.response.status_code", Value::Integer(status))));
        fields.extend(row.is_open.then_some(("aws.xray.in_progress", Value::Boolean(true))));
        fields.extend(row.user.map(|user| ("enduser.id", Value::text(WORDS[user]))));
        fields.push(("url.full", Value::text(format!("/{}", WORDS[row.service]))));
        if let Some(value) = &row.annotation {
            fields.push(("attributes.kind", value.clone()));
            fields.push(("k", value.clone()));
            let names = vec![Some(Value::text("k")), Some(Value::text("kind"))];
            fields.push(("aws.xray.annotations", Value::List(names.into())));
        }
        spans.push(span(index, fields));
    }
    for (index, row) in rows.iter().enumerate() {
        if let Some(called) = row.calls {
            let fields = vec![
                ("parent_span_id", Value::text(format!("{:016x}", index + 1))),
                ("service", Value::text(WORDS[row.service])),
                ("kind", Value::text("client")),
                ("duration_ms", Value::Integer(500)),
                ("peer.service", Value::text(WORDS[called])),
            ];
            spans.push(span(rows.len() + index, fields));
        }
    }
    let tree = Tree::of(&spans);
    Trace { spans, tree, ..Trace::default() }
}

/// A segment of the rows: its service, that of its caller, and its row unless it is inferred.
struct Plain<'r> {
    service: &'static str,
    caller: Option<&'static str>,
    row: Option<&'r Row>,
}

/// Evaluates a filter over rows, word by word of its description.
fn plainly(filter: &Filter, rows: &[Row], one: Option<&Plain<'_>>) -> bool {
    let within = |plain: &Plain<'_>, filter: &Option<Box<Filter>>| {
        filter.as_ref().is_none_or(|filter| plainly(filter, rows, Some(plain)))
    };
    let called = |row: &Row, caller: usize| (row.service, caller);
    let mut all: Vec<Plain<'_>> = rows
        .iter()
        .map(|row| {
            let caller = row.caller.map(|caller| called(&rows[caller], caller).0);
            Plain { service: WORDS[row.service], caller: caller.map(|caller| WORDS[caller]), row: Some(row) }
        })
        .collect();
    all.extend(
        rows.iter()
            .filter_map(|row| Some(Plain { service: WORDS[row.calls?], caller: Some(WORDS[row.service]), row: None })),
    );
    let is = |node: &Node, plain: &Plain<'_>| {
        node.name.as_ref().is_none_or(|name| name == plain.service)
            && node.kind.as_ref().is_none_or(|kind| plain.row.is_none() && kind == "remote")
    };
    // An inferred segment has no row, and nothing but its name and its half second.
    let main = one.map_or(Some(&rows[0]), |plain| plain.row);
    let status = main.and_then(|row| row.status);
    let (is_error, is_fault) = match status {
        Some(400..500) => (true, false),
        Some(500..600) => (false, true),
        _ => (false, main.is_some_and(|row| row.is_failed)),
    };
    let some: Vec<&Row> = one.map_or(rows.iter().collect(), |plain| plain.row.into_iter().collect());
    let text = |found: &str, test: &TextTest| match test {
        TextTest::Equal(text) => found == text,
        TextTest::NotEqual(text) => found != text,
        TextTest::Contains(text) => found.contains(&**text),
        TextTest::BeginsWith(text) => found.starts_with(&**text),
        TextTest::EndsWith(text) => found.ends_with(&**text),
    };
    let number = |found: f64, order: Order, value: f64| match order {
        Order::Equal => found == value,
        Order::NotEqual => found != value,
        Order::Less => found < value,
        Order::LessOrEqual => found <= value,
        Order::Greater => found > value,
        Order::GreaterOrEqual => found >= value,
    };
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| plainly(filter, rows, one)),
        Filter::Any(filters) => filters.iter().any(|filter| plainly(filter, rows, one)),
        Filter::Not(filter) => !plainly(filter, rows, one),
        Filter::Outcome(outcome, expected) => {
            let found = match outcome {
                Outcome::Ok => !is_error && !is_fault,
                Outcome::Error => is_error,
                Outcome::Fault => is_fault,
                Outcome::Throttle => status == Some(429),
                Outcome::Partial => some.iter().any(|row| row.is_open),
            };
            found == *expected
        }
        Filter::Number(NumberKey::HttpStatus, order, value) => {
            status.is_some_and(|status| number(status as f64, *order, *value))
        }
        Filter::Number(NumberKey::Duration, order, value) if one.is_none() => {
            let end = |(index, row): (usize, &Row)| {
                let own = index as f64 + row.seconds as f64;
                let call = row.calls.map_or(0.0, |_| (rows.len() + index) as f64 + 0.5);
                own.max(call)
            };
            number(rows.iter().enumerate().map(end).fold(0.0, f64::max), *order, *value)
        }
        Filter::Number(_, order, value) => number(main.map_or(0.5, |row| row.seconds as f64), *order, *value),
        Filter::Text(TextKey::HttpUrl, test) => main.is_some_and(|row| text(&format!("/{}", WORDS[row.service]), test)),
        Filter::Text(TextKey::User, test) => {
            some.iter().any(|row| row.user.is_some_and(|user| text(WORDS[user], test)))
        }
        Filter::Text(_, test) => match one {
            Some(plain) => text(plain.service, test),
            None => all.iter().any(|plain| text(plain.service, test)),
        },
        Filter::Annotation(_, test) => some.iter().any(|row| match (&row.annotation, test) {
            (Some(_), AnnotationTest::Text(TextTest::Contains(empty))) if empty.is_empty() => true,
            (Some(Value::String(found)), AnnotationTest::Text(test)) => text(found, test),
            (Some(Value::Integer(found)), AnnotationTest::Number(order, value)) => {
                number(*found as f64, *order, *value)
            }
            (Some(Value::Float(found)), AnnotationTest::Number(order, value)) => number(*found, *order, *value),
            (Some(Value::Boolean(found)), AnnotationTest::Boolean(is)) => found == is,
            _ => false,
        }),
        Filter::Service(node, filter) => all.iter().any(|plain| is(node, plain) && within(plain, filter)),
        Filter::Edge(from, to, filter) => all.iter().any(|plain| {
            let is_from = plain.caller.is_some_and(|caller| from.name.as_deref().is_none_or(|name| name == caller));
            // Callers are segments of their own, which have no type here.
            is_from && from.kind.is_none() && is(to, plain) && within(plain, filter)
        }),
    }
}

/// Evaluates the condition of a plan over a span, as far as conditions of candidates go.
fn holds(condition: &Expr, span: &Span) -> bool {
    let value = |expr: &Expr| match expr {
        Expr::Field(name) => span.field(name).cloned(),
        Expr::Literal(value) => value.clone(),
        other => panic!("{other:?}"),
    };
    match condition {
        Expr::Or(a, b) => holds(a, span) || holds(b, span),
        Expr::Call(plan::function::Function::IsPresent, arguments) => value(&arguments[0]).is_some(),
        Expr::Compare(comparison, a, b) => {
            let (Some(a), Some(b)) = (value(a), value(b)) else { return false };
            match (comparison, crate::span::number(&a), crate::span::number(&b)) {
                (Comparison::Equal, Some(a), Some(b)) => a == b,
                (Comparison::GreaterOrEqual, Some(a), Some(b)) => a >= b,
                (Comparison::Equal, ..) => a.to_string() == b.to_string(),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
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
        if let Some(condition) = condition(&filter).filter(|_| found) {
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
    let chosen = |text: &str| {
        let mut out = String::new();
        match condition(&parse(text).expect(text)) {
            Some(condition) => write!(out, "{condition:?}").expect("a text"),
            None => out.push_str("none"),
        }
        out
    };
    assert!(chosen("fault AND annotation.customer = \"acme\"").contains("customer"));
    assert!(chosen("service(\"pay\") {fault}").contains("peer.service"));
    assert!(chosen("annotation.a = 1 OR annotation.b = 2").contains("Or"));
    for any in ["ok", "!fault", "duration > 5", "annotation.a = 1 OR ok", "service()", "responsetime < 1"] {
        assert_eq!(chosen(any), "none", "{any}");
    }
}
