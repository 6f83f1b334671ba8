use types::{BatchBuilder, Limits, Timestamp};

use super::*;
use crate::{ArrivalContext, EventParser, Extras, Zone};

const AT: &str = "2027-06-01T12:00:00Z";

/// What becomes of a text: its format, time, level and fields.
struct Reading {
    format: Option<String>,
    time: Option<Timestamp>,
    level: Option<Level>,
    fields: HashMap<String, String>,
}

fn read(formats: &Formats, text: &str, zone: Zone) -> Reading {
    let limits = Limits::default();
    let at = Timestamp::parse_rfc3339(AT).expect("a valid time");
    let received = ArrivalContext { at, modified: None, zone, limits: &limits };
    let mut parser = EventParser::new(received).with_formats(formats);
    let mut builder = BatchBuilder::new();
    let event = parser.read_text(text.as_bytes());
    let format = event.format().map(str::to_owned);
    event.add_to(&Extras::default(), &mut builder);
    let has_time = parser.previous().is_some();
    let batch = builder.finish();
    let values = batch.field_names().into_iter().filter_map(|name| {
        let value = batch.field(&name).value(0)?;
        Some((name.to_string(), value.to_string()))
    });
    let has_time = has_time || batch.origins.iter().any(|origin| origin.time_key.is_some());
    Reading {
        format,
        time: has_time.then(|| Timestamp(batch.timestamps.get(0))),
        level: Level::of_code(batch.levels.get(0)),
        fields: values.collect(),
    }
}

/// What is wrong with the reading of a sample.
fn misses(formats: &Formats, format: &Format, sample: &FormatSample) -> Vec<String> {
    let reading = read(formats, &sample.text, Zone::UTC);
    let mut wrong = Vec::new();
    let has_forms = formats.named(&format.name).is_some_and(|id| !formats.own[usize::from(id.0)].is_empty());
    let is_bare = !sample.text.starts_with('<');
    if has_forms && is_bare && reading.format.as_deref() != Some(&*format.name) {
        wrong.push(format!("read as {:?}", reading.format));
    }
    let time = sample.time.as_deref().and_then(Timestamp::parse_rfc3339);
    if reading.time != time {
        wrong.push(format!("time {:?}, not {:?}", reading.time.map(|t| t.to_string()), sample.time));
    }
    let level = sample.level.as_deref().and_then(Level::parse);
    if reading.level != level {
        wrong.push(format!("level {:?}, not {level:?}", reading.level));
    }
    for (name, value) in &sample.fields {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if reading.fields.get(name) != Some(&value) {
            wrong.push(format!("{name} is {:?}, not {value:?}", reading.fields.get(name)));
        }
    }
    wrong
}

#[test]
fn every_file_is_read_and_every_sample_becomes_what_it_says() {
    let (formats, errors) = Formats::with(std::iter::empty());
    assert_eq!(errors, []);
    let mut wrong = String::new();
    for format in formats.all() {
        assert!(!format.samples.is_empty(), "{} has no sample", format.name);
        for sample in &format.samples {
            for miss in misses(&formats, format, sample) {
                wrong += &format!("{}: {miss}\n    {}\n", format.name, sample.text.lines().next().unwrap_or_default());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn compile(text: &str) -> Result<Formats, FormatError> {
    let (formats, errors) = Formats::compile([("a.toml", text)].into_iter());
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
        "a.toml:3: {a:float}: \"float\" is none of word, text, dotted, int",
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
    let check = |line: &str, expected: Option<(Option<Level>, &[(&str, &str)])>| {
        let reading = read(&formats, line, Zone::UTC);
        assert_eq!(reading.format.is_some(), expected.is_some(), "{line}");
        let Some((level, fields)) = expected else { return };
        assert_eq!(reading.level, level, "{line}");
        let found: Vec<(&str, &str)> =
            fields.iter().map(|(name, _)| (*name, reading.fields.get(*name).map_or("", |v| v))).collect();
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
        read(Formats::built_in(), &text, Zone::UTC);
        read(Formats::built_in(), &format!("2026-11-20 06:47:13 {form}"), Zone::UTC);
        read(Formats::built_in(), &form, Zone::UTC);
    }
}
