//! The manual as it is served: every page is there, every link leads somewhere. That links on disk do, `tests/it/documents.rs` checks.

use std::collections::BTreeSet;

use super::*;
use door::Problem;

fn links_of(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_file_of_the_manual_is_a_page_in_the_contents() {
    let listed: BTreeSet<String> = FILES.iter().map(|file| format!("{file}.md")).collect();
    for file in embedded::MANUAL.names() {
        assert!(listed.contains(&format!("docs/{file}")), "docs/{file} is not in FILES");
    }
    let contents = MANUAL.contents(None);
    for page in &MANUAL.pages {
        assert!(!page.title.is_empty() && page.html.contains("<h1 "), "{} has no title", page.address);
        assert!(contents.contains(&format!("href=\"{}\"", page.address)), "{}", page.address);
    }
}

#[test]
fn links_lead_to_a_page_or_section_here() {
    let places: BTreeSet<&str> = MANUAL.sections.iter().map(|section| &*section.place).collect();
    let anchors = |anchor: &str| MANUAL.pages.iter().any(|page| page.html.contains(&format!("id=\"{anchor}\"")));
    for file in FILES.iter().filter(|file| **file != "docs/settings") {
        let source = source_of(file);
        for link in links_of(&source).filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let anchor = link.split_once('#').map_or("", |(_, anchor)| anchor);
            let Some(target) = render::target_of(file, link) else { continue };
            let is_known = anchor.is_empty() || places.contains(&*target) || anchors(anchor);
            assert!(is_known, "{file}.md: {link} leads to no heading ({target})");
        }
    }
}

#[test]
fn markup_is_whole_and_links_have_addresses_of_this_server() {
    for page in &MANUAL.pages {
        let count = |tag: &str| page.html.matches(tag).count();
        assert_eq!(count("<section>"), count("</section>"), "{}", page.address);
        assert_eq!(count("<a "), count("</a>"), "{}", page.address);
        assert!(!page.html.contains(".md\"") && !page.html.contains("href=\"../"), "{}", page.address);
        let ids: Vec<&str> = page.html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}: {ids:?}", page.address);
    }
}

#[test]
fn settings_and_codes_of_errors_can_be_linked_to() {
    let page = |address: &str| MANUAL.pages.iter().find(|page| page.address == address).expect("a page");
    assert!(page("docs/settings").html.contains("id=\"storage\"") && page("docs/settings").html.contains("flush_age"));
    for code in ["disk-full", "bad-key", "bad-body", "bad-message"] {
        assert_eq!(page("docs/troubleshooting").html.matches(&format!("id=\"{code}\"")).count(), 1, "{code}");
    }
}

#[test]
fn a_search_finds_headings_settings_and_functions() {
    let first = |words: &str| {
        let html = search::results(&MANUAL.sections, words);
        html.split("<a href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    };
    assert_eq!(first("disk full"), "docs/running#disk-full");
    assert_eq!(first("count_distinct"), "reference#functions-of-stats");
    assert_eq!(first("flush_age"), "docs/settings#storage");
}

#[test]
fn a_problem_without_a_hint_names_the_row_that_explains_it() {
    let troubleshooting = MANUAL.pages.iter().find(|page| page.address == "docs/troubleshooting").expect("a page");
    let hint_of = |problem: Problem| problem.to_json()["hint"].as_str().map(str::to_owned);
    for code in ["disk-full", "bad-key", "bad-body", "bad-message", "not-allowed", "key-rate", "busy"] {
        let hint = hint_of(Problem::bad_request(code, "x")).unwrap_or_default();
        assert_eq!(hint, format!("see /docs/troubleshooting#{code}"));
        assert!(troubleshooting.html.contains(&format!("id=\"{code}\"")), "{code}");
    }
    assert_eq!(hint_of(Problem::bad_request("busy", "x").hint("wait")).as_deref(), Some("wait"));
    assert_eq!(hint_of(Problem::bad_request("no-such-code", "x")), None);
}
