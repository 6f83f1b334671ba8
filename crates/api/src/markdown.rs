//! Parts of rendering Markdown that the language reference and the manual share.

use std::fmt::Write;

use language::Language;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, TagEnd};
use types::percent_encoded;

/// Parses a text into events, with tables.
pub(crate) fn events(text: &str) -> Vec<Event<'_>> {
    Parser::new_ext(text, Options::ENABLE_TABLES).collect()
}

/// Returns the number of events up to the end of the heading or code block that `events` begins within.
pub(crate) fn length_inside(events: &[Event<'_>]) -> usize {
    let is_end = |event: &Event<'_>| matches!(event, Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock));
    events.iter().position(is_end).unwrap_or(events.len())
}

/// Wraps HTML that is ready.
pub(crate) fn markup(text: String) -> Event<'static> {
    Event::Html(CowStr::from(text))
}

/// Returns the language of a code block; empty where it names none.
pub(crate) fn language_of<'a>(kind: &'a CodeBlockKind<'_>) -> &'a str {
    match kind {
        CodeBlockKind::Fenced(language) => language,
        CodeBlockKind::Indented => "",
    }
}

/// Returns the names that a heading or cell begins with: code with at most a comma or `to` between.
pub(crate) fn names_at_start(inside: &[Event<'_>]) -> Vec<String> {
    let mut names = Vec::new();
    for event in inside {
        match event {
            Event::Code(code) => names.extend(leading_word(code)),
            Event::Text(text) if matches!(text.trim(), "," | "to") => {}
            _ => break,
        }
    }
    names.dedup();
    names
}

/// Returns the word that a text begins with, in small letters.
pub(crate) fn leading_word(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word: String = text.chars().take_while(|c| is_part(*c)).collect();
    word.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| word.to_ascii_lowercase())
}

/// Returns the text inside, without markup.
pub(crate) fn text_of(inside: &[Event<'_>]) -> String {
    let texts = inside.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        Event::SoftBreak => Some(" "),
        _ => None,
    });
    texts.collect()
}

/// Returns a title as an anchor: `Functions of stats` is `functions-of-stats`.
pub(crate) fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// Renders a block of code, with a link that opens it in Explore where it is a query.
pub(crate) fn example(language: &str, code: &str) -> String {
    let query = match language {
        "insights" => Some(code.trim_end().to_owned()),
        "logql" => language::translate(code, Language::Logql).ok(),
        other => Language::named(other).and_then(|language| language::translate(code.trim_end(), language).ok()),
    };
    let mut out = format!("<div class=\"example\"><pre tabindex=\"0\"><code>{}</code></pre>", escaped(code));
    if let Some(query) = query {
        let label = if language == "insights" { "Try it" } else { "Try it as Insights" };
        let _ = write!(out, "<a class=\"button try\" href=\"?q={}\">{label}</a>", percent_encoded(&query));
    }
    out.push_str("</div>\n");
    out
}

/// Returns a text with the characters of HTML as entities.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
