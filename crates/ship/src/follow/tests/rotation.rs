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
