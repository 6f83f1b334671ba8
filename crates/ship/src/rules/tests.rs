//! Rules at the edge: positions stay, what is to be hidden is hidden, everything else is as it was.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn rules(definition: &Json) -> Rules {
    Rules::of(&Node::root("input", definition)).expect("valid")
}

fn applied(definition: &Json, bytes: &[u8], lengths: Option<&[u64]>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    rules(definition).apply(&mut bytes, lengths, SourcePosition { file: "f", generation: 0, start: 0 });
    bytes
}

fn check(definition: Json, text: &str, expected: &str) {
    assert_eq!(String::from_utf8_lossy(&applied(&definition, text.as_bytes(), None)), expected, "{definition}");
}

#[test]
fn dropped_events_are_line_ends_and_the_others_are_as_they_were() {
    check(json!({"drop": "healthz"}), "a\nGET /healthz\nb", "a\n\n\n\n\n\n\n\n\n\n\n\n\n\nb");
    check(json!({"keep": ["^a", "^c"]}), "a\nb\nc\n", "a\n\n\nc\n");
    check(json!({"keep": "^a", "drop": "x"}), "ax\nay\n", "\n\n\nay\n");
    let trace = b"boom\n\tat x\nnext\n";
    assert_eq!(applied(&json!({"drop": "at x"}), trace, Some(&[11, 5])), b"\n\n\n\n\n\n\n\n\n\n\nnext\n");
}

#[test]
fn masked_texts_are_stars_of_the_same_length() {
    check(
        json!({"mask": ["email", "token"]}),
        "u=bob@example.com password=hunter2 ok\n",
        "u=*************** password=******* ok\n",
    );
    check(json!({"mask": {"pattern": "s[0-9]+"}}), "a s123 b\n", "a **** b\n");
    check(json!({"mask": "card"}), "paid 4111 1111 1111 1111.", "paid *******************.");
    check(json!({"mask": "email"}), "{\"m\":\"x bob\\u0040example.com\"}\n", "{\"m\":\"**********************\"}\n");
    let wild = applied(&json!({"mask": "email"}), b"\xe2\x82 bob@example.com \xf0\x9f\x98\n", None);
    assert_eq!(wild, b"\xe2\x82 *************** \xf0\x9f\x98\n");
}

#[test]
fn samples_take_about_one_in_so_many_and_always_the_same() {
    let many = "line\n".repeat(10_000);
    let kept = || applied(&json!({"sample": 10}), many.as_bytes(), None);
    let n_kept = kept().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert!((850..1150).contains(&n_kept), "{n_kept}");
    assert_eq!(kept(), kept());
    // Cut elsewhere, an event has the same fate.
    let mut rest = many.as_bytes()[500..].to_vec();
    rules(&json!({"sample": 10})).apply(&mut rest, None, SourcePosition { file: "f", generation: 0, start: 500 });
    assert_eq!(rest, kept()[500..]);
}

#[test]
fn mistakes_are_located() {
    let check = |definition: Json, expected: &str| {
        let error = Rules::of(&Node::root("input", &definition)).expect_err("a mistake");
        assert!(error.to_string().starts_with(expected), "{error}");
    };
    check(json!({"drop": ["a", "("]}), "input.drop[1]: this regular expression is not valid");
    check(json!({"mask": "emial"}), "input.mask: unknown rule \"emial\"; did you mean \"email\"?");
    check(json!({"mask": {"pattern": "x*"}}), "input.mask.pattern: this expression matches the empty text");
    check(json!({"sample": 0}), "input.sample: must be 1 or more");
}

proptest! {
    #[test]
    fn positions_are_exact_secrets_are_gone_and_good_lines_untouched(
        lines in prop::collection::vec((0u8..4, prop::collection::vec(any::<u8>().prop_filter("no line end", |b| *b != b'\n' && *b != b'\r'), 0..40)), 1..30),
    ) {
        let definition = json!({"drop": "^DROPME", "mask": [{"pattern": "hush[0-9]+"}]});
        let mut bytes = Vec::new();
        let mut kinds = Vec::new();
        for (kind, noise) in &lines {
            let start = bytes.len();
            match kind {
                0 => bytes.extend(b"DROPME "),
                1 => bytes.extend(b"x hush12345 "),
                _ => bytes.push(b'g'),
            }
            bytes.extend(noise);
            bytes.push(b'\n');
            kinds.push((*kind, start..bytes.len()));
        }
        let after = applied(&definition, &bytes, None);
        prop_assert_eq!(after.len(), bytes.len());
        for (kind, place) in kinds {
            let (was, is) = (&bytes[place.clone()], &after[place]);
            let says_secret = String::from_utf8_lossy(is).contains("hush1");
            match kind {
                0 => prop_assert!(is.iter().all(|byte| *byte == b'\n')),
                1 => prop_assert!(!says_secret && is.starts_with(b"x *********") && is.ends_with(b"\n")),
                _ if !same_length_text(was).contains("hush") => prop_assert_eq!(was, is),
                _ => {}
            }
        }
    }
}
