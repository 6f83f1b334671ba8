//! Servers that take their time, and files that do not.

use super::rotation::suffix;
use super::*;
use crate::batch::FileBatch;
use crate::spool::LossCount;

#[test]
fn fifty_rotations_a_second_apart_lose_nothing_at_a_server_that_takes_two() {
    let mut bench = Bench::new(&[]);
    let (mut expected, mut on_their_way) = (Vec::new(), Vec::<(i64, FileBatch)>::new());
    for n in 0..50 {
        for i in (1..=n).rev() {
            bench.rename(&format!("a.log{}", suffix(i - 1)), &format!("a.log.{i}"));
        }
        bench.append("a.log", &format!("line {n}\n"));
        expected.push(format!("line {n}"));
        for _ in 0..20 {
            let sent = bench.run_without_server(50);
            let arrives = bench.now.0 + 2_000 * MS;
            on_their_way.extend(sent.into_iter().map(|batch| (arrives, batch)));
            let now = bench.now;
            for (_, batch) in on_their_way.extract_if(.., |(arrives, _)| *arrives <= now.0) {
                bench.store(&batch);
                bench.follower().acknowledge(&batch, now);
            }
        }
    }
    let now = bench.now;
    for (_, batch) in on_their_way {
        bench.store(&batch);
        bench.follower().acknowledge(&batch, now);
    }
    bench.run(10_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(bench.n_sent_twice, 0);
}

#[test]
fn two_thousand_files_that_live_for_300_ms_are_all_read() {
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for n in 0..100 {
        let names: Vec<String> = (0..20).map(|k| format!("job-{}x.log", n * 20 + k)).collect();
        for name in &names {
            bench.append(name, &format!("{name} is done\n"));
            expected.push(format!("{name} is done"));
            let (path, now) = (bench.path(name), bench.now);
            bench.follower().hint(&path, true, now);
        }
        bench.run(300);
        names.iter().for_each(|name| fs::remove_file(bench.path(name)).unwrap());
    }
    bench.run(3_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(bench.follower().given_up(), LossCount::default());
}
