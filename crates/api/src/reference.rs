//! `/reference`: the language reference (`grammar/README.md`, the text of `catat help query`) as a page.
//!
//! The text is built into the binary and rendered once, into the frame `reference.html` of the page's files. Every heading
//! has an anchor; so has every command, function and operator under its own name in small letters, since a heading or
//! the first cell of a table's row begins with it: `/reference#stats`. Examples have a link that opens them in
//! Explore, those of other languages in translation. Nothing in it comes from events or from a request.

use std::collections::BTreeSet;
use std::fmt::Write;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The reference, as people write it.
const TEXT: &str = include_str!("../../../grammar/README.md");

/// Where the frame takes the contents, and where the text.
const CONTENTS_MARK: &str = "<!-- contents -->";
const TEXT_MARK: &str = "<!-- text -->";

/// The reference as a page, and what may be pointed at in it.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    contents: String,
    text: String,
    anchors: BTreeSet<String>,
}

impl Reference {
    /// Renders the reference.
    pub(crate) fn new() -> Self {
        let events: Vec<Event<'static>> = Parser::new_ext(TEXT, Options::ENABLE_TABLES).collect();
        let mut reference = Self::default();
        let mut rendered = Vec::with_capacity(events.len() + events.len() / 8);
        let mut at = 0;
        while at < events.len() {
            match &events[at] {
                Event::Start(Tag::Heading { level, .. }) => {
                    let level = *level;
                    let end = at + events[at..].iter().position(is_heading_end).unwrap_or_default();
                    reference.heading(level, &events[at + 1..end], &mut rendered);
                    at = end + 1;
                    continue;
                }
                Event::Start(Tag::TableCell) if is_row_start(&events[..at]) => {
                    let names: Vec<String> = names_at_start(&events[at + 1..]);
                    rendered.push(events[at].clone());
                    for name in names {
                        if reference.anchors.insert(name.clone()) {
                            rendered.push(markup(format!("<a id=\"{name}\"></a>")));
                        }
                    }
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let end = at + events[at..].iter().position(is_code_end).unwrap_or_default();
                    rendered.push(markup(example(&language, &text_of(&events[at + 1..end]))));
                    at = end + 1;
                    continue;
                }
                event => rendered.push(event.clone()),
            }
            at += 1;
        }
        html::push_html(&mut reference.text, rendered.into_iter());
        reference.text.push_str("</section>\n");
        reference
    }

    /// A heading, which begins a section, with the names that it speaks of.
    fn heading(&mut self, level: HeadingLevel, inside: &[Event<'static>], rendered: &mut Vec<Event<'static>>) {
        let title = text_of(inside);
        let mut names: Vec<String> = names_at_start(inside);
        if names.is_empty() {
            names.push(slug(&title));
        }
        names.retain(|name| self.anchors.insert(name.clone()));
        let first = names.first().cloned().unwrap_or_else(|| slug(&title));
        let mut before = if self.contents.is_empty() { String::new() } else { "</section>\n".to_owned() };
        before.push_str("<section>");
        for name in names.iter().skip(1) {
            let _ = write!(before, "<a id=\"{name}\"></a>");
        }
        let _ = write!(before, "<{level} id=\"{first}\"><a class=\"self\" href=\"reference#{first}\">");
        rendered.push(markup(before));
        rendered.extend(inside.iter().cloned());
        rendered.push(markup(format!("</a></{level}>\n")));
        let _ =
            writeln!(self.contents, "<li class=\"{level}\"><a href=\"reference#{first}\">{}</a></li>", escaped(&title));
    }

    /// The whole page in its frame.
    pub(crate) fn page(&self, frame: &str) -> String {
        frame.replacen(CONTENTS_MARK, &self.contents, 1).replacen(TEXT_MARK, &self.text, 1)
    }

    /// Where a command, function or operator is described, relative to the page's base; `None` where it is not.
    pub(crate) fn place_of(&self, name: &str) -> Option<String> {
        let word = leading_word(name)?;
        self.anchors.contains(&word).then(|| format!("reference#{word}"))
    }
}

fn is_heading_end(event: &Event<'_>) -> bool {
    matches!(event, Event::End(TagEnd::Heading(_)))
}

fn is_code_end(event: &Event<'_>) -> bool {
    matches!(event, Event::End(TagEnd::CodeBlock))
}

fn is_row_start(before: &[Event<'_>]) -> bool {
    matches!(before.last(), Some(Event::Start(Tag::TableRow)))
}

fn markup(text: String) -> Event<'static> {
    Event::Html(CowStr::from(text))
}

/// The names with which a heading or cell begins: code with at most a comma or `to` between.
fn names_at_start(inside: &[Event<'_>]) -> Vec<String> {
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

/// The word with which a text begins, in small letters.
fn leading_word(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word: String = text.chars().take_while(|c| is_part(*c)).collect();
    word.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| word.to_ascii_lowercase())
}

/// The text inside, without markup.
fn text_of(inside: &[Event<'_>]) -> String {
    let texts = inside.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

/// A title as an anchor: `Functions of stats` is `functions-of-stats`.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// A block of code, with a link that tries it out where Explore can.
fn example(language: &str, code: &str) -> String {
    let query = match language {
        "insights" => Some(code.trim_end().to_owned()),
        "logql" => language::translate(code, language::Language::LogQl).ok(),
        "filter-pattern" => language::translate(code.trim_end(), language::Language::FilterPattern).ok(),
        "lucene" => language::translate(code.trim_end(), language::Language::Lucene).ok(),
        "kql" => language::translate(code.trim_end(), language::Language::Kql).ok(),
        _ => None,
    };
    let mut out = format!("<div class=\"example\"><pre tabindex=\"0\"><code>{}</code></pre>", escaped(code));
    if let Some(query) = query {
        let label = if language == "insights" { "Try it" } else { "Try it as Insights" };
        let _ = write!(out, "<a class=\"button try\" href=\"?q={}\">{label}</a>", in_address(&query));
    }
    out.push_str("</div>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text as the value of a parameter in an address.
fn in_address(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use language::{ChoiceKind, ParseOptions};

    use super::*;

    fn names(text: &str, kinds: &[ChoiceKind]) -> Vec<String> {
        let options = ParseOptions { now: types::Timestamp(0), time_zone: chrono_tz::Tz::UTC };
        let found = language::complete_insights(text, usize::MAX, &options);
        found.choices.into_iter().filter(|choice| kinds.contains(&choice.kind)).map(|choice| choice.label).collect()
    }

    #[test]
    fn every_command_and_function_has_an_anchor_of_its_own() {
        let reference = Reference::new();
        let all = [names("", &[ChoiceKind::Command]), names("stats ", &[ChoiceKind::Aggregate, ChoiceKind::Function])];
        assert!(all[0].len() > 30 && all[1].len() > 80, "{all:?}");
        let missing: Vec<&String> = all.iter().flatten().filter(|name| reference.place_of(name).is_none()).collect();
        assert_eq!(missing, Vec::<&String>::new());
        for word in ["like", "has", "in", "between", "and", "or", "not"] {
            assert_eq!(reference.place_of(word).as_deref(), Some(&*format!("reference#{word}")));
        }
        assert_eq!(reference.place_of("nothing-of-ours"), None);
    }

    #[test]
    fn anchors_stand_once_and_links_lead_to_one() {
        let reference = Reference::new();
        for anchor in &reference.anchors {
            assert_eq!(reference.text.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        }
        let links = reference.contents.split("href=\"reference#").chain(reference.text.split("href=\"reference#"));
        for link in links.filter(|rest| !rest.starts_with('<')) {
            let anchor = link.split('"').next().unwrap_or_default();
            assert!(reference.anchors.contains(anchor), "{anchor}");
        }
        assert_eq!(reference.text.matches("<section>").count(), reference.text.matches("</section>").count());
    }

    #[test]
    fn every_insights_example_can_be_tried_as_it_stands() {
        let reference = Reference::new();
        let n_examples = TEXT.matches("```insights\n").count();
        assert!(n_examples > 30);
        assert_eq!(reference.text.matches(">Try it</a>").count(), n_examples);
        let example = "stats count(*) by bin(1h)\n| sort count(*) desc";
        assert!(TEXT.contains(example) && reference.text.contains(&format!("href=\"?q={}\"", in_address(example))));
        assert!(reference.text.contains(">Try it as Insights</a>"));
    }

    #[test]
    fn signs_of_markup_in_the_text_stay_text() {
        let reference = Reference::new();
        assert!(reference.text.contains("(?&lt;kind&gt;[A-Z]+)"));
        assert!(!reference.text.contains("<kind>") && !reference.text.contains("<script"));
        assert_eq!(in_address("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
