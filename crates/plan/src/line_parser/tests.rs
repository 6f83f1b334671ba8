//! Lines of each form, and the labels that become of them.

use parse::JsonMistake;

use super::super::label_set::LabelSet;
use super::*;

fn shown(set: &LabelSet<'_>) -> String {
    set.labels().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn base() -> LabelSet<'static> {
    let mut set = LabelSet::new(false);
    set.add_stream("app", "pay");
    set
}

#[test]
fn members_become_labels_as_they_are_spelt() {
    let check = |line: &str, expected: &str| {
        let mut set = base();
        json(line, &mut set);
        assert_eq!(shown(&set), expected, "{line}");
    };
    check(r#"{"a":1e3,"b":{"c":null,"d-e":true},"l":[1,{"x":2}],"e":""}"#, "a=1e3 app=pay b_d_e=true e=");
    check(r#"{"app":"x","9x":"\u00e9\n","app":"y"}"#, "_9x=é\n app=pay app_extracted=x");
    check(r#"{"a-b":"first","a.b":"second","a":{"b":"third"}}"#, "a_b=first app=pay");
    let failed = |mistake: JsonMistake| format!("__error__=JSONParserErr __error_details__={}", mistake.details());
    check("plain", &format!("{} app=pay", failed(JsonMistake::Object)));
    check(r#"{"a":1,"b":}"#, &format!("{} a=1 app=pay", failed(JsonMistake::Value)));
    check(r#"{"a":1,"b":5"#, &format!("{} a=1 app=pay b=5", failed(JsonMistake::Array)));
    check("{\"a\":\"tab\t \\\"q\\\"\",\"b\":\"\\x\"}", "a=tab\t \"q\" app=pay b=");
    check(r#"{"a":"1"} behind"#, "a=1 app=pay");
    check("{}", "app=pay");
}

#[test]
fn paths_lead_to_any_value() {
    let paths = |text: &str| json_path(text).unwrap_or_else(|| panic!("{text}"));
    let wanted: Vec<(String, Vec<PathStep>)> =
        [("a", "user.tags[1]"), ("o", "user"), ("t", "[\"user\"][\"tags\"]"), ("none", "x.y"), ("app", "n")]
            .into_iter()
            .map(|(name, path)| (name.to_owned(), paths(path)))
            .collect();
    let mut set = base();
    json_paths(r#"{"user":{"tags":["x", "y"]},"n":7}"#, &wanted, &mut set);
    assert_eq!(shown(&set), r#"a=y app=pay app_extracted=7 none= o={"tags":["x", "y"]} t=["x", "y"]"#);
    let mut set = base();
    json_paths("plain", &wanted, &mut set);
    assert_eq!(shown(&set), "__error__=JSONParserErr app=pay");
    let mut set = base();
    json_paths(r#"{"n":tru,"more":yes,"x":{"y":1}} {"user":{"tags":["x", "\"y\"#, &wanted, &mut set);
    assert_eq!(
        shown(&set),
        format!("__error__=JSONParserErr __error_details__={} a= app=pay none=1 o= t=", JsonMistake::Array.details())
    );
    let mut set = base();
    json_paths(r#"{"n":"7","user":{"tags":["\\n","z"]},"x":{"y":1"#, &wanted, &mut set);
    assert_eq!(
        shown(&set),
        r#"a=z app=pay app_extracted=7 none=1 o={"tags":["\\n","z"]} t=["#.to_owned() + "\"\\n\",\"z\"]"
    );
    assert_eq!(["", "a.", "a[x]", "a b", "[1"].map(|path| json_path(path).is_some()), [false; 5]);
}

#[test]
fn pairs_are_read_leniently_unless_told_otherwise() {
    let check = |line: &str, how: Logfmt, expected: &str| {
        let mut set = base();
        logfmt(line, how, &mut set);
        assert_eq!(shown(&set), expected, "{line}");
    };
    check(r#"a=1 b="x \"y" alone c= app=z d.e=f"#, Logfmt::default(), r#"a=1 app=pay app_extracted=z b=x "y d_e=f"#);
    check("alone c=", Logfmt { keeps_empty: true, ..Logfmt::default() }, "alone= app=pay c=");
    check(r#"a=b=c x"y ok=1"#, Logfmt::default(), "app=pay ok=1");
    let strict = Logfmt { is_strict: true, ..Logfmt::default() };
    let details = "logfmt syntax error at pos 8 : unexpected '='";
    check("z=1 a=b=c ok=1", strict, &format!("__error__=LogfmtParserErr __error_details__={details} app=pay z=1"));
    let mut set = base();
    let keys = [("n".to_owned(), "a".to_owned()), ("m".to_owned(), "nowhere".to_owned())];
    logfmt_keys("a=1", Logfmt::default(), &keys, &mut set);
    assert_eq!(shown(&set), "app=pay m= n=1");
}

#[test]
fn patterns_fit_as_far_as_they_fit() {
    let check = |pattern_text: &str, line: &str, expected: &str| {
        let pieces = pieces(pattern_text).unwrap_or_else(|error| panic!("{error}"));
        let mut set = base();
        pattern(line, &pieces, &mut set);
        assert_eq!(shown(&set), expected, "{line}");
    };
    check("<ip> - - <rest>", "10.0.0.1 - x", "app=pay ip=10.0.0.1 - x");
    check("<ip> <_> <app>", "a b c d", "app=pay app_extracted=c d ip=a");
    check("[<a>]", "(x]", "app=pay");
    check("<ip> <ip2> <_>", "", "app=pay");
    assert!(pieces("<a><b>").is_err() && pieces("<_>").is_err() && pieces("<a> <a>").is_err());
}

#[test]
fn packed_lines_are_unpacked() {
    let line = r#"{"pod":"p1","n":1,"app":"x","_entry":"the \"line\""}"#;
    let mut set = base();
    unpack(line, &mut set);
    assert_eq!(
        (shown(&set).as_str(), unpacked_line(line).as_deref()),
        ("app=pay app_extracted=x pod=p1", Some("the \"line\""))
    );
    let mut set = base();
    unpack(r#"{"pod":"p1"}"#, &mut set);
    assert_eq!((shown(&set).as_str(), unpacked_line(r#"{"pod":"p1"}"#)), ("app=pay", None));
}

#[test]
fn what_an_earlier_stage_found_stays() {
    let mut set = base();
    logfmt("a=1 a=2 b=x", Logfmt::default(), &mut set);
    json(r#"{"a":3,"c":4}"#, &mut set);
    assert_eq!(shown(&set), "a=1 app=pay b=x c=4");
    set.delete("a");
    set.delete("nowhere");
    logfmt("a=5 nowhere=6", Logfmt::default(), &mut set);
    assert_eq!(shown(&set), "app=pay b=x c=4 nowhere=6");
    let keys = [("b".to_owned(), "z".to_owned()), ("app".to_owned(), "y".to_owned())];
    logfmt_keys("z=1 z=2 y=3 b=4 y=5 z=6", Logfmt::default(), &keys, &mut set);
    assert_eq!(shown(&set), "app=pay app_extracted=3 b=4 c=4 nowhere=6");
}

#[test]
fn pattern_filters_look_for_each_literal_at_its_first_place() {
    let fits =
        |pattern: &str, line: &str| LinePattern::new(pattern).unwrap_or_else(|error| panic!("{error}")).fits(line);
    assert!(fits("<_>GET<_>", "a GET b") && !fits("<_>GET<_>", "GET x GET y"));
    assert!(!fits("<_> bar", "foo bar baz bar") && fits("<_> baz", "foo bar baz"));
    assert!(fits("foo <_>", "a foo b") && !fits("foo <_>", "a foo "));
    assert!(fits("", "") && !fits("", "x") && !fits("<_>", ""));
    assert_eq!(LinePattern::new("<a> x"), Err("pattern filters have no named captures"));
    assert!(LinePattern::new("<_><_>").is_err());
}
