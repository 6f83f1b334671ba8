//! One page of the manual: Markdown as HTML, its headings with anchors, its links with their addresses here.

use std::fmt::Write;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd, html};

use super::search::Section;
use crate::markdown::{self, escaped, example, language_of, leading_word, markup, text_of};

/// The pages in reading order, by their files below the root of the repository, without `.md`.
pub(super) const FILES: [&str; 54] = [
    "docs/README",
    "docs/tutorial",
    "docs/sending/README",
    "docs/sending/http",
    "docs/sending/opentelemetry",
    "docs/sending/traces",
    "docs/sending/loki",
    "docs/sending/elasticsearch",
    "docs/sending/cloudwatch",
    "docs/sending/splunk",
    "docs/sending/firehose",
    "docs/sending/buckets",
    "docs/sending/kafka",
    "docs/sending/datadog",
    "docs/sending/sentry",
    "docs/sending/syslog",
    "docs/sending/gelf",
    "docs/sending/forward",
    "docs/sending/lumberjack",
    "docs/sending/lines",
    "docs/sending/snmp",
    "docs/sending/journald",
    "docs/sending/scrape",
    "docs/sending/agents",
    "docs/shipping",
    "docs/programs",
    "docs/language",
    "docs/page",
    "docs/command_line",
    "docs/reading/README",
    "docs/reading/grafana",
    "docs/reading/loki",
    "docs/reading/elasticsearch",
    "docs/reading/cloudwatch",
    "docs/reading/tables",
    "docs/reading/traces",
    "docs/reading/prometheus",
    "docs/reading/traceql",
    "docs/alerts",
    "docs/causes",
    "docs/dashboards",
    "docs/ready_made",
    "docs/issues",
    "docs/agents",
    "docs/metrics",
    "docs/running",
    "docs/moving",
    "docs/fleet",
    "docs/security",
    "docs/api",
    "docs/troubleshooting",
    "docs/settings",
    "docs/changelog",
    "docs/licenses",
];

/// A page of the manual.
pub(super) struct Page {
    /// Relative to the page's base: `docs`, `docs/sending/loki`.
    pub(super) address: String,
    /// Its first heading.
    pub(super) title: String,
    /// Whether it belongs to the folder whose page comes before it.
    pub(super) is_in_folder: bool,
    pub(super) html: String,
    pub(super) sections: Vec<Section>,
}

/// The page whose rows begin with the codes of errors.
const TROUBLESHOOTING: &str = "docs/troubleshooting";

/// Files that are served somewhere else than below `/docs`, or under another name.
const ELSEWHERE: [(&str, &str); 4] = [
    ("grammar/README.md", "reference"),
    ("config/catat.toml", "docs/settings"),
    ("CHANGELOG.md", "docs/changelog"),
    ("LICENSES.md", "docs/licenses"),
];

impl Page {
    /// Renders the page of `file`, a path below the root of the repository without `.md`.
    pub(super) fn render(file: &str, text: &str) -> Self {
        let address = address_of(file);
        let title = markdown::events(text);
        let title =
            title.get(1..).map(|events| text_of(&events[..markdown::length_inside(events)])).unwrap_or_default();
        let mut names = Anchors::default();
        let sections = sections_of(text, &address, &title, |inside| names.name(&text_of(inside)));
        let html = html_of(file, &address, text, &sections);
        let is_in_folder = file.matches('/').count() > 1 && !file.ends_with("/README");
        Self { address, title, is_in_folder, html, sections }
    }
}

/// Returns the address of a page by its file: a folder's `README` is the page of the folder.
pub(super) fn address_of(file: &str) -> String {
    let page = file.strip_suffix("README").unwrap_or(file);
    page.trim_end_matches('/').to_owned()
}

/// Anchors of the headings of one page, named as GitHub names them.
#[derive(Default)]
struct Anchors(Vec<String>);

impl Anchors {
    fn name(&mut self, title: &str) -> String {
        let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let first: String =
            title.to_lowercase().chars().filter(|c| kept(*c)).map(|c| if c == ' ' { '-' } else { c }).collect();
        let is_free = |name: &String| !self.0.contains(name);
        let numbered = (1..).map(|n| format!("{first}-{n}"));
        let name = std::iter::once(first.clone()).chain(numbered).find(is_free).unwrap_or(first);
        self.0.push(name.clone());
        name
    }
}

/// Cuts a text at its headings. `name` gives each heading its anchor on the page at `address`.
pub(super) fn sections_of(
    text: &str,
    address: &str,
    title: &str,
    mut name: impl FnMut(&[Event<'_>]) -> String,
) -> Vec<Section> {
    let (events, mut sections, mut at) = (markdown::events(text), Vec::<Section>::new(), 0);
    while at < events.len() {
        if let Event::Start(Tag::Heading { level, .. }) = &events[at] {
            let inside = &events[at + 1..][..markdown::length_inside(&events[at + 1..])];
            sections.push(Section {
                place: format!("{address}#{}", name(inside)),
                page: title.to_owned(),
                heading: text_of(inside),
                level: *level as usize,
                text: String::new(),
            });
            at += inside.len();
        } else if let Some(section) = sections.last_mut() {
            match &events[at] {
                Event::Text(text) | Event::Code(text) => section.text.push_str(text),
                Event::SoftBreak | Event::HardBreak => section.text.push(' '),
                Event::End(tag) if !is_within_line(*tag) => section.text.push(' '),
                _ => {}
            }
        }
        at += 1;
    }
    sections
}

/// Reports whether an element is a part of a line, such as emphasis.
fn is_within_line(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

fn html_of(file: &str, address: &str, text: &str, sections: &[Section]) -> String {
    let (events, mut rendered, mut at) = (markdown::events(text), Vec::new(), 0);
    let (mut anchors, mut is_link_open) = (Anchors::default(), true);
    let anchor_of =
        |section: &Section| section.place.split_once('#').map_or(String::new(), |(_, name)| name.to_owned());
    let mut known: Vec<String> = sections.iter().map(anchor_of).collect();
    while at < events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { level, .. }) => {
                let inside = &events[at + 1..][..markdown::length_inside(&events[at + 1..])];
                let name = anchors.name(&text_of(inside));
                let before = if rendered.is_empty() { "" } else { "</section>\n" };
                rendered.push(markup(format!(
                    "{before}<section><{level} id=\"{name}\"><a class=\"self\" href=\"{address}#{name}\">"
                )));
                rendered.extend(inside.iter().cloned());
                rendered.push(markup(format!("</a></{level}>\n")));
                at += inside.len() + 1;
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let inside = &events[at + 1..][..markdown::length_inside(&events[at + 1..])];
                rendered.push(markup(example(language_of(kind), &text_of(inside))));
                at += inside.len() + 1;
            }
            Event::Start(Tag::TableCell)
                if file == TROUBLESHOOTING
                    && matches!(events.get(at.wrapping_sub(1)), Some(Event::Start(Tag::TableRow))) =>
            {
                rendered.push(events[at].clone());
                rendered.extend(code_anchors(&events[at + 1..], &mut known));
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let target = target_of(file, dest_url);
                is_link_open = target.is_some();
                rendered.extend(target.map(|target| markup(format!("<a href=\"{}\">", escaped(&target)))));
            }
            Event::End(TagEnd::Link) => rendered.extend(is_link_open.then(|| markup("</a>".to_owned()))),
            Event::Html(text) | Event::InlineHtml(text) => rendered.push(Event::Text(CowStr::from(text.to_string()))),
            event => rendered.push(event.clone()),
        }
        at += 1;
    }
    let mut out = String::new();
    html::push_html(&mut out, rendered.into_iter());
    out.push_str("</section>\n");
    out
}

/// Gives the first cell of a row an anchor for each error code that it begins with, so that errors can link to it.
fn code_anchors(cell: &[Event<'_>], known: &mut Vec<String>) -> Vec<Event<'static>> {
    let mut anchors = Vec::new();
    for event in cell {
        match event {
            Event::Code(code) if is_error_code(code) && !known.contains(&code.to_string()) => {
                known.push(code.to_string());
                anchors.push(markup(format!("<a id=\"{code}\"></a>")));
            }
            Event::Code(_) => {}
            Event::Text(text) if text.trim() == "," => {}
            _ => break,
        }
    }
    anchors
}

/// Reports whether a text has the form of an error's code: small letters, with hyphens between words.
fn is_error_code(text: &str) -> bool {
    leading_word(text).is_some() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Returns the address that a link in `file` leads to; `None` where it leads to a file that is not served.
pub(super) fn target_of(file: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Some(link.to_owned());
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let anchor = anchor.map_or(String::new(), |anchor| format!("#{anchor}"));
    if path.is_empty() {
        return Some(format!("{}{anchor}", address_of(file)));
    }
    let target = resolve(file, path);
    if let Some((_, address)) = ELSEWHERE.iter().find(|(known, _)| *known == target) {
        return Some(format!("{address}{anchor}"));
    }
    let page = target.strip_suffix(".md").filter(|page| FILES.contains(page))?;
    Some(format!("{}{anchor}", address_of(page)))
}

/// Resolves a path relative to the folder of `file`.
fn resolve(file: &str, path: &str) -> String {
    // The change log lies at the root, whatever its address is.
    let folder = if file == "docs/changelog" { "" } else { file.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Makes a page of the settings file: a heading for each section, its lines as code.
pub(super) fn settings(file: &str) -> String {
    let (mut page, mut code) = ("# Settings\n".to_owned(), String::new());
    for line in file.lines() {
        let name = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name {
            add_block(&mut page, &std::mem::take(&mut code));
            let _ = write!(page, "\n## `[{name}]`\n");
        }
        code.push_str(line);
        code.push('\n');
    }
    add_block(&mut page, &code);
    page
}

fn add_block(page: &mut String, code: &str) {
    if !code.trim().is_empty() {
        let _ = write!(page, "\n```toml\n{}\n```\n", code.trim_end());
    }
}
