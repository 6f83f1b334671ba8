//! Files that are renamed, truncated, copied and replaced.

use super::*;

#[test]
fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(200);
    bench.append("a.log", "two\n");
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "three\n");
    bench.append("a.log.1", "late\n");
    bench.run(2_000);
    bench.append("a.log.1", "later\n");
    bench.run(2_000);
    bench.check(&["one", "two", "three", "late", "later"]);
    let paths: Vec<u64> = bench.follower().status().iter().map(|file| file.generation).collect();
    assert_eq!(paths, [0, 0]);
}

#[test]
fn fifty_rotations_between_two_polls_lose_nothing() {
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for round in 0..50 {
        for i in (1..=round).rev() {
            bench.rename(&format!("a.log{}", suffix(i - 1)), &format!("a.log.{i}"));
        }
        expected.push(format!("line of round {round}"));
        bench.append("a.log", &format!("line of round {round}\n"));
    }
    bench.run(3_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

pub(super) fn suffix(n: usize) -> String {
    if n == 0 { String::new() } else { format!(".{n}") }
}

#[test]
fn a_truncated_file_begins_anew_and_its_copy_is_not_sent_again() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\n")]);
    bench.run(200);
    bench.append("a.log", "unread\n");
    fs::copy(bench.path("a.log"), bench.path("a.log.1")).unwrap();
    fs::File::create(bench.path("a.log")).unwrap();
    bench.append("a.log", "three\n");
    bench.run(3_000);
    bench.check(&["one", "two", "unread", "three"]);
}

#[test]
fn a_copy_in_the_making_waits_for_its_original() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\nthree\n")]);
    bench.run(200);
    bench.append("a.log.1", "one\nt");
    bench.run(10_000);
    bench.append("a.log.1", "wo\nthree\n");
    fs::File::create(bench.path("a.log")).unwrap();
    bench.run(3_000);
    bench.append("a.log", "four\n");
    bench.run(3_000);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn a_file_truncated_and_grown_past_the_old_place_is_seen_to_be_another() {
    let mut bench = Bench::new(&[("a.log", "header\nmonday\n")]);
    bench.run(200);
    fs::write(bench.path("a.log"), "header\ntuesday and more\n").unwrap();
    bench.run(1_500);
    bench.check(&["header", "monday", "header", "tuesday and more"]);
}

#[test]
fn other_content_of_the_same_length_is_seen() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(200);
    fs::write(bench.path("a.log"), "two\n").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    fs::File::options().write(true).open(bench.path("a.log")).unwrap().set_modified(later).unwrap();
    bench.run(1_500);
    bench.check(&["one", "two"]);
}

#[test]
fn delete_and_recreate_reads_every_file_whole_even_with_equal_first_lines() {
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for round in 0..30 {
        let _ = fs::remove_file(bench.path("a.log"));
        bench.append("a.log", &format!("banner\nround {round}\n"));
        bench.run(1_200);
        expected.extend(["banner".to_string(), format!("round {round}")]);
    }
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn rotation_while_the_shipper_is_down_loses_and_repeats_nothing() {
    let mut bench = Bench::new(&[("a.log", "one\n"), ("b.log", "uno\n")]);
    bench.run(2_000);
    bench.follower = None;
    bench.append("a.log", "two\n");
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "three\n");
    bench.append("b.log", "due\n");
    fs::copy(bench.path("b.log"), bench.path("b.log.1")).unwrap();
    fs::File::create(bench.path("b.log")).unwrap();
    bench.append("b.log", "tre\n");
    bench.start();
    bench.run(2_000);
    bench.check(&["one", "two", "three", "uno", "due", "tre"]);
    assert_eq!(bench.n_sent_twice, 0);
}

/// Returns `n` lines with times, all of them different.
fn timed(what: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("2026-11-20T10:00:{:02}Z INFO {what} {i} {}", i % 60, "x".repeat(200))).collect()
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_copy_is_known_by_what_it_holds_under_every_name_and_wherever_it_lies() {
    let names = [
        "app.log-20261120",
        "app-20261120.log",
        "app-2026-11-20_10.log",
        "app.1.log",
        "old/app.log",
        "old/archive-of-november.log",
        "zz",
    ];
    // The copy is seen before the original is truncated, after it, or after a restart.
    for (name, case) in names.iter().flat_map(|name| (0..4).map(move |case| (*name, case))) {
        let (read, unread) = (timed("read", 20), timed("unread", 3));
        let mut bench = Bench::new(&[("app.log", &text(&read))]);
        fs::create_dir(bench.path("old")).unwrap();
        bench.run(2_000);
        if case == 3 {
            bench.stop();
        }
        let unread = if case == 0 { Vec::new() } else { unread };
        bench.append("app.log", &text(&unread));
        fs::copy(bench.path("app.log"), bench.path(name)).unwrap();
        if case == 1 {
            bench.run(3_000);
        }
        fs::File::create(bench.path("app.log")).unwrap();
        if case == 2 {
            bench.append("app.log", "at once\n");
        }
        if case == 3 {
            bench.start();
        }
        bench.run(3_000);
        bench.append("app.log", "new\n");
        bench.run(70_000);
        let late = if case == 2 { vec!["at once".to_owned(), "new".to_owned()] } else { vec!["new".to_owned()] };
        let expected = [read, unread, late].concat();
        bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(bench.n_sent_twice, 0, "{name} {case}");
    }
}

#[test]
fn lines_that_are_read_between_copy_and_truncation_are_sent_once() {
    for name in ["app-20261120.log", "zz"] {
        let (read, later) = (timed("read", 20), timed("later", 10));
        let mut bench = Bench::new(&[("app.log", &text(&read))]);
        bench.run(2_000);
        fs::copy(bench.path("app.log"), bench.path(name)).unwrap();
        bench.run(2_000);
        bench.append("app.log", &text(&later));
        bench.run(2_000);
        fs::File::create(bench.path("app.log")).unwrap();
        bench.append("app.log", "new\n");
        bench.run(30_000);
        let expected = [read, later, vec!["new".to_owned()]].concat();
        bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_on_its_way_when_a_log_is_copied_and_truncated_is_sent_once() {
    let (read, late) = (timed("read", 20), timed("on its way", 10));
    let mut bench = Bench::new(&[("app.log", &text(&read))]);
    bench.run(2_000);
    bench.append("app.log", &text(&late));
    let on_their_way = bench.run_without_server(2_500);
    assert_eq!(on_their_way.len(), 1);
    fs::copy(bench.path("app.log"), bench.path("app-20261120.log")).unwrap();
    fs::File::create(bench.path("app.log")).unwrap();
    assert_eq!(bench.run_without_server(3_000).len(), 0);
    bench.deliver(&on_their_way[0]);
    bench.run(30_000);
    bench.check(&[read, late].concat().iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_file_that_only_begins_alike_is_read_whole() {
    let start = timed("start", 20);
    let mut expected = Vec::new();
    let mut bench = Bench::new(&[("a.log", &text(&start))]);
    expected.extend(start.clone());
    bench.run(2_000);
    // Both are still there and go on otherwise.
    for name in ["b.log", "a-20261120.log", "a-2.log"] {
        bench.append(name, &text(&start));
        bench.run(500);
        bench.append(name, &format!("2026-11-20T11:00:00Z own line of {name}\n"));
        bench.run(3_000);
        expected.extend(start.clone());
        expected.push(format!("2026-11-20T11:00:00Z own line of {name}"));
    }
    // One that never goes on is one of its own after a while.
    bench.append("c.log", &text(&start));
    bench.run(70_000);
    expected.extend(start.clone());
    // A heading without times says nothing of what a file is.
    let heading = format!("{}\n", "#".repeat(3_000));
    bench.append("d.log", &heading);
    bench.run(2_000);
    fs::File::create(bench.path("d.log")).unwrap();
    bench.append("e.log", &format!("{heading}of e\n"));
    bench.run(70_000);
    expected.extend([heading.trim_end().to_owned(), heading.trim_end().to_owned(), "of e".to_owned()]);
    // What was deleted was not truncated.
    bench.append("f.log", &text(&timed("f", 20)));
    bench.run(70_000);
    fs::remove_file(bench.path("f.log")).unwrap();
    bench.run(2_000);
    bench.append("g.log", &text(&timed("f", 20)));
    bench.run(70_000);
    expected.extend([timed("f", 20), timed("f", 20)].concat());
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}
