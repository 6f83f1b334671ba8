//! Batches that are delivered, given back and sent again after a restart.

use super::*;

#[test]
fn a_restart_goes_on_where_the_server_acknowledged() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(2_000);
    bench.append("a.log", "two\n");
    bench.start();
    bench.run(500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.n_sent_twice, 0);
}

#[test]
fn what_was_sent_but_not_checkpointed_is_sent_again_at_the_same_position() {
    let mut bench = Bench::new(&[("a.log", "one\ntwo\n")]);
    let batches = bench.poll();
    assert_eq!(batches.len(), 1);
    bench.store(&batches[0]);
    // The process dies here: sent, stored, never acknowledged.
    bench.start();
    bench.run(500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.n_sent_twice, 8);
}

#[test]
fn a_batch_that_could_not_be_delivered_is_read_again() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    let batches = bench.poll();
    let now = bench.now;
    bench.follower().give_back(&batches[0], "server down", now);
    assert_eq!(bench.follower().status()[0].last_error.as_deref(), Some("server down"));
    bench.run(6_000);
    bench.check(&["one"]);
    assert_eq!(bench.follower().status()[0].last_error, None);
}

#[test]
fn no_more_batches_than_allowed_are_on_their_way_and_none_twice() {
    let names: Vec<String> = (0..20).map(|i| format!("f{i}x.log")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "line\n")).collect();
    let mut bench = Bench::new(&files);
    let first = bench.poll();
    assert_eq!(first.len(), 4);
    assert!(bench.poll().is_empty());
    bench.store(&first[0]);
    let now = bench.now;
    bench.follower().acknowledge(&first[0], now);
    bench.follower().acknowledge(&first[0], now);
    let second = bench.poll();
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].header.file, first[0].header.file);
}

#[test]
fn a_damaged_checkpoint_sends_again_and_skips_nothing() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(2_000);
    bench.append("a.log", "two\n");
    bench.run(2_000);
    bench.follower = None;
    for slot in 0..2 {
        fs::write(bench.dir.path().join("state").join(format!("checkpoint-{slot}")), [0u8; 100]).unwrap();
    }
    bench.start();
    assert!(bench.follower().was_damaged());
    bench.append("a.log", "three\n");
    bench.run(2_000);
    bench.check(&["one", "two", "one", "two", "three"]);
}
