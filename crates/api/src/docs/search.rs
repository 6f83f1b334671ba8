//! The search of the manual: sections that contain all words, those with the words in their headings first.

use std::fmt::Write;

use crate::markdown::escaped;

/// Results that are shown.
const RESULTS_MAX: usize = 30;
/// Words of a search that are looked for.
const WORDS_MAX: usize = 10;
/// Bytes of text that are shown around the first word found.
const BYTES_BEFORE: usize = 70;
const BYTES_SHOWN: usize = 240;

/// The text under one heading.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Its address with the anchor.
    pub(super) place: String,
    /// The title of its page.
    pub(super) page: String,
    pub(super) heading: String,
    /// 1 for the title of a page.
    pub(super) level: usize,
    pub(super) text: String,
}

/// Returns what a search finds, as HTML.
pub(super) fn results(sections: &[Section], words: &str) -> String {
    let found = find(sections, words);
    let shown = escaped(words);
    let mut out = format!("<section class=\"results\"><h1>Search: {shown}</h1>\n<p class=\"dim\" role=\"status\">");
    let _ = match found.len() {
        0 => write!(out, "No section contains {shown}. Try fewer or shorter words."),
        1 => write!(out, "1 section"),
        n if n > RESULTS_MAX => write!(out, "The best {RESULTS_MAX} of {n} sections"),
        n => write!(out, "{n} sections"),
    };
    out.push_str("</p>\n<ol>\n");
    let words = words_of(words);
    for section in found.into_iter().take(RESULTS_MAX) {
        let page = if section.level == 1 {
            String::new()
        } else {
            format!("<span class=\"dim\">{} › </span>", escaped(&section.page))
        };
        let _ = writeln!(
            out,
            "<li>{page}<a href=\"{}\">{}</a><p>{}</p></li>",
            section.place,
            marked(&section.heading, &words),
            marked(excerpt(&section.text, &words), &words)
        );
    }
    out.push_str("</ol></section>\n");
    out
}

/// Returns the sections that contain every word, best first.
fn find<'a>(sections: &'a [Section], words: &str) -> Vec<&'a Section> {
    let (phrase, words) = (words.to_ascii_lowercase(), words_of(words));
    let scored = sections.iter().filter_map(|section| Some((score(section, &phrase, &words)?, section)));
    let mut found: Vec<(usize, &Section)> = scored.collect();
    // Sections of equal score keep the order of the manual.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, section)| section).collect()
}

fn words_of(text: &str) -> Vec<String> {
    text.split_whitespace().take(WORDS_MAX).map(str::to_ascii_lowercase).collect()
}

/// Returns how well a section fits; `None` where a word is in neither its heading, its text nor the title of its page.
fn score(section: &Section, phrase: &str, words: &[String]) -> Option<usize> {
    let lower = [&section.heading, &section.page, &section.text].map(|text| text.to_ascii_lowercase());
    let [heading, page, text] = &lower;
    let mut score = 0;
    for word in words {
        let in_heading = usize::from(heading.contains(word)) * 8 + usize::from(starts_word(heading, word)) * 4;
        let in_page = usize::from(page.contains(word)) * 3;
        let in_text = text.matches(&**word).count().min(3) + usize::from(starts_word(text, word));
        match in_heading + in_page + in_text {
            0 => return None,
            n => score += n,
        }
    }
    let phrase_bonus = usize::from(heading.contains(phrase)) * 12 + usize::from(text.contains(phrase)) * 4;
    Some(score + if words.len() > 1 { phrase_bonus } else { 0 })
}

/// Reports whether a word of the text begins with `word`.
fn starts_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Returns the part of a text around the first of the words in it.
fn excerpt<'a>(text: &'a str, words: &[String]) -> &'a str {
    let lower = text.to_ascii_lowercase();
    let first = words.iter().filter_map(|word| lower.find(&**word)).min().unwrap_or(0);
    let start = text.floor_char_boundary(first.saturating_sub(BYTES_BEFORE));
    // From the beginning of a word on.
    let start = if start == 0 { 0 } else { text[start..first].find(' ').map_or(start, |space| start + space + 1) };
    text[start..text.floor_char_boundary((start + BYTES_SHOWN).min(text.len()))].trim()
}

/// Returns a text as HTML with the words marked.
fn marked(text: &str, words: &[String]) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut at) = (String::new(), 0);
    while at < text.len() {
        let next = words.iter().filter_map(|word| Some((at + lower[at..].find(&**word)?, word.len()))).min();
        let Some((start, length)) = next.filter(|(_, length)| *length > 0) else { break };
        let end = start + length;
        let _ = write!(out, "{}<mark>{}</mark>", escaped(&text[at..start]), escaped(&text[start..end]));
        at = end;
    }
    out.push_str(&escaped(&text[at..]));
    out
}

#[cfg(test)]
mod tests;
