//! Forms, their mistakes, and the samples of all files at every time.

use types::Timestamp;

use super::*;

#[test]
fn every_file_is_read_and_every_sample_becomes_what_it_says() {
    let (formats, errors) = Formats::with(std::iter::empty());
    assert_eq!(errors, []);
    let mut wrong = Vec::new();
    for format in formats.all() {
        assert!(!format.samples.is_empty(), "{} has no sample", format.name);
        wrong.extend(formats.check_samples(format));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How the date of samples, 20 November 2026, is written, and how another day of that year is.
fn dates(month: usize, day: usize) -> Vec<(&'static str, String)> {
    let name = MONTHS[month - 1];
    vec![
        ("2026-11-20", format!("2026-{month:02}-{day:02}")),
        ("2026/11/20", format!("2026/{month:02}/{day:02}")),
        ("2026.11.20", format!("2026.{month:02}.{day:02}")),
        ("20261120", format!("2026{month:02}{day:02}")),
        ("261120", format!("26{month:02}{day:02}")),
        ("20-Nov", format!("{day:02}-{name}")),
        ("20/Nov", format!("{day:02}/{name}")),
        ("20 Nov", format!("{day:02} {name}")),
        ("20/11/2026", format!("{day:02}/{month:02}/2026")),
        ("11/20-", format!("{month:02}/{day:02}-")),
        ("Nov 20", format!("{name} {day:>2}")),
    ]
}

/// The same sample at another time; `None` where its time is written otherwise.
fn moved(
    sample: &FormatSample,
    (month, day): (usize, usize),
    (hour, minute, second): (u32, u32, u32),
) -> Option<FormatSample> {
    let mut written = dates(month, day).into_iter().filter(|(from, _)| sample.text.contains(from));
    let (from, to) = written.next()?;
    // Summer has another offset, and of two dates one would stay.
    if sample.text.contains("Europe/") || written.next().is_some() {
        return None;
    }
    let clocks = [
        ("  6:47:13", format!("  {hour:>2}:{minute:02}:{second:02}").replace("   ", "  ")),
        ("06:47:13", format!("{hour:02}:{minute:02}:{second:02}")),
        ("064713", format!("{hour:02}{minute:02}{second:02}")),
        ("06.47.13", format!("{hour:02}.{minute:02}.{second:02}")),
    ];
    let (clock, other) = clocks.into_iter().find(|(clock, _)| sample.text.contains(clock))?;
    let before = Timestamp::parse_rfc3339(sample.time.as_deref()?)?;
    let local = |date: &str| Timestamp::parse_rfc3339(&format!("{date}Z")).expect("a valid time").0;
    // A date without a year is of the last year in which it has come, seen from the arrival.
    let has_year = ["2026", "261120"].iter().any(|year| sample.text.contains(year));
    // A clock may be a day ahead.
    if !has_year && (month, day) == (6, 2) {
        return None;
    }
    let year = if !has_year && (month, day) <= (6, 1) { 2027 } else { 2026 };
    let shift =
        local(&format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")) - local("2026-11-20T06:47:13");
    Some(FormatSample {
        text: sample.text.replacen(from, &to, 2).replacen(clock, &other, 2),
        time: Some(Timestamp(before.0 + shift).to_string()),
        ..sample.clone()
    })
}

#[test]
fn samples_are_read_alike_at_any_time() {
    let formats = Formats::built_in();
    let (mut n_moved, mut wrong) = (0, Vec::new());
    let mut random = 0x9e37_79b9_u32;
    let mut below = |n: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % n
    };
    for format in formats.all() {
        for sample in &format.samples {
            for month in 1..=12 {
                let day = 1 + below(28) as usize;
                let clock = (below(24), below(60), below(60));
                let Some(moved) = moved(sample, (month, day), clock) else { continue };
                n_moved += 1;
                wrong.extend(
                    formats
                        .misses(format, &moved)
                        .into_iter()
                        .map(|miss| format!("{}: {miss}: {}", format.name, moved.text)),
                );
            }
        }
    }
    assert!(n_moved > 1_000, "{n_moved} samples were moved");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn compile(text: &str) -> Result<Formats, FormatError> {
    let (formats, errors) = Formats::with([("a.toml", text)].into_iter());
    errors.into_iter().next().map_or(Ok(formats), Err)
}

#[test]
fn a_mistake_names_file_line_and_what_would_be_right() {
    let check = |text: &str, expected: &str| {
        let error = compile(text).expect_err("a mistake").to_string();
        assert!(error.starts_with(expected), "{error:?} does not begin with {expected:?}");
    };
    let head = "name = \"a\"\ntitle = \"A\"\n";
    check("name = \"a\"\n", "a.toml:1: missing field `title`");
    check("name = \"A b\"\ntitle = \"\"\n", "a.toml:1: the name of a format has small letters");
    check(&format!("{head}lines = [\n\"{{time\",\n]\n"), "a.toml:4: a { is not closed by a }");
    check(&format!("{head}lines = [\"{{a}}{{b}}\"]\n"), "a.toml:3: between two captures");
    check(
        &format!("{head}lines = [\"{{a:float}}\"]\n"),
        "a.toml:3: {a:float}: \"float\" is none of word, text, dotted, source, int",
    );
    check(&format!("{head}lines = [\"{{level=bad}}x\"]\n"), "a.toml:3: \"bad\" is no level; write trace, debug");
    check(&format!("{head}[levels]\nbad = [\"x\"]\n"), "a.toml:4: \"bad\" is no level");
    check(&format!("{head}lined = []\n"), "a.toml:3: unknown field `lined`, expected one of");
    check(&format!("{head}[[sample]]\ntext = \"x\"\ntime = \"now\"\n"), "a.toml:3: \"now\" is no time");
}

#[test]
fn forms_are_fitted_in_every_point_or_not_at_all() {
    let text = r#"
name = "a"
title = "A"
lines = [
    "{time} [{pid:int}] {user?}@{database?} {level}:  {message}",
    "<{thread:text}> {took:number} ms {level=warn}{}/{path}",
    "end of {name} ({pairs}",
]
[levels]
warn = ["WARNING"]
error = ["BAD"]
"#;
    let formats = compile(text).expect("a format");
    type Fields<'f> = &'f [(&'f str, &'f str)];
    let check = |line: &str, expected: Option<(Option<Level>, Fields<'_>)>| {
        let reading = formats.read_sample(line);
        assert_eq!(reading.format.is_some(), expected.is_some(), "{line}");
        let Some((level, fields)) = expected else { return };
        assert_eq!(reading.level, level, "{line}");
        let value = |name: &str| reading.batch.field(name).value(0).map_or_else(String::new, |value| value.to_string());
        let fields: Vec<(&str, String)> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let found: Vec<(&str, String)> = fields.iter().map(|(name, _)| (*name, value(name))).collect();
        assert_eq!(found, fields, "{line}");
    };
    let fields: &[(&str, &str)] = &[("pid", "7"), ("user", "ann"), ("database", "shop")];
    check("2026-11-20 06:47:13 [7] ann@shop BAD:  x", Some((Some(Level::Error), fields)));
    check("2026-11-20 06:47:13   [7]\tann@shop  WARNING:   x\n  y", Some((Some(Level::Warn), fields)));
    check("2026-11-20 06:47:13 [7] @ BAD:  x", Some((Some(Level::Error), &[("user", ""), ("database", "")])));
    check("2026-11-20 06:47:13 [7] ann@shop WORSE:  x", None);
    check("2026-11-20 06:47:13 [x] ann@shop BAD:  x", None);
    check("<a b> 1.5 ms x/y", Some((Some(Level::Warn), &[("thread", "a b"), ("took", "1.5"), ("path", "y")])));
    check("<a b> 1.5 ms x/y z", None);
    check("end of shop (a=1 b=\"two words\"", Some((None, &[("name", "shop"), ("a", "1"), ("b", "two words")])));
    check("", None);
}

#[test]
fn a_form_that_programs_share_gives_no_name() {
    let formats = Formats::built_in();
    let check = |line: &str, name: Option<&str>, pid: Option<&str>| {
        let reading = formats.read_sample(line);
        assert_eq!(reading.format.as_deref(), name, "{line}");
        let found = reading.batch.field("pid").value(0).map(|value| value.to_string());
        assert_eq!(found.as_deref(), pid, "{line}");
    };
    check("[2026-11-20 06:47:13.942592] ERROR: shop.pay: lookup failed", None, None);
    check("[2026-11-20T06:47:13.595Z] DEBUG: shop/412 on vm: d", None, None);
    check("2026-11-20 06:47:13.749 [ERROR] [AbstractCommand.cc:377] aborted", None, None);
    check("2026-11-20 06:47:13 [2921] [0] PANIC: cannot start", None, Some("2921"));
    check("[2026-11-20 06:47:13 +0000] [998] [INFO] Running on http://127.0.0.1", None, Some("998"));
    check("2026-11-20  6:47:13 0 [Note] Starting", None, None);
    check("2026-11-20  6:47:13 0 [System] Starting", Some("mariadb"), None);
    check("[20-Nov-2026 06:47:13] WARNING: [pool www] child 412 said x", Some("php-fpm"), Some("412"));
    check("2026-11-20 06:47:13.123 UTC [78] ann@shop STATEMENT:  select 1", Some("postgresql"), Some("78"));
}

#[test]
fn a_later_file_replaces_a_format_of_its_name() {
    let file = "name = \"bind9\"\ntitle = \"Mine\"\nlines = [\"mine {a}\"]\n[[sample]]\ntext = \"mine 1\"\n";
    let (formats, errors) = Formats::with([("mine.toml", file)].into_iter());
    assert_eq!(errors, []);
    let own: Vec<&str> =
        formats.all().iter().filter(|format| &*format.name == "bind9").map(|format| &*format.title).collect();
    assert_eq!(own, ["Mine"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,80}", form in "[0-9A-Za-z:.,\\[\\](){}<>|/=\" -]{0,80}") {
        Formats::built_in().read_sample(&text);
        Formats::built_in().read_sample(&format!("2026-11-20 06:47:13 {form}"));
        Formats::built_in().read_sample(&form);
    }
}
