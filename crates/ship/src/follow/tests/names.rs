//! Files with several names, with equal beginnings, with the place of another: each is what it holds.

use super::super::budget::{Budgets, OldData};
use super::*;
use crate::discover::{Candidate, Discovery};
use crate::identity::FileKey;

/// Words that every file begins with, longer than what is looked at of a beginning.
fn header() -> String {
    format!("{}\n", "#".repeat(4096))
}

impl Bench {
    /// Sends what there is; the shipper is killed before it hears of an acknowledgement.
    fn send_and_be_killed(&mut self) {
        for batch in self.run_without_server(200) {
            self.store(&batch);
        }
        self.follower = None;
    }
}

#[test]
fn a_file_that_a_search_misses_after_a_crash_is_the_same_when_it_is_found() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.send_and_be_killed();
    // A search that reads the directory while a file is renamed may find it under neither name.
    let aside = bench.path("..").join("aside");
    fs::rename(bench.path("a.log"), &aside).unwrap();
    bench.start();
    bench.run(200);
    fs::rename(aside, bench.path("a.log.1")).unwrap();
    bench.run(1_500);
    bench.check(&["one"]);
}

#[test]
fn a_file_with_two_names_is_sent_once_whichever_is_found_and_whichever_goes() {
    let mut bench = Bench::new(&[("z.log", "one\n")]);
    bench.send_and_be_killed();
    // Found first under either name, it is the file that it was.
    fs::hard_link(bench.path("z.log"), bench.path("a.log")).unwrap();
    bench.start();
    bench.run(200);
    bench.append("a.log", "two\n");
    bench.run(1_500);
    fs::remove_file(bench.path("z.log")).unwrap();
    bench.append("a.log", "three\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three"]);
    assert_eq!(bench.follower().status().len(), 1);
}

#[test]
fn a_file_that_was_sent_and_has_another_name_after_a_kill_is_not_sent_again() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.send_and_be_killed();
    bench.rename("a.log", "elsewhere.log");
    bench.append("a.log", "two\n");
    bench.start();
    bench.run(1_500);
    bench.check(&["one", "two"]);
}

#[test]
fn a_link_that_leads_to_the_next_file_leaves_the_one_before_where_it_is() {
    let mut bench = Bench::new(&[("run-0.log", "0\n")]);
    let link = bench.path("app.log");
    let mut expected = vec!["0".to_string()];
    for n in 1..20 {
        let target = format!("run-{n}.log");
        bench.append(&target, &format!("{n}\n"));
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(bench.path(&target), &link).unwrap();
        bench.append(&format!("run-{}.log", n - 1), &format!("late {n}\n"));
        expected.extend([n.to_string(), format!("late {n}")]);
        if n % 3 == 0 {
            bench.send_and_be_killed();
            bench.start();
        } else {
            bench.run(150);
        }
    }
    bench.run(3_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn links_that_lead_in_circles_or_nowhere_or_to_directories_are_passed_over() {
    use std::os::unix::fs::symlink;
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    symlink(bench.path("b.log"), bench.path("c.log")).unwrap();
    symlink(bench.path("c.log"), bench.path("b.log")).unwrap();
    symlink(bench.path("nowhere"), bench.path("d.log")).unwrap();
    symlink(bench.path("."), bench.path("down")).unwrap();
    symlink("/", bench.path("root")).unwrap();
    bench.run(2_500);
    bench.append("a.log", "two\n");
    bench.run(2_500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.follower().status().len(), 1);
}

#[test]
fn equal_beginnings_do_not_hide_that_what_was_sent_is_gone() {
    let mut bench = Bench::new(&[("a.log", &(header() + "monday\n"))]);
    bench.send_and_be_killed();
    fs::write(bench.path("a.log"), header() + "tuesday\n").unwrap();
    bench.start();
    bench.run(1_500);
    bench.check(&[header().trim_end(), "monday", header().trim_end(), "tuesday"]);
}

#[test]
fn no_more_is_sent_at_first_than_what_is_known_to_tell_a_file_from_others() {
    let mut bench = Bench::new(&[("a.log", &(header() + "one\nhalf"))]);
    bench.append("a.log", " line\nmonday\n");
    let first = bench.run_without_server(150);
    assert_eq!(first[0].bytes.len(), header().len(), "one may go on, as far as was seen when the file was found");
    let now = bench.now;
    bench.follower().give_back(&first[0], "down", now);
    bench.run(7_000);
    bench.check(&[header().trim_end(), "one", "half line", "monday"]);
    // Where that is nothing whole, it is noted again.
    let mut bench = Bench::new(&[("a.log", "half")]);
    bench.append("a.log", " line\n");
    bench.send_and_be_killed();
    fs::write(bench.path("a.log"), "half line, and other\n").unwrap();
    bench.start();
    bench.run(1_500);
    bench.check(&["half line", "half line, and other"]);
}

#[test]
fn a_copy_of_what_was_sent_is_known_though_no_acknowledgement_was_written_down_before_it_ended() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(2_000);
    fs::write(bench.path("a.log"), "two and more\n").unwrap();
    bench.run_without_server(500).iter().for_each(|batch| bench.store(batch));
    bench.start();
    // Between the search and the next look.
    fs::copy(bench.path("a.log"), bench.path("a.log.1")).unwrap();
    fs::write(bench.path("a.log"), "three\n").unwrap();
    bench.run(3_000);
    bench.check(&["one", "two and more", "three"]);
}

#[test]
fn a_copy_under_the_other_name_of_a_file_is_a_copy() {
    let mut bench = Bench::new(&[("z.log", "one\n")]);
    bench.run(200);
    fs::hard_link(bench.path("z.log"), bench.path("a.log")).unwrap();
    bench.run(1_500);
    fs::copy(bench.path("a.log"), bench.path("a.log.1")).unwrap();
    fs::write(bench.path("a.log"), "two\n").unwrap();
    bench.run(3_000);
    bench.check(&["one", "two"]);
}

#[test]
fn a_copy_that_was_being_made_during_the_search_is_known_when_it_is_whole() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\nthree\n")]);
    bench.send_and_be_killed();
    bench.start();
    fs::copy(bench.path("a.log"), bench.path("a.log.1")).unwrap();
    fs::write(bench.path("a.log"), "four\n").unwrap();
    let (path, now) = (bench.path("a.log.1"), bench.now);
    let metadata = fs::metadata(&path).unwrap();
    let (key, born, others) = (FileKey::of(&metadata), crate::identity::born_of(&metadata), Vec::new());
    // As the search saw it: only its beginning was there.
    let candidate = Candidate { path, others, key, born, size: 8, modified: now, is_named: false, input: 0 };
    let mut budgets = Budgets::new(&bench.options(), OldData::Whole, now);
    bench.follower().take_in(&candidate, budgets.of(0), now, true, &mut Discovery::default());
    bench.run(3_000);
    bench.check(&["one", "two", "three", "four"]);
}
