//! Reads scripts: `clear`, `load`, `eval`, each with its lines.

use regex::Regex;

use crate::labels::Labels;
use crate::lexer::{duration, number, unquote};
use crate::matcher::unanchored;
use crate::script::series::{Item, description};

/// What `expect` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Fail,
    Warn,
    Info,
}

/// A condition on an error or an annotation.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Any,
    Text(String),
    Regex(Regex),
}

impl Pattern {
    pub(crate) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// `eval` with what is expected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) query: String,
    /// ms; start, end and step; an instant has no step.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
    pub(crate) ordered: bool,
    pub(crate) wanted: Vec<(Topic, Pattern)>,
    pub(crate) no_warn: bool,
    pub(crate) no_info: bool,
    /// Start, end and step of the range vector that an instant query yields.
    pub(crate) range: Option<(i64, i64, i64)>,
    pub(crate) text: Option<String>,
    pub(crate) scalar: Option<f64>,
    pub(crate) series: Vec<(Labels, Vec<Item>)>,
}

/// A command.
#[derive(Debug)]
pub(crate) enum Command {
    Clear,
    Load { step: i64, custom: bool, series: Vec<(Labels, Vec<Item>)> },
    Eval(Box<Eval>),
}

/// Reads all commands with the number of their first line, from 1 on.
pub(crate) fn commands(text: &str) -> Result<Vec<(usize, Command)>, (usize, String)> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let word = line.split([' ', '\t']).next().unwrap_or("");
        let block =
            &lines[at + 1..lines[at + 1..].iter().position(|l| l.is_empty()).map_or(lines.len(), |n| at + 1 + n)];
        let (command, used) = match word {
            "" => {
                at += 1;
                continue;
            }
            "clear" => (Command::Clear, 0),
            _ if word.starts_with("load") => (load(line, block, at + 1)?, block.len()),
            _ if word.starts_with("eval") => {
                let (eval, used) = eval(line, block, at + 1)?;
                (Command::Eval(Box::new(eval)), used)
            }
            _ => return Err((at + 1, format!("unknown command {word:?}; use clear, load or eval"))),
        };
        found.push((at + 1, command));
        at += 1 + used;
    }
    Ok(found)
}

fn load(line: &str, block: &[&str], number: usize) -> Result<Command, (usize, String)> {
    let (word, step) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if !matches!(word, "load" | "load_with_nhcb") {
        return Err((number, format!("unknown command {word:?}; use load or load_with_nhcb")));
    }
    let step = duration(step.trim()).map_err(|message| (number, message))?;
    let mut series = Vec::new();
    for (at, line) in block.iter().enumerate() {
        series.push(description(line).map_err(|message| (number + 1 + at, message))?);
    }
    Ok(Command::Load { step, custom: word == "load_with_nhcb", series })
}

/// Splits off the first word.
fn word(text: &str) -> (&str, &str) {
    text.split_once([' ', '\t']).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

fn keyword<'a>(text: &'a str, wanted: &str) -> Result<&'a str, String> {
    match word(text) {
        (found, rest) if found == wanted => Ok(rest),
        (found, _) => Err(format!("expected {wanted:?}, got {found:?}")),
    }
}

fn time(text: &str) -> Result<(i64, &str), String> {
    let (found, rest) = word(text);
    Ok((duration(found)?, rest))
}

/// Reads `from TIME to TIME step DURATION`; returns what follows too.
fn span(text: &str) -> Result<((i64, i64, i64), &str), String> {
    let (start, rest) = time(keyword(text, "from")?)?;
    let (end, rest) = time(keyword(rest, "to")?)?;
    let (step, rest) = time(keyword(rest, "step")?)?;
    if end < start || step == 0 {
        return Err("a range needs an end after its start, and a step".to_owned());
    }
    Ok(((start, end, step), rest))
}

/// Reads an evaluation; returns how many lines of the block belong to it.
fn eval(line: &str, block: &[&str], number: usize) -> Result<(Eval, usize), (usize, String)> {
    let mut eval = head(line).map_err(|message| (number, message))?;
    eval.line = number;
    for (at, line) in block.iter().enumerate() {
        let ends = expectation(&mut eval, line).map_err(|message| (number + 1 + at, message))?;
        if ends {
            return Ok((eval, at + 1));
        }
    }
    Ok((eval, block.len()))
}

fn head(line: &str) -> Result<Eval, String> {
    let (command, rest) = word(line);
    let mut eval = Eval::default();
    match command.strip_prefix("eval").unwrap_or("") {
        "" => {}
        "_ordered" => eval.ordered = true,
        "_fail" => eval.wanted.push((Topic::Fail, Pattern::Any)),
        "_warn" => eval.wanted.push((Topic::Warn, Pattern::Any)),
        "_info" => eval.wanted.push((Topic::Info, Pattern::Any)),
        other => return Err(format!("unknown command eval{other}")),
    }
    let (kind, rest) = word(rest);
    match kind {
        "instant" => {
            let (at, rest) = if word(rest).0 == "at" { time(word(rest).1)? } else { (0, rest) };
            (eval.start, eval.end, eval.query) = (at, at, rest.to_owned());
        }
        "range" => {
            let ((start, end, step), rest) = span(rest)?;
            (eval.start, eval.end, eval.step, eval.query) = (start, end, step, rest.to_owned());
        }
        other => return Err(format!("expected instant or range, got {other:?}")),
    }
    Ok(eval)
}

/// Reads a line after `eval`; reports whether it is the last one.
fn expectation(eval: &mut Eval, line: &str) -> Result<bool, String> {
    for (prefix, is_regex) in [("expected_fail_message", false), ("expected_fail_regexp", true)] {
        if let Some(text) = line.strip_prefix(prefix) {
            eval.wanted = vec![(Topic::Fail, pattern(text.trim(), is_regex)?)];
            return Ok(true);
        }
    }
    if let Some(rest) = line.strip_prefix("expect range vector") {
        eval.range = Some(span(rest.trim())?.0);
        return Ok(false);
    }
    if let Some(rest) = line.strip_prefix("expect string") {
        eval.text = Some(unquote(rest.trim())?);
        return Ok(false);
    }
    if let Some(rest) = line.strip_prefix("expect ") {
        expect(eval, rest.trim())?;
        return Ok(false);
    }
    if let Some(value) = number(line) {
        eval.scalar = Some(value);
        return Ok(true);
    }
    let (labels, items) = description(line)?;
    if items.len() > 1 && eval.step == 0 && eval.range.is_none() {
        return Err("an instant query yields one value per series".to_owned());
    }
    eval.series.push((labels, items));
    Ok(false)
}

fn expect(eval: &mut Eval, text: &str) -> Result<(), String> {
    let (what, rest) = word(text);
    let pattern = match rest.split_once(':') {
        Some(("msg", text)) => pattern(text.trim(), false)?,
        Some(("regex", text)) => pattern(text.trim(), true)?,
        None if rest.is_empty() => Pattern::Any,
        _ => return Err(format!("expected msg:TEXT or regex:PATTERN, got {rest:?}")),
    };
    let topic = match what {
        "ordered" => {
            eval.ordered = true;
            return Ok(());
        }
        "no_warn" => {
            eval.no_warn = true;
            return Ok(());
        }
        "no_info" => {
            eval.no_info = true;
            return Ok(());
        }
        "fail" => Topic::Fail,
        "warn" => Topic::Warn,
        "info" => Topic::Info,
        other => return Err(format!("cannot expect {other:?}; use ordered, fail, warn, no_warn, info or no_info")),
    };
    eval.wanted.push((topic, pattern));
    Ok(())
}

fn pattern(text: &str, is_regex: bool) -> Result<Pattern, String> {
    if !is_regex {
        return Ok(Pattern::Text(text.to_owned()));
    }
    unanchored(text).map(Pattern::Regex)
}
