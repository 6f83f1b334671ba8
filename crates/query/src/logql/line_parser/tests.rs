//! Lines of each form, and the labels that become of them.

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
    check("plain", &format!("__error__=JSONParserErr __error_details__={BAD_OBJECT} app=pay"));
    let cut = format!("__error__=JSONParserErr __error_details__={BAD_ARRAY} a=404 app=pay");
    check(r#"{"a": 404"#, &cut);
    check(r#"{"a":1,"b":}"#, &format!("__error__=JSONParserErr __error_details__={BAD_TYPE} a=1 app=pay"));
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
    json_paths(r#"{"a": {"x": "y"}, "t": "cut"#, &wanted[..1], &mut set);
    assert_eq!(set.get("__error__"), None, "a mistake elsewhere");
    let cut = [("t".to_owned(), json_path("t").expect("a path"))];
    json_paths(r#"{"a": {"x": "y"}, "t": "cut"#, &cut, &mut set);
    assert_eq!((set.get("__error_details__"), set.get("t")), (Some(BAD_STRING), Some("")));
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
