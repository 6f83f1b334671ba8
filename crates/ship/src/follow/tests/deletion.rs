//! Files that are deleted before they are read.

use super::*;

#[test]
fn a_deleted_file_is_read_to_its_end_while_it_is_open() {
    let mut bench = Bench::new(&[]);
    bench.append("a.log", "one\n");
    bench.run(1_500);
    bench.append("a.log", "two\n");
    fs::remove_file(bench.path("a.log")).unwrap();
    bench.run(1_500);
    bench.check(&["one", "two"]);
    assert_eq!(bench.follower().status().len(), 1);
    bench.run(62_000);
    assert!(bench.follower().status().is_empty());
}

/// Returns files that come and are deleted while no server answers: `n` of 100 lines and 1,000 bytes each.
fn rotate_without_server(bench: &mut Bench, gone_bytes: u64, n: usize) -> Vec<String> {
    let options = FollowOptions { gone_bytes, in_flight_max: 1, ..bench.options() };
    bench.start_with(options);
    bench.append("first.log", "first\n");
    let first = bench.run_without_server(2000);
    assert_eq!(first.len(), 1, "no more than one is on its way");
    let mut lines = vec!["first".to_string()];
    for number in 0..n {
        let name = format!("{number:03}.log");
        let of_file: Vec<String> = (0..100).map(|line| format!("{number:03}/{line:05}")).collect();
        bench.append(&name, &(of_file.join("\n") + "\n"));
        assert!(bench.run_without_server(1100).is_empty());
        fs::remove_file(bench.path(&name)).unwrap();
        assert!(bench.run_without_server(1100).is_empty());
        lines.extend(of_file);
    }
    let now = bench.now;
    for batch in first {
        bench.store(&batch);
        bench.follower().acknowledge(&batch, now);
    }
    bench.run(10_000);
    bench.events.sort();
    lines.sort();
    lines
}

#[test]
fn files_that_come_and_go_while_the_server_is_away_are_kept_up_to_the_limit() {
    let mut bench = Bench::new(&[]);
    let lines = rotate_without_server(&mut bench, 30_000, 30);
    assert!(bench.events == lines, "{} of {} lines", bench.events.len(), lines.len());
    assert_eq!(bench.follower().given_up(), LossCount::default());
}

#[test]
fn beyond_the_limit_the_oldest_deleted_files_are_given_up_and_counted_to_the_byte() {
    let mut bench = Bench::new(&[]);
    let lines = rotate_without_server(&mut bench, 10_999, 30);
    assert_eq!(bench.follower().given_up(), LossCount { lines: 2_000, bytes: 20_000 });
    let gone: Vec<_> = bench.follower().status().into_iter().filter(|file| file.is_gone).collect();
    assert_eq!(gone.iter().map(|file| file.size - file.offset).sum::<u64>(), 20_000, "{gone:?}");
    assert!(gone.iter().all(|file| file.lag_bytes() == 0 && file.last_error.is_some()));
    assert!(bench.events == lines[2_000..], "the newest ten and what is on disk arrive");
}
