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

fn is_row_start(before: &[Event<'_>]) -> bool {
    matches!(before.last(), Some(Event::Start(Tag::TableRow)))
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
        assert!(
            TEXT.contains(example)
                && reference.text.contains(&format!("href=\"?q={}\"", types::percent_encoded(example)))
        );
        assert!(reference.text.contains(">Try it as Insights</a>"));
    }

    #[test]
    fn signs_of_markup_in_the_text_stay_text() {
        let reference = Reference::new();
        assert!(reference.text.contains("(?&lt;kind&gt;[A-Z]+)"));
        assert!(!reference.text.contains("<kind>") && !reference.text.contains("<script"));
        assert_eq!(types::percent_encoded("a b&c=é"), "a%20b%26c%3D%C3%A9");
    }
}
