//! Pieces give what the whole text gives.

use proptest::prelude::*;
use types::{Limits, Timestamp};

use super::*;
use crate::Zone;

/// Place, time, level and text of an event.
type Shown = (u64, i64, u8, String);

fn received(limits: &Limits) -> ArrivalContext<'_> {
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits }
}

fn shown(piece: &Piece<'_>, limits: &Limits, screen: Option<&Screen<'_>>) -> Vec<Shown> {
    let mut shown = Vec::new();
    batches_of_piece(piece, &received(limits), screen, &Projection::default(), &mut |batch| {
        for row in 0..batch.len() {
            let text = batch.messages.get(row).to_owned();
            shown.push((batch.sequences.get(row), batch.timestamps.get(row), batch.levels.get(row), text));
        }
    });
    shown
}

/// Reads a text as a reader does that takes up `n_bytes` more at a time.
fn in_pieces(text: &[u8], n_bytes: usize, limits: &Limits, screen: Option<&Screen<'_>>) -> Vec<Shown> {
    let (mut all, mut from, mut read, mut previous) = (Vec::new(), 0, 0, None);
    let mut profile = Profile::default();
    while from < text.len() {
        read = (read + n_bytes).min(text.len());
        let end = if read == text.len() {
            Some(read - from)
        } else {
            sure_end(&text[from..read], (profile, from as u64), limits.event_bytes_max)
        };
        let Some(end) = end else { continue };
        let piece = Piece { text: &text[from..from + end], offset: from as u64, previous, columns: None, profile };
        all.extend(shown(&piece, limits, screen));
        previous = last_time(piece.text, (profile, from as u64), previous, &received(limits));
        profile.advance(piece.text, from as u64);
        from += end;
    }
    all
}

fn line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "2026-11-20 06:47:13,123 WARN slow needle",
        "2026-11-20T08:00:00Z plain",
        "2026-11-20T06:47:13.1Z stdout P a nee",
        "2026-11-20T06:47:13.2Z stdout F dle",
        "2026-11-20T06:47:13.3Z stderr P other",
        "2026-11-20T06:47:13.4Z stderr F  end",
        r#"{"log":"a \"nee","stream":"stdout","time":"2026-11-20T06:47:14Z"}"#,
        r#"{"log":"dle\" end\n","stream":"stdout","time":"2026-11-20T06:47:15Z"}"#,
        "Nov 20 06:47:13 h shop[7]: Traceback (most recent call last):",
        "Nov 20 06:47:13 h shop[7]: ValueError: needle",
        "Nov 20 06:47:14 h shop[7]: #011at a.B.c(B.java:1)",
        "Nov 20 06:47:14 h shop[7]: further",
        "Nov 20 06:47:14 h shop[7]:",
        "Nov 20 06:47:14 h shop[8]: panic: lost",
        "no time",
        "no time, a needle",
        "",
        "\r",
        "\tat A.b(A.java:1)",
        "  needle further on",
        "  2026-11-20 06:47:13 indented",
        "Caused by: needle",
        "java.lang.Error: x",
        "Traceback (most recent call last):",
        "ValueError: needle",
        "ValueError",
        "} needle",
        "{\"ts\":1763618400,\"level\":\"error\",\"a\":\"needle\"}",
        "{\"a\":1}",
        "a line that is rather long and has nothing in it that anybody looks for, but a needle",
    ])
}

proptest! {
    #[test]
    fn pieces_give_the_events_of_the_whole(lines in prop::collection::vec(line(), 0..40), n_bytes in 1usize..200, bytes_max in 8usize..300) {
        let limits = Limits { event_bytes_max: bytes_max, ..Limits::default() };
        let text = lines.join("\n");
        let whole = shown(&Piece { text: text.as_bytes(), offset: 0, previous: None, columns: None, profile: Profile::default() }, &limits, None);
        let mut plain = Vec::new();
        crate::text::batches_of_text(text.as_bytes(), &received(&limits), &mut |batch| plain.extend(batch.messages.iter().map(str::to_owned)));
        prop_assert_eq!(whole.iter().map(|event| event.3.clone()).collect::<Vec<_>>(), plain);
        prop_assert_eq!(in_pieces(text.as_bytes(), n_bytes, &limits, None), whole);
    }

    #[test]
    fn a_screen_leaves_out_nothing_and_changes_nothing(lines in prop::collection::vec(line(), 0..40), n_bytes in 1usize..200) {
        let limits = Limits::default();
        let text = lines.join("\n");
        let screen = |text: &[u8], from: usize| memchr::memmem::find(&text[from..], b"needle").map(|place| from + place);
        let whole = shown(&Piece { text: text.as_bytes(), offset: 0, previous: None, columns: None, profile: Profile::default() }, &limits, None);
        let wanted: Vec<Shown> = whole.into_iter().filter(|event| event.3.contains("needle")).collect();
        let mut found = in_pieces(text.as_bytes(), n_bytes, &limits, Some(&screen));
        if runtime::may_have_parts(text.as_bytes()) {
            // What a runtime writes in parts is read whatever the screen says.
            found.retain(|event| event.3.contains("needle"));
        }
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_wanted_is_as_if_everything_were(
        lines in prop::collection::vec(wanted_line(), 0..30),
        names in prop::sample::subsequence(vec!["a", "a.b", "list.0.x", "message", "msg", "ts", "status", "level", "@level", "@message", "log", "stream", "zz"], 0..5),
        bytes_max in prop::sample::select(vec![24usize, 1 << 20]),
        fields_max in prop::sample::select(vec![3usize, 1000]),
    ) {
        let limits = Limits { event_bytes_max: bytes_max, fields_max, ..Limits::default() };
        let text = lines.join("\n");
        let piece = Piece { text: text.as_bytes(), offset: 0, previous: None, columns: None, profile: Profile::default() };
        let read = |wanted: &Projection| {
            let mut batches = Vec::new();
            batches_of_piece(&piece, &received(&limits), None, wanted, &mut |batch| batches.push(batch));
            batches.pop().unwrap_or_else(|| BatchBuilder::new().finish())
        };
        let wanted = Projection::of(names.iter().map(|name| std::sync::Arc::from(*name)));
        let (all, some) = (read(&Projection::default()), read(&wanted));
        prop_assert_eq!(&all.sequences, &some.sequences);
        prop_assert_eq!(&all.timestamps, &some.timestamps);
        for name in all.field_names().iter().filter(|name| wanted.has_field(name)) {
            for row in 0..all.len() {
                prop_assert_eq!(all.field(name).value(row), some.field(name).value(row), "{}", name);
            }
        }
        if names.contains(&"@level") {
            prop_assert_eq!(&all.levels, &some.levels);
        }
        if names.contains(&"@message") {
            prop_assert!(all.messages.iter().eq(some.messages.iter()));
        }
        prop_assert!(some.field_names().iter().all(|name| wanted.has_field(name)));
    }
}

fn wanted_line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "2026-11-20 06:47:13,123 WARN slow",
        "no time, but ERROR",
        "\tat A.b(A.java:1)",
        "{\"ts\":1763618400,\"level\":\"error\",\"a\":{\"b\":1,\"c\":[1]},\"message\":\"text\"}",
        "{\"time\":\"2026-11-20T06:47:13Z\",\"a\":\"x\\u0041\",\"path\":\"/\",\"status\":503,\"zz\":null,\"y\":1}",
        "{\"list\":[{\"x\":1},{\"x\":2}],\"msg\":\"a WARN text\",\"a.b\":2.5,\"a\":true,\"q\":1,\"r\":2}",
        "{\"severity\":\"warning\",\"a\":1,\"a\":2,\"@message\":{\"b\":1},\"@rest\":\"x\",\"zz\":\"\\ud800\"}",
        "{\"broken\":1,\"a\":01}",
        "{\"a\":1} trailing",
        r#"{"log":"{\"a\":1,\"log\":\"x\",\"level\":\"warn\"}\n","stream":"stdout","time":"2026-11-20T06:47:14Z"}"#,
        r#"{"log":"level=error msg=late\n","stream":"stderr","attrs":{"a":"b"},"time":"2026-11-20T06:47:14Z"}"#,
        "2026-11-20T06:47:13.1Z stdout F {\"a\":{\"b\":1},\"ts\":1763618400,\"level\":\"debug\"}",
        "2026-11-20T06:47:13.2Z\tinfo\tshop/main.go:42\tlistening\t{\"a\": 7, \"msg\": \"m\", \"ts\": 1}",
    ])
}
