//! The order of the sections found, and the marks in them.

use super::*;

fn section(heading: &str, text: &str) -> Section {
    let [place, page] = ["docs/x#y", "Page"].map(str::to_owned);
    Section { place, page, heading: heading.to_owned(), level: 2, text: text.to_owned() }
}

#[test]
fn sections_with_the_words_in_their_heading_come_first_and_all_words_count() {
    let sections =
        [section("Sizing", "a full disk"), section("Disk full", "what happens then"), section("Disk", "nothing more")];
    let found: Vec<&str> = find(&sections, "Disk FULL").iter().map(|section| &*section.heading).collect();
    assert_eq!(found, ["Disk full", "Sizing"]);
    assert!(results(&sections, "nowhere").contains("No section contains nowhere"));
}

#[test]
fn what_is_looked_for_is_marked_and_never_markup() {
    let html = results(&[section("A <b>", "x <script> é Script & more")], "script <b>");
    assert!(html.contains("A <mark>&lt;b&gt;</mark>"), "{html}");
    assert!(html.contains("x &lt;<mark>script</mark>&gt; é <mark>Script</mark> &amp; more"), "{html}");
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    assert_eq!(marked("ééé", &["é".to_owned()]), "<mark>é</mark><mark>é</mark><mark>é</mark>");
}
