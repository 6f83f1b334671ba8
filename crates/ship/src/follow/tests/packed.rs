//! Packed files that are read: each line once, whatever was read before it was packed.

use std::fs::File;

use flate2::write::GzEncoder;

use std::io::Write;

use super::*;
use crate::follow::options::FollowOptions;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

/// Returns `n` different lines.
fn lines(name: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{name} line {i} {:016x}", (i as u64 + 7).wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect()
}

fn text_of(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Bench {
    fn unpacking(files: &[(&str, &str)]) -> Self {
        let mut bench = Self::new(files);
        bench.start_unpacking();
        bench
    }

    fn unpacking_options(&self) -> FollowOptions {
        let mut options = self.options();
        options.inputs[0].unpacks = true;
        options
    }

    fn start_unpacking(&mut self) {
        let options = self.unpacking_options();
        self.start_with(options);
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Packs a file like the program gzip.
    fn gzip(&self, name: &str) {
        self.put(&format!("{name}.gz"), &gzip(&fs::read(self.path(name)).unwrap()));
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Checks that everything arrived and nothing was sent twice.
    fn check_once(&self, expected: &[String]) {
        self.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(self.n_sent_twice, 0);
    }
}

#[test]
fn a_log_that_is_packed_when_it_is_rotated_is_sent_once_however_far_it_was_read() {
    let mut bench = Bench::unpacking(&[]);
    let mut expected = Vec::new();
    for round in 0..6 {
        let (read, unread) = (lines(&format!("read {round}"), 100), lines(&format!("unread {round}"), 30));
        bench.append("a.log", &text_of(&read));
        bench.run(2_000);
        for n in (1..round).rev() {
            bench.rename(&format!("a.log.{n}.gz"), &format!("a.log.{}.gz", n + 1));
        }
        if round > 0 {
            // The shipper is away while more is written, rotated and packed, every other time.
            if round % 2 == 0 {
                bench.stop();
                bench.append("a.log", &text_of(&unread));
                expected.extend(unread);
            }
            bench.rename("a.log", "a.log.1");
            bench.gzip("a.log.1");
            if round % 2 == 0 {
                bench.start_unpacking();
            }
        }
        expected.extend(read);
        bench.run(if round % 3 == 0 { 90_000 } else { 500 });
    }
    bench.run(200_000);
    bench.check_once(&expected);
}

#[test]
fn old_packed_files_are_sent_once_over_restarts_kills_and_renames() {
    let mut bench = Bench::new(&[]);
    let old: Vec<Vec<String>> = (0..5).map(|n| lines(&format!("old {n}"), 20_000)).collect();
    for (n, lines) in old.iter().enumerate() {
        let text = text_of(lines);
        match n % 2 {
            0 => bench.put(&format!("a.log.{}.gz", n + 1), &gzip(text.as_bytes())),
            _ => bench.put(&format!("a.log.{}.zst", n + 1), &zstd(text.as_bytes())),
        }
    }
    bench.run(2_000);
    bench.check(&[]);
    for _ in 0..30 {
        bench.start_unpacking();
        bench.run(350);
    }
    for n in (1..=5).rev() {
        let suffix = if n % 2 == 1 { "gz" } else { "zst" };
        bench.rename(&format!("a.log.{n}.{suffix}"), &format!("a.log.{}.{suffix}", n + 1));
    }
    bench.start_unpacking();
    bench.run(120_000);
    let mut expected: Vec<String> = old.concat();
    expected.sort();
    bench.events.sort();
    assert!(bench.events == expected, "{} events of {}", bench.events.len(), expected.len());
    let n_sent_twice = bench.n_sent_twice;
    bench.stop();
    bench.start_unpacking();
    bench.run(60_000);
    assert_eq!(bench.n_sent_twice, n_sent_twice, "what is known is not even sent");
    assert_eq!(bench.events.len(), expected.len());
}

#[test]
fn a_packed_file_under_a_new_name_or_on_another_inode_is_known_by_what_it_holds() {
    let logged = lines("logged", 200);
    let mut bench = Bench::unpacking(&[("app.log", &text_of(&logged))]);
    bench.run(1_000);
    // No name that continues from the one before.
    bench.rename("app.log", "app-20261120.log");
    bench.run(1_500);
    bench.gzip("app-20261120.log");
    bench.run(100_000);
    fs::create_dir(bench.path("archive")).unwrap();
    fs::copy(bench.path("app-20261120.log.gz"), bench.path("archive/november.gz")).unwrap();
    bench.put("again.zst", &zstd(text_of(&logged).as_bytes()));
    bench.run(100_000);
    bench.check_once(&logged);
}

#[test]
fn a_truncated_log_whose_copy_is_packed_under_a_name_with_a_date_is_sent_once() {
    for (round, name) in ["app-20261120.log.gz", "app-20261120.log.zst", "old.gz"].into_iter().enumerate() {
        let logged: Vec<String> =
            lines("logged", 60).iter().map(|line| format!("2026-11-20T10:00:00Z {line}")).collect();
        let mut bench = Bench::unpacking(&[("app.log", &text_of(&logged))]);
        bench.run(2_000);
        if round == 0 {
            bench.stop();
        }
        let text = text_of(&logged);
        let packed = if name.ends_with("zst") { zstd(text.as_bytes()) } else { gzip(text.as_bytes()) };
        bench.put(name, &packed);
        File::create(bench.path("app.log")).unwrap();
        if round == 0 {
            bench.start_unpacking();
        }
        bench.append("app.log", "new\n");
        bench.run(100_000);
        bench.check_once(&[logged, vec!["new".to_owned()]].concat());
    }
}

#[test]
fn logs_that_were_packed_while_the_shipper_was_away_for_days_are_not_sent_again() {
    let all: Vec<Vec<String>> = (0..3).map(|n| lines(&format!("log {n}"), 50)).collect();
    let mut bench = Bench::unpacking(&[]);
    for (n, lines) in all.iter().enumerate() {
        bench.append(&format!("{n}.log"), &text_of(lines));
    }
    bench.run(2_000);
    bench.stop();
    for n in 0..all.len() {
        bench.rename(&format!("{n}.log"), &format!("{n}.log.1"));
        bench.gzip(&format!("{n}.log.1"));
    }
    bench.now = Timestamp(bench.now.0 + 3 * Timestamp::DAY);
    bench.start_unpacking();
    bench.run(60_000);
    bench.check_once(&all.concat());
}

#[test]
fn of_a_damaged_packed_file_is_sent_what_can_be_read_and_the_status_says_where_it_ends() {
    let logged = lines("logged", 5_000);
    let mut bench = Bench::unpacking(&[]);
    let whole = gzip(text_of(&logged).as_bytes());
    bench.put("a.log.1.gz", &whole[..whole.len() / 2]);
    bench.put("b.log.1.gz", b"\x1f\x8bnothing of that kind");
    bench.run(30_000);
    let n = bench.events.len();
    assert!((1_000..4_000).contains(&n), "{n} events");
    // The last line is half of one.
    assert!(bench.events[..n - 1] == logged[..n - 1], "the first of {n} events");
    let status = bench.follower().status();
    let errors: Vec<&str> = status.iter().filter_map(|file| file.last_error.as_deref()).collect();
    assert!(matches!(errors[..], [error] if error.starts_with("damaged after ")), "{errors:?}");
    bench.stop();
    bench.start_unpacking();
    bench.run(30_000);
    assert!(!bench.follower().unpacker.is_pending());
    assert_eq!((bench.events.len(), bench.n_sent_twice), (n, 0));
    // What was cut short by a full disk comes whole later.
    bench.put("a.log.1.gz", &whole);
    bench.run(60_000);
    assert_eq!(bench.events[n - 1].clone() + &bench.events[n], logged[n - 1]);
    assert!(bench.events[n + 1..] == logged[n..], "the rest of {n} events");
}

#[test]
fn archives_packed_binaries_and_what_grows_beyond_the_limit_are_left_out_and_leave_nothing_behind() {
    let mut bench = Bench::new(&[]);
    let mut archive = vec![b'x'; 8192];
    archive[257..262].copy_from_slice(b"ustar");
    bench.put("a.log.gz", &gzip(&archive));
    bench.put("b.log.gz", &gzip(&[0; 4096]));
    bench.put("c.log.gz", &gzip(&gzip(b"one\n")));
    bench.put("d.log.zst", &zstd(&b"line\n".repeat(1 << 20)));
    bench.put("e.tar.gz", &gzip(b"one\n"));
    bench.put("f.log.gz", &gzip(b"kept\n"));
    let mut options = bench.unpacking_options();
    options.unpacked_bytes = 1 << 20;
    bench.start_with(options);
    bench.run(30_000);
    bench.check(&["kept"]);
    assert!(!bench.follower().unpacker.is_pending());
    assert!(!bench.path("../state/unpacked").exists());
}

#[test]
fn a_packed_file_that_is_still_being_written_is_waited_for() {
    let logged = lines("logged", 5_000);
    let mut bench = Bench::unpacking(&[]);
    let whole = gzip(text_of(&logged).as_bytes());
    let put = |bench: &Bench, n: usize| {
        bench.put("a.log.1.gz", &whole[..n]);
        let now = std::time::Duration::from_nanos(bench.now.0.unsigned_abs());
        let file = File::options().write(true).open(bench.path("a.log.1.gz")).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + now).unwrap();
    };
    for n in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        put(&bench, n);
        bench.run(1_500);
        bench.check(&[]);
    }
    put(&bench, whole.len());
    bench.run(60_000);
    bench.check_once(&logged);
    assert!(bench.follower().status().iter().all(|file| file.last_error.is_none()));
}

#[test]
fn another_packed_file_in_the_place_of_one_that_was_read_is_read_whole() {
    let (first, second) = (lines("first", 100), lines("second", 70));
    let mut bench = Bench::unpacking(&[]);
    bench.put("a.log.gz", &gzip(text_of(&first).as_bytes()));
    bench.run(20_000);
    // So much else is on its way that nothing is looked at meanwhile.
    let others: Vec<String> = (0..bench.options().in_flight_max).map(|n| format!("other {n}")).collect();
    others.iter().enumerate().for_each(|(n, line)| bench.append(&format!("{n}.log"), &format!("{line}\n")));
    let mut on_their_way = bench.run_without_server(2_000);
    assert_eq!(on_their_way.len(), others.len());
    // In place: the inode stays.
    bench.put("a.log.gz", &gzip(text_of(&second).as_bytes()));
    on_their_way.extend(bench.run_without_server(30_000));
    for batch in on_their_way {
        bench.store(&batch);
        let now = bench.now;
        bench.follower().acknowledge(&batch, now);
    }
    bench.run(60_000);
    bench.check_once(&[first, second, others].concat());
}
