//! Anchors, links and examples of the reference.

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
        TEXT.contains(example) && reference.text.contains(&format!("href=\"?q={}\"", types::percent_encoded(example)))
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
