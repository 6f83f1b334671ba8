//! The text of a panel: Markdown as HTML. Markup within it is text, pictures are their words, links lead to http(s) and mail.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

use super::html::visible;
use super::model::Page;
use crate::fill::title_of;

/// Returns a text as HTML, with what was chosen for the variables that it names.
pub(super) fn markdown(page: &Page<'_>, text: &str) -> String {
    // Values are texts: they are put in once it is known what is Markdown.
    let shown = |text: &str| Event::Text(visible(&title_of(text, page.choices, page.locale)).into());
    let mut open_links = Vec::new();
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => Some(shown(&text)),
        Event::Code(text) => Some(Event::Code(visible(&title_of(&text, page.choices, page.locale)).into())),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let leads = ["http://", "https://", "mailto:"].iter().any(|scheme| dest_url.starts_with(scheme));
            open_links.push(leads);
            leads.then_some(event)
        }
        Event::End(TagEnd::Link) => open_links.pop().unwrap_or_default().then_some(event),
        // The panel's title is above it.
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Some(Event::Start(Tag::Heading { level: HeadingLevel::H4, id, classes, attrs }))
        }
        Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Heading(HeadingLevel::H4))),
        other => Some(other),
    });
    let mut out = String::from("<div class=\"text\">\n");
    push_html(&mut out, events);
    out + "</div>\n"
}
