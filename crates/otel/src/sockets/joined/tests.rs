//! Lines of programs in messages of their own, by a clock of the test's.

use super::*;

const PYTHON: &str =
    "Traceback (most recent call last):\n  File \"/srv/pump.py\", line 7, in <module>\n    fill()\nValueError: tank 7";
const GO: &str = "panic: tank 7\n\ngoroutine 1 [running]:\nmain.fill(...)\n\t/srv/pump.go:8\nmain.main()\n\t/srv/pump.go:19 +0xf\nexit status 2";
const JAVA: &str = "2026-11-20 06:47:13 ERROR [main] pump - lost\nshop.Dry: no water\n\tat shop.Tank.level(Tank.java:7)\nCaused by: java.io.IOException: x\n\t... 1 more";

fn old(pid: u32) -> String {
    format!("<14>Nov 20 06:47:13 web-1 pump[{pid}]: ")
}

fn new(pid: u32) -> String {
    format!("<14>1 2026-11-20T06:47:13Z web-1 pump {pid} - - ")
}

fn chunk(from: &str, messages: &[String]) -> Chunk {
    let mut frames = Frames::default();
    messages.iter().for_each(|message| frames.push(message.as_bytes(), 0));
    Chunk::new(from.into(), frames)
}

fn texts(chunks: &[Chunk]) -> Vec<String> {
    let frames = chunks.iter().flat_map(|chunk| chunk.frames.iter());
    frames.map(|(frame, _)| String::from_utf8_lossy(frame).into_owned()).collect()
}

fn lines(header: &str, report: &str) -> Vec<String> {
    report.split('\n').map(|line| format!("{header}{line}")).collect()
}

fn in_turn(one: Vec<String>, other: Vec<String>) -> Vec<String> {
    one.into_iter().zip(other).flat_map(|(one, other)| [one, other]).collect()
}

#[test]
fn a_death_of_each_of_two_programs_in_turn_is_one_event_of_each() {
    for header in [old, new] {
        for report in [PYTHON, GO, JAVA] {
            let mut joined = JoinedMessages::new(Door::Syslog);
            let messages = in_turn(lines(&header(7), report), lines(&header(8), report));
            joined.add(chunk("10.0.0.9", &messages), 0);
            let done = joined.finish();
            assert_eq!(texts(&done), [7, 8].map(|pid| header(pid) + report));
            let n_messages = done.iter().map(Chunk::n_messages).sum::<u64>();
            assert_eq!(n_messages, messages.len() as u64);
        }
    }
}

#[test]
fn what_is_whole_goes_at_once_and_what_may_grow_waits_a_second_after_its_last_line() {
    let mut joined = JoinedMessages::new(Door::Syslog);
    let [first, rest @ ..] = &lines(&old(7), PYTHON)[..] else { panic!("no line") };
    joined.add(chunk("a", &[first.clone(), old(9) + "on"]), 0);
    assert_eq!(texts(&joined.take(50)), [old(9) + "on"]);
    joined.add(chunk("a", rest), 900);
    assert!(texts(&joined.take(1_000)).is_empty() && joined.is_waiting());
    assert!(texts(&joined.take(1_899)).is_empty());
    assert_eq!(texts(&joined.take(1_900)), [old(7) + PYTHON]);
    assert!(!joined.is_waiting());
    joined.add(chunk("a", &[old(7) + "  File \"late.py\""]), 2_000);
    assert_eq!(texts(&joined.take(2_050)), [old(7) + "  File \"late.py\""]);
}

#[test]
fn other_hosts_programs_processes_and_priorities_are_never_taken() {
    let others = [
        ("a", old(8)),
        ("b", old(7)),
        ("a", old(7).replace("web-1", "web-2")),
        ("a", old(7).replace("pump", "tank")),
        ("a", old(7).replace("14", "11")),
        ("a", "<14>".to_owned()),
    ];
    for (from, header) in others {
        let mut joined = JoinedMessages::new(Door::Syslog);
        joined.add(chunk("a", &[old(7) + "Traceback (most recent call last):"]), 0);
        joined.add(chunk(from, &[header.clone() + "  File \"x.py\""]), 0);
        joined.add(chunk("a", &[old(7) + "ValueError: x"]), 0);
        let whole = old(7) + "Traceback (most recent call last):\nValueError: x";
        assert_eq!(texts(&joined.finish()), [whole, header + "  File \"x.py\""]);
    }
}

#[test]
fn what_is_too_long_continues_in_an_event_that_says_so() {
    let mut joined = JoinedMessages::new(Door::Syslog);
    let frames = (0..1_500).map(|n| format!("{}\tat shop.Tank.fill(Tank.java:{n})", old(7)));
    let messages: Vec<String> = std::iter::once(old(7) + "java.lang.Error: deep").chain(frames).collect();
    joined.add(chunk("a", &messages), 0);
    let done = joined.finish();
    let shown: Vec<_> = done.iter().map(|chunk| (chunk.is_continued, chunk.n_messages())).collect();
    assert_eq!(shown, [(false, 1_000), (true, 501)]);
    let mut joined = JoinedMessages::new(Door::Syslog);
    let wide = vec![old(7) + "  " + &"x".repeat(300_000); 5];
    joined.add(chunk("a", &[vec![old(7) + "Error: wide"], wide].concat()), 0);
    assert_eq!(joined.finish().iter().map(Chunk::n_messages).collect::<Vec<_>>(), [4, 2]);
}

#[test]
fn events_that_wait_are_bounded() {
    let mut joined = JoinedMessages::new(Door::Syslog);
    let wide = "x".repeat(1_000_000);
    let messages: Vec<String> = (0..20).map(|pid| format!("{}ERROR {wide}", old(pid))).collect();
    joined.add(chunk("a", &messages), 0);
    assert_eq!(joined.take(0).iter().map(Chunk::n_messages).sum::<u64>(), 20);
}
