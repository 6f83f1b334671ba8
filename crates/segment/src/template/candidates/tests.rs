//! All templates together and each by itself.

use proptest::prelude::*;

use super::super::{Granularity, Parts, split};
use super::*;

proptest! {
    #[test]
    fn all_templates_say_what_each_says(
        messages in prop::collection::vec(
            "([a-f0-9 .:/x\u{e9}-]{0,20}|Nov [ 1]9 08:07:06|\"[a-c1 ]{0,6}\"|1-2/3| Thu Nov 19 08:07:06 2026){0,5}", 1..12),
        which in 0usize..12, from in 0usize..60, length in 1usize..70, ignores_case in any::<bool>(), is_coarse in any::<bool>(),
    ) {
        let grain = if is_coarse { Granularity::Coarse } else { Granularity::Fine };
        let (mut all, mut ends) = (Vec::new(), Vec::new());
        for message in &messages {
            let mut parts = Parts::default();
            if split(message, 1_795_075_626_000_000_000, grain, &mut parts) {
                all.extend_from_slice(&parts.template);
                ends.push(all.len() as u32);
            }
        }
        let written = TemplateText::new(&all, ends, 2).expect("just made");
        let chosen = &messages[which % messages.len()];
        let literals = [chosen.chars().skip(from).take(length).collect::<String>(), "1".into(), "a 1".into(), "c".into()];
        for literal in literals.iter().filter(|literal| !literal.is_empty()) {
            let matcher = LiteralMatcher::new(literal, ignores_case);
            let each: Vec<TemplateMatch> = written.iter().map(|template| matcher.ask(template)).collect();
            prop_assert_eq!(matcher.ask_all(&written), each, "{}", literal);
        }
    }
}
