//! Yes, no and perhaps, never a wrong no.

use proptest::prelude::*;

use super::super::{Granularity, Parts, TemplateText, split};
use super::*;

/// 2026-11-19T08:07:06Z.
const NEAR: i64 = 1_795_075_626_000_000_000;

fn template(message: &str, grain: Granularity) -> Option<TemplateText> {
    let mut parts = Parts::default();
    split(message, NEAR, grain, &mut parts).then(|| TemplateText::of(&[parts.template]))
}

fn ask(template: &TemplateText, literal: &str, ignores_case: bool) -> TemplateMatch {
    LiteralMatcher::new(literal, ignores_case).ask(template.template(0).expect("just added"))
}

fn within(kinds: &[Kind]) -> TemplateMatch {
    let mut within = Kinds::default();
    kinds.iter().for_each(|kind| within.insert(*kind));
    TemplateMatch::Within(within)
}

fn check(message: &str, literal: &str, ignores_case: bool, expected: TemplateMatch) {
    let template = template(message, Granularity::Fine).expect("no markers");
    assert_eq!(ask(&template, literal, ignores_case), expected, "{literal} in {message}");
}

#[test]
fn templates_say_yes_no_or_perhaps() {
    let message = "connection refused by 10.0.0.1";
    check(message, "nnection refu", false, TemplateMatch::Yes);
    check(message, "Refused", false, TemplateMatch::No);
    check(message, "Refused", true, TemplateMatch::Yes);
    check(message, "by 77", false, TemplateMatch::Perhaps);
    check(message, "by x", false, TemplateMatch::No);
    check(message, "10.0", false, within(&[Kind::Address]));
}

#[test]
fn a_time_may_hold_what_it_could_be_spelled_with_and_nothing_else() {
    let message = "Nov 19 08:07:06 host up";
    check(message, "Dec 3", false, within(&[Kind::Time]));
    check(message, "dec 3", false, TemplateMatch::No);
    check(message, "dec 3", true, within(&[Kind::Time]));
    check(message, "12:00:00 host", false, TemplateMatch::Perhaps);
    check(message, "refused", false, TemplateMatch::No);
    check(message, "ar", false, within(&[Kind::Time]));
    check("2026-11-19 08:07:06 host up", "ar", false, TemplateMatch::No);
    check("2026-11-19T08:07:06.392Z up", "2Z up", false, TemplateMatch::Perhaps);
    check("2026-11-19T08:07:06.392Z up", "9T08", false, within(&[Kind::Time]));
    check("2026-11-19T08:07:06.392Z up", "9T080", false, TemplateMatch::No);
}

#[test]
fn what_can_only_lie_within_one_variable_is_told_by_its_kind() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    check("trace_id=00f067aa0ba902b7 done", trace, false, within(&[Kind::Hex]));
    check("trace_id=00f067aa0ba902b7 done", &trace.to_ascii_uppercase(), false, TemplateMatch::No);
    check("trace_id=00f067aa0ba902b7 done", &trace.to_ascii_uppercase(), true, within(&[Kind::Hex]));
    check("from 10.0.0.1 for u77", "192.168.1.1", false, within(&[Kind::Address]));
    check("from 10.0.0.1 for u77", "192.168.1.1.1", false, TemplateMatch::No);
    check("5.6.7 of 8", "6.7", false, TemplateMatch::Perhaps);
    check("request 6f1c1b1e-9a0b-4c57-8a5e-0c6d1f2e3a4b done", "9a0b-4c57-", false, within(&[Kind::Uuid]));
    check("request 6f1c1b1e-9a0b-4c57-8a5e-0c6d1f2e3a4b done", trace, false, TemplateMatch::No);
    check("user 77 of x9", "12345", false, within(&[Kind::Integer, Kind::Text]));
    check("user 77 of x9", "1234567890123456789", false, within(&[Kind::Text]));
    // The rest of it may follow the number.
    let long = format!("{} of", "1".repeat(66));
    check("x9 of", &long, false, TemplateMatch::Perhaps);
}

#[test]
fn a_quote_far_behind_in_the_literal_lets_a_quoted_text_take_part_in_it() {
    let quoted = "abc ".repeat(20);
    let template = template(&format!("said \"{quoted}\" loudly"), Granularity::Coarse).expect("no markers");
    let ask = |literal: &str| ask(&template, literal, false);
    assert_eq!(ask(&format!("{}\" loudly", &quoted[4..])), TemplateMatch::Perhaps);
    assert_eq!(ask(&quoted[4..]), TemplateMatch::No);
}

fn holds(message: &str, literal: &str, ignores_case: bool) -> bool {
    match ignores_case {
        true => message.to_ascii_lowercase().contains(&literal.to_ascii_lowercase()),
        false => message.contains(literal),
    }
}

proptest! {
    #[test]
    fn what_a_message_holds_its_template_never_denies(
        message in "([a-f0-9 .:/x\u{e9}-]{0,20}|Nov [ 1]9 08:07:06|\"[a-c1 ]{0,6}\"|2026-11-1[0-9]T0[0-9]:07:06\\.1Z| Thu Nov 19 08:07:06 2026){0,5}",
        from in 0usize..80, length in 1usize..70, ignores_case in any::<bool>(), is_coarse in any::<bool>(),
    ) {
        let literal: String = message.chars().skip(from).take(length).collect();
        let grain = if is_coarse { Granularity::Coarse } else { Granularity::Fine };
        if let (Some(template), false) = (template(&message, grain), literal.is_empty()) {
            let said = ask(&template, &literal, ignores_case);
            let may_be_quoted = template.template(0).expect("just added").has_quoted() && !literal.contains('"');
            prop_assert!(said != TemplateMatch::No || may_be_quoted, "{} in {}", literal, message);
            let other = ask(&template, "a 1", ignores_case);
            prop_assert!(other != TemplateMatch::Yes || holds(&message, "a 1", ignores_case));
        }
    }
}

impl Template<'_> {
    /// Reports whether a variable is a quoted text, which may hold anything.
    fn has_quoted(self) -> bool {
        self.variables().any(|(_, slot)| slot.kind == Kind::Quoted)
    }
}
