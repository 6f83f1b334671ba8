//! `/reference`: the language reference (`grammar/README.md`, the text of `catat help query`) as a page.
//!
//! The text is built into the binary and rendered once, into the frame `reference.html` of the page's files. Every heading
//! has an anchor; so has every command, function and operator under its own name in small letters, since a heading or
//! the first cell of a table's row begins with it: `/reference#stats`. Examples have a link that opens them in
//! Explore, those of other languages in translation. Nothing in it comes from events or from a request.

use std::collections::BTreeSet;
use std::fmt::Write;

use pulldown_cmark::{Event, HeadingLevel, Tag, html};

use crate::markdown::{self, escaped, example, language_of, leading_word, markup, names_at_start, slug, text_of};

/// The reference, as people write it.
pub(crate) const TEXT: &str = include_str!("../../../grammar/README.md");

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
        let events: Vec<Event<'static>> = markdown::events(TEXT);
        let mut reference = Self::default();
        let mut rendered = Vec::with_capacity(events.len() + events.len() / 8);
        let mut at = 0;
        while at < events.len() {
            match &events[at] {
                Event::Start(Tag::Heading { level, .. }) => {
                    let level = *level;
                    let end = at + markdown::length_inside(&events[at..]);
                    reference.heading(level, &events[at + 1..end], &mut rendered);
                    at = end + 1;
                    continue;
                }
                Event::Start(Tag::TableCell) if matches!(events[..at].last(), Some(Event::Start(Tag::TableRow))) => {
                    let names: Vec<String> = names_at_start(&events[at + 1..]);
                    rendered.push(events[at].clone());
                    for name in names {
                        if reference.anchors.insert(name.clone()) {
                            rendered.push(markup(format!("<a id=\"{name}\"></a>")));
                        }
                    }
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let end = at + markdown::length_inside(&events[at..]);
                    rendered.push(markup(example(language_of(kind), &text_of(&events[at + 1..end]))));
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
        let mut names = anchors_of(inside);
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

    /// Returns the whole page in its frame.
    pub(crate) fn page(&self, frame: &str) -> String {
        frame.replacen(CONTENTS_MARK, &self.contents, 1).replacen(TEXT_MARK, &self.text, 1)
    }

    /// Returns the link to the description of a command, function or operator, relative to the base of the page; `None` without one.
    pub(crate) fn place_of(&self, name: &str) -> Option<String> {
        let word = leading_word(name)?;
        self.anchors.contains(&word).then(|| format!("reference#{word}"))
    }
}

/// Returns the anchors of a heading: the names that it begins with, or else its words.
pub(crate) fn anchors_of(heading: &[Event<'_>]) -> Vec<String> {
    let names = names_at_start(heading);
    if names.is_empty() { vec![slug(&text_of(heading))] } else { names }
}

#[cfg(test)]
mod tests;
