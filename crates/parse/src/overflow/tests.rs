//! What follows an event that may not become longer.

use super::*;

#[test]
fn what_follows_a_full_event_continues_it_unless_it_has_a_head() {
    let frames = |n: usize| format!("java.lang.Error: deep\n{}", "\tat shop.Tank.fill(Tank.java:7)\n".repeat(n - 1));
    let cases = [
        (frames(1_000), "\tat shop.Main.main(Main.java:3)", true),
        (frames(999), "\tat shop.Main.main(Main.java:3)", false),
        (frames(1_000), "2026-11-20T06:47:13Z ready", false),
        (frames(1_000), "2026-11-20T06:47:13.5Z stderr F \tat shop.Main.main(Main.java:3)", true),
        (frames(1_000), "2026-11-20T06:47:13.5Z stderr F 2026-11-20T06:47:13Z ready", false),
        (format!("one\n  {}", "x".repeat(262_130)), "  two and more", true),
        ("x".repeat(262_140), "  two and more", false),
    ];
    for (before, event, continues) in cases {
        let mut overflow = Overflow::new(JOINED_BYTES_MAX);
        assert!(!overflow.continues(before.as_bytes()));
        assert_eq!(overflow.continues(event.as_bytes()), continues, "{event}");
        assert!(!overflow.continues(b"more"));
    }
}
