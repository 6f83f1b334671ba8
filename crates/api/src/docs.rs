//! `/docs`: the manual (`docs/`) with its contents and a search.
//!
//! The pages are built into the binary and rendered once, into the frame `docs.html` of the page's files; `README.md` of a
//! folder is the page of the folder. The settings file and the change log are pages, too. A link to a page leads to its
//! address here and to its file on disk; a link to a file that is served nowhere becomes text. Nothing on a page comes
//! from events; of a request, the search shows the words that it looked for.

mod render;
mod search;

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use types::percent_encoded;

use crate::markdown::escaped;
use crate::state::Call;
use crate::{embedded, page, reference};
use door::{Outcome, Reply};

use render::{FILES, Page};
use search::Section;

const SETTINGS: &str = include_str!("../../../config/catat.toml");
const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");
/// Everything from outside that is in the executable, with the texts of its licences.
pub const LICENSES: &str = include_str!("../../../LICENSES.md");

/// Where the frame takes the title, the contents and the text.
const TITLE_MARK: &str = "<!-- title -->";
const CONTENTS_MARK: &str = "<!-- contents -->";
const TEXT_MARK: &str = "<!-- text -->";
/// The empty value of the search field in the frame.
const EMPTY_FIELD: &str = "value=\"\"";

/// Names of the parameters.
const PARAMETERS: [&str; 1] = ["q"];

/// Characters of a search that are looked for.
const SEARCH_CHARS_MAX: usize = 200;

/// The manual. It is the same for every server of this executable.
static MANUAL: LazyLock<Manual> = LazyLock::new(Manual::new);

/// Answers `/docs`: the first page, or what a search finds.
pub(crate) fn index(Call { parameters, parts, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let headers = &parts.headers;
    let Some(words) = parameters.get("q").map(str::trim).filter(|words| !words.is_empty()) else {
        return Ok(Reply::Whole(MANUAL.answer("", headers)));
    };
    let words: String = words.chars().take(SEARCH_CHARS_MAX).collect();
    let text = search::results(&MANUAL.sections, &words);
    Ok(Reply::Whole(page::html(Frame { title: "Search", at: None, words: &words, text: &text }.fill(), headers)))
}

/// Answers `/docs/…`: one page, also by the name of its file.
pub(crate) fn get(Call { parts, .. }: Call) -> Outcome {
    Ok(Reply::Whole(page_at(parts.uri.path(), &parts.headers)))
}

/// Returns the page at a path below `/docs/`.
pub fn page_at(path: &str, headers: &HeaderMap) -> Response {
    MANUAL.answer(path.trim_start_matches("/docs"), headers)
}

/// The rendered pages and their sections.
struct Manual {
    pages: Vec<Page>,
    /// What a search looks through: the sections of all pages, then those of the language reference.
    sections: Vec<Section>,
}

impl Manual {
    fn new() -> Self {
        let pages: Vec<Page> = FILES.iter().map(|file| Page::render(file, &source_of(file))).collect();
        // Licences are no answer to a question.
        let searched = pages.iter().filter(|page| page.address != "docs/licenses");
        let mut sections: Vec<Section> = searched.flat_map(|page| page.sections.iter().cloned()).collect();
        sections.extend(render::sections_of(reference::TEXT, "reference", "Query language", |inside| {
            reference::anchors_of(inside).swap_remove(0)
        }));
        Self { pages, sections }
    }

    fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        let name = name.trim_matches('/');
        let name = name.strip_suffix(".md").unwrap_or(name);
        let address = render::address_of(&format!("docs/{name}"));
        if let Some(page) = self.pages.iter().find(|page| page.address == address) {
            let frame = Frame { title: &page.title, at: Some(page), words: "", text: &page.html };
            return page::html(frame.fill(), headers);
        }
        let shown = escaped(name);
        let text = format!(
            "<section><h1>There is no page {shown}</h1>\n<p>Choose one from the contents, or \
             <a href=\"docs?q={}\">search for {shown}</a>.</p></section>",
            percent_encoded(name)
        );
        let html = Frame { title: "Not found", at: None, words: "", text: &text }.fill();
        (StatusCode::NOT_FOUND, page::html(html, &HeaderMap::new())).into_response()
    }

    /// Writes the list of pages, with the headings of the one that is shown.
    fn contents(&self, at: Option<&Page>) -> String {
        let mut out = String::new();
        for page in &self.pages {
            let is_shown = at.is_some_and(|at| at.address == page.address);
            let level = if page.is_in_folder { "h3" } else { "h2" };
            let current = if is_shown { " aria-current=\"page\"" } else { "" };
            let (address, title) = (&page.address, escaped(&page.title));
            let _ = writeln!(out, "<li class=\"{level}\"><a href=\"{address}\"{current}>{title}</a></li>");
            for section in page.sections.iter().filter(|section| is_shown && section.level == 2) {
                let (place, heading) = (&section.place, escaped(&section.heading));
                let _ = writeln!(out, "<li class=\"within\"><a href=\"{place}\">{heading}</a></li>");
            }
        }
        out
    }
}

/// What is put into the frame.
struct Frame<'a> {
    title: &'a str,
    at: Option<&'a Page>,
    words: &'a str,
    text: &'a str,
}

impl Frame<'_> {
    /// Returns the whole page.
    fn fill(&self) -> String {
        page::manual_frame()
            .replacen(TITLE_MARK, &escaped(self.title), 1)
            .replacen(EMPTY_FIELD, &format!("value=\"{}\"", escaped(self.words)), 1)
            .replacen(CONTENTS_MARK, &MANUAL.contents(self.at), 1)
            .replacen(TEXT_MARK, self.text, 1)
    }
}

/// Returns the text of a page.
fn source_of(file: &str) -> String {
    match file {
        "docs/settings" => render::settings(SETTINGS),
        "docs/changelog" => CHANGELOG.to_owned(),
        "docs/licenses" => LICENSES.to_owned(),
        file => {
            let name = file.strip_prefix("docs/").unwrap_or(file);
            embedded::MANUAL.text(&format!("{name}.md")).into_owned()
        }
    }
}

#[cfg(test)]
mod tests;
