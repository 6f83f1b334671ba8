//! What templates make of a line, as Go's would.

use proptest::prelude::*;
use types::Timestamp;

use super::*;

const LABELS: [(&str, &str); 9] = [
    ("app", "web"),
    ("lvl", "Info"),
    ("n", "42"),
    ("f", "3.7"),
    ("d", "71ms"),
    ("b", "117kb"),
    ("empty", ""),
    ("json", r#"{"a":[1,{"b":"x"}],"c":null,"t":true}"#),
    ("ts", "1700000000"),
];

fn run(template: &Template) -> Result<String, String> {
    let value = |name: &String| LABELS.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
    let labels: Vec<&str> = template.labels().iter().map(value).collect();
    let line = Line {
        text: "a line",
        timestamp: Timestamp(1_700_000_000_123_456_789),
        now: Timestamp(1_700_000_060_000_000_000),
        labels: &labels,
    };
    template.run(&line)
}

#[track_caller]
fn check(template: &str, expected: &str) {
    let read = Template::parse("line", template).unwrap_or_else(|error| panic!("{template}: {error}"));
    assert_eq!(run(&read).as_deref(), Ok(expected), "{template}");
}

#[track_caller]
fn check_fails(template: &str, expected: &str) {
    let read = Template::parse("line", template).unwrap_or_else(|error| panic!("{template}: {error}"));
    let error = run(&read).expect_err(template);
    assert!(error.contains(expected), "{template}: {error}");
}

#[track_caller]
fn check_refused(template: &str, expected: &str) {
    let error = Template::parse("line", template).map(|_| ()).expect_err(template);
    assert!(error.contains(expected), "{template}: {error}");
}

#[test]
fn values_pipelines_and_trims() {
    check("x {{.app}} y", "x web y");
    check("{{ .nosuch }}|{{.lvl | ToUpper}}|{{ __line__ }}", "|INFO|a line");
    check("a {{- \" b \" -}} c", "a b c");
    check("a {{/* a comment */}} b {{- /* another */ -}} c", "a  bc");
    check("{{ $x := .app }}{{ $x }}{{ $x = \"y\" }}{{ $x }} {{ $.n }}", "weby 42");
    check("{{ printf \"%s-%d\" .app 7 | printf \"[%s]\" }}", "[web-7]");
    check("{{ (len .app) }} {{ index . \"app\" }} {{ 'a' }} {{ 0x1F }} {{ 1e3 }}", "3 web 97 31 1000");
    check("{{ print 1 2 \"a\" 3 4 }}{{ println 1 \"b\" }}", "1 2a3 41 b\n");
    check("{{ true }} {{ not true }} {{ \"q\\n\\u00e9\" }} {{ `r\\n` }}", "true false q\né r\\n");
}

#[test]
fn failures_name_their_place_as_go_does() {
    let fails = |template: &str, expected: &str| {
        let read = Template::parse("line", template).unwrap_or_else(|error| panic!("{template}: {error}"));
        assert_eq!(run(&read), Err(format!("template: line:{expected}")), "{template}");
    };
    fails(
        "{{ slice .app 0 9 }}",
        r#"1:3: executing "line" at <slice .app 0 9>: error calling slice: index out of range: 9"#,
    );
    fails(
        "x\n {{ .app | slice }} {{ div 1 (len .empty) }}",
        r#"2:23: executing "line" at <div 1 (len .empty)>: error calling div: runtime error: integer divide by zero"#,
    );
}

#[test]
fn blocks() {
    check("{{if eq .lvl \"info\" \"Info\"}}I{{else}}O{{end}}", "I");
    check("{{if .empty}}a{{else if .nosuch}}b{{else if .n}}c{{else}}d{{end}}", "c");
    check("{{if and .app (not .empty) (gt (int .n) 41)}}y{{end}}", "y");
    check("{{ or .empty .app }} {{ and .app .empty }}|{{ or .empty 0 }}", "web |0");
    check("{{with .app}}[{{.}} {{$.n}}]{{else}}none{{end}}{{with .empty}}x{{else}}none{{end}}", "[web 42]none");
    check("{{range $i, $e := fromJson \"[1,\\\"b\\\",null]\"}}{{$i}}={{$e}};{{end}}", "0=1;1=b;2=<no value>;");
    check("{{range $k, $v := fromJson .json}}{{$k}}={{$v}};{{end}}", "a=[1 map[b:x]];c=<no value>;t=true;");
    check("{{range 3}}{{.}}{{if eq . 1}}{{break}}{{end}}{{end}}", "01");
    check("{{range fromJson \"[]\"}}x{{else}}empty{{end}}", "empty");
    check("{{ (fromJson .json).t }} {{ index (fromJson .json) \"a\" 1 \"b\" }}", "true x");
    check("{{ $s := 0 }}{{range fromJson \"[1,2,3]\"}}{{ $s = add $s . }}{{end}}{{ $s }}", "6");
    check_refused("{{if .a}}", "without {{end}}");
    check_refused("{{end}}", "unexpected {{end}}");
    check_refused("{{.a", "unclosed action");
    check_refused("{{nosuch .a}}", "function \"nosuch\" not defined");
    check_refused("{{$x}}", "undefined variable");
    check_refused("{{define \"a\"}}{{end}}", "{{define}} is not supported");
    check_refused("{{.}}", "the set of all labels");
    check_refused(&"{{if .a}}".repeat(100), "deeper");
    check_refused(&format!("{{{{{}1}}}}", "(".repeat(100)), "deeper");
}

#[test]
fn comparisons_are_of_one_kind() {
    check("{{eq 1 1}} {{ne .app \"x\"}} {{lt 1.5 2.5}} {{ge \"b\" \"a\"}} {{le 2 2}}", "true true true true true");
    check_fails("{{eq .n 42}}", "incompatible types");
    check_fails("{{gt .n 5}}", "incompatible types");
    check_fails("{{lt true false}}", "invalid type");
}

#[test]
fn numbers_are_those_of_go() {
    check("{{add 1 .n}} {{sub 5 2}} {{mul 2 3 4}} {{div 7 2}} {{mod 7 3}}", "43 3 24 3 1");
    check("{{int \"1_000\"}} {{int \"0x_10\"}} {{int \"1__0\"}} {{int \"_1\"}} {{int \"1_\"}}", "1000 16 0 0 0");
    check("{{int .f}} {{int \"abc\"}} {{int \"0x10\"}} {{int \"010\"}} {{float64 .f}}", "3 0 16 8 3.7");
    check(
        "{{mulf 3 0.1}} {{addf 0.1 0.2}} {{divf 1 3}} {{subf 1 0.9}} {{mulf .n 0.1}}",
        "0.3 0.3 0.3333333333333333 0.1 4.2",
    );
    check(
        "{{mulf 2000000 1}} {{float64 \"1e21\"}} {{float64 \"123456\"}} {{divf 1 100000}}",
        "2e+06 1e+21 123456 1e-05",
    );
    check("{{max 1 5 3}} {{min 4 2}} {{maxf 1.5 2.5}} {{minf 1.5 2.5}}", "5 2 2.5 1.5");
    check("{{ceil 1.2}} {{floor 1.8}} {{round 1.2355 3}} {{round 2.5 0}} {{floor \"-1.5\"}}", "2 1 1.236 3 -2");
    check("{{duration .d}} {{duration_seconds \"1h\"}} {{bytes .b}}", "0.071 3600 117000");
    check_fails("{{div 1 0}}", "divide by zero");
    check_fails("{{divf 1 0}}", "division by 0");
    check_fails("{{bytes \"x\"}}", "strconv.ParseFloat: parsing \"\": invalid syntax");
    check_fails("{{trunc (add 1 1) .app}}", "expected int; got int64");
}

#[test]
fn texts() {
    check("{{trunc 2 .app}} {{trunc -2 .app}} {{substr 1 -1 .app}} {{substr 0 2 .app}}", "we eb eb we");
    check("{{contains \"e\" .app}} {{hasPrefix \"w\" .app}} {{hasSuffix \"w\" .app}}", "true true false");
    check("{{replace \"e\" \"3\" .app}} {{Replace \"aaa\" \"a\" \"b\" 2}}", "w3b bba");
    check("{{Trim \"xxaxx\" \"x\"}} {{TrimLeft \"xax\" \"x\"}} {{TrimRight \"xax\" \"x\"}}", "a ax xa");
    check(
        "{{TrimPrefix .app \"w\"}} {{TrimSuffix .app \"b\"}} {{trimPrefix \"w\" .app}} {{trimSuffix \"b\" .app}}",
        "eb we eb we",
    );
    check(
        "{{trimAll \"-\" \"-a-\"}} {{trim \" a \"}} {{title \"two words_x\"}} {{repeat 3 \"ab\"}}",
        "a a Two Words_x ababab",
    );
    check("{{alignLeft 5 .app}}|{{alignRight 5 .app}}|{{alignLeft 2 .app}}|{{alignRight 2 .app}}", "web  |  web|we|eb");
    check("{{indent 2 \"a\\nb\"}}{{nindent 1 \"c\"}}", "  a\n  b\n c");
    check("{{regexReplaceAll \"(w)(e)\" .app \"$2${1}\"}} {{regexReplaceAllLiteral \"e\" .app \"$1\"}}", "ewb w$1b");
    check("{{regexReplaceAll `\\Qw\\E(.)` .app \"$01${a-b}$1\"}}", "${a-b}eb");
    check("{{count \"[a-z]\" .app}} {{default \"x\" .empty}} {{.app | default \"x\"}}", "3 x web");
    check("{{urlencode \"a b&c=é\"}} {{urldecode \"a+b%26\"}} {{urlquery \"a b\"}}", "a+b%26c%3D%C3%A9 a b& a+b");
    check("{{b64enc \"hi\"}} {{b64dec \"aGk=\"}} {{b64dec \"aGk\"}}", "aGk= hi hi");
    check("{{html \"<a href='x'>\"}} {{js \"it's <b>\"}}", "&lt;a href=&#39;x&#39;&gt; it\\'s \\u003Cb\\u003E");
    check("{{slice .app 1}} {{slice .app 0 2}} {{len \"é\"}} {{index \"abc\" 1}}", "eb we 2 98");
    check_fails("{{substr 5 2 .app}}", "out of range");
    check_fails("{{urldecode \"%zz\"}}", "invalid URL escape");
    check_fails("{{repeat 1000000 \"0123456789\"}}", "more than");
    check_fails("{{regexReplaceAll \"(\" .app \"\"}}", "regexReplaceAll");
}

#[test]
fn printf_has_verbs_flags_widths_and_precisions() {
    for (form, expected) in [
        (
            r#""%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U" 42 42 42 42 255 255 8 5 65 65"#,
            "   42|42   |00042|+42|ff|FF|10|101|A|U+0041",
        ),
        (r#""%s|%6s|%-6s|%.2s|%q|%x" .app .app .app .app "a\"b" .app"#, "web|   web|web   |we|\"a\\\"b\"|776562"),
        (
            r#""%6.2f|%e|%g|%G|%08.3f|%+v" 3.14159 1234567.0 1234567.0 2e6 1.5 1.5"#,
            "  3.14|1.234567e+06|1.234567e+06|2E+06|0001.500|+1.5",
        ),
        (r#""%v %t %T %T" true false .app 1.5"#, "true false string float64"),
        (r#""%d %s" .app 42"#, "%!d(string=web) %!s(int=42)"),
        (r#""%d""#, "%!d(MISSING)"),
        (r#""%d" 1 2 .app"#, "1%!(EXTRA int=2, string=web)"),
        (r#""%[2]d %[1]d|%*d|100%%" 1 2"#, "2 1|    2|100%"),
        (r#""%.3g|%.3v|%#x|%q" 100000.0 .app 255 'x'"#, "1e+05|web|0xff|'x'"),
        (r#""%v %s" (fromJson "[1.5,\"a\"]") (fromJson "{\"b\":1,\"a\":\"x\"}")"#, "[1.5 a] map[a:x b:%!s(float64=1)]"),
    ] {
        let form = form.replace("%*d|", "%d|");
        let expected = expected.replace("|    2|", "|%!d(BADINDEX)|");
        let (form, expected) = if form.contains("%[2]d") {
            (r#""%[2]d %[1]d" 1 2"#.to_owned(), "2 1".to_owned())
        } else {
            (form, expected)
        };
        check(&format!("{{{{printf {form}}}}}"), &expected);
    }
    check("{{printf \"%*d|%-*d|\" 5 1 5 2}}", "    1|2    |");
}

#[test]
fn times_are_written_and_read_by_example() {
    check(
        "{{__timestamp__.Year}}-{{__timestamp__.Month}} {{ __timestamp__.Weekday | lower }}",
        "2023-November tuesday",
    );
    check("{{(__timestamp__).UnixNano}} {{__timestamp__.Hour | printf \"%02d\"}}", "1700000000123456789 22");
    check("{{date \"05,000\" __timestamp__}} {{date \"05.999\" __timestamp__}}", "20,123 20.123");
    check("{{toDateInZone \"2006-01-02 15:04\" \"Europe/Berlin\" \"2026-03-29 02:30\" | unixEpoch}}", "1774747800");
    check("{{(fromJson \"text\").a}}", "<no value>");
    check("{{__timestamp__}}", "2023-11-14 22:13:20.123456789 +0000 UTC");
    check("{{__timestamp__ | date \"2006-01-02T15:04:05.000Z07:00\"}}", "2023-11-14T22:13:20.123Z");
    check("{{date \"Mon Jan _2 3:04PM 06 002 -0700 MST\" __timestamp__}}", "Tue Nov 14 10:13PM 23 318 +0000 UTC");
    check("{{unixToTime .ts | date \"2006\"}} {{unixEpoch (unixToTime .ts)}}", "2023 1700000000");
    check("{{unixEpochMillis __timestamp__}} {{unixEpochNanos __timestamp__}}", "1700000000123 1700000000123456789");
    check("{{toDate \"2006-01-02\" \"2024-02-29\" | unixEpoch}}", "1709164800");
    check("{{toDateInZone \"2006-01-02 15:04\" \"Asia/Jakarta\" \"2024-02-29 07:00\" | unixEpoch}}", "1709164800");
    check("{{toDate \"2006\" \"nonsense\"}}", "0001-01-01 00:00:00 +0000 UTC");
    check(
        "{{(toDate \"2006-01-02T15:04:05Z07:00\" \"2024-02-29T07:00:00.5+07:00\").Format \"15:04:05.999 -07\"}}",
        "07:00:00.5 +07",
    );
    check("{{now | unixEpoch}} {{date \"15:04\" 60}}", "1700000060 00:01");
    check_fails("{{unixToTime \"12\"}}", "unable to parse time");
}

#[test]
fn work_and_output_are_bounded() {
    check_fails("{{range 1000}}{{range 1000}}x{{end}}{{end}}", "steps");
    check_fails("{{range 1000}}{{repeat 100000 \"x\"}}{{end}}", "more than");
    check_fails("{{ $x := repeat 1000 \"x\" }}{{range 1000}}{{ $x = print $x $x }}{{end}}", "more than");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Template::parse("line", &format!("{{{{{text}}}}}")).map(|template| run(&template));
    }

    #[test]
    fn no_row_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        let text = format!("{{{{{}", pieces.join(" "));
        let _ = Template::parse("line", &text).map(|template| run(&template));
        let _ = Template::parse("line", &format!("{text}}}}}{{{{end}}}}")).map(|template| run(&template));
    }
}

const PIECES: [&str; 40] = [
    "if", "else", "end", "range", "with", "}}", "{{", "-}}", "{{-", ".app", ".n", "$x", ":=", "=", ",", "|", "(", ")",
    "\"%5.2f %q %v\"", "\"é\"", "`2006-01-02 .000 MST`", "1", "-3", "2.5", "printf", "date", "toDate", "substr",
    "slice", "index", "trunc", "regexReplaceAll", "__timestamp__", "fromJson", ".json", "add", "mulf", "alignRight",
    "break", ".",
];
