//! Random histories of files: written, rotated in every way, while the shipper runs, stops, and is killed.
//!
//! Every line is written once and must be stored once. The seed of a failing history is in the panic message;
//! `CATAT_FAULT_SEED` begins with it, and `CATAT_FAULT_ROUNDS` says how many histories there are.

use std::collections::BTreeMap;
use std::fs;

use super::tests::Bench;
use crate::torture::Random;

struct History {
    bench: Bench,
    random: Random,
    n_lines: u64,
}

const NAMES: [&str; 2] = ["a.log", "b.log"];

/// Rotated files kept beside the live one.
const KEPT: u64 = 6;

impl History {
    fn write(&mut self, name: &'static str) {
        for _ in 0..=self.random.below(20) {
            self.n_lines += 1;
            let padding = "x".repeat(self.random.below(200) as usize);
            self.bench.append(name, &format!("line {} 10:00:00 {padding}.\n", self.n_lines));
        }
    }

    /// Writes a line in two halves, less than five seconds apart.
    fn write_halves(&mut self, name: &'static str) {
        self.n_lines += 1;
        self.bench.append(name, &format!("line {} 10:00:00 half ", self.n_lines));
        let milliseconds = 50 * self.random.below(60) as i64;
        self.bench.run(milliseconds);
        self.bench.append(name, "half.\n");
    }

    /// Moves the kept files up by one; the last one goes, as everyone had time to read it.
    fn make_room(&mut self, name: &'static str) {
        if self.bench.path(&format!("{name}.{KEPT}")).exists() {
            self.bench.run(2_500);
            fs::remove_file(self.bench.path(&format!("{name}.{KEPT}"))).unwrap();
        }
        for i in (1..KEPT).rev() {
            let from = format!("{name}.{i}");
            if self.bench.path(&from).exists() {
                self.bench.rename(&from, &format!("{name}.{}", i + 1));
            }
        }
    }

    fn rename(&mut self, name: &'static str) {
        self.make_room(name);
        if self.bench.path(name).exists() {
            self.bench.rename(name, &format!("{name}.1"));
        }
    }

    fn copy_and_truncate(&mut self, name: &'static str) {
        self.make_room(name);
        if self.bench.path(name).exists() {
            fs::copy(self.bench.path(name), self.bench.path(&format!("{name}.1"))).unwrap();
            fs::File::create(self.bench.path(name)).unwrap();
        }
    }

    fn delete(&mut self, name: &'static str) {
        self.bench.run(2_500);
        let _ = fs::remove_file(self.bench.path(name));
    }

    /// Gives the file another name as well, or takes that away.
    fn link(&mut self, name: &'static str) {
        let other = self.bench.path(&format!("other-{name}"));
        if fs::remove_file(&other).is_err() && self.bench.path(name).exists() {
            fs::hard_link(self.bench.path(name), other).unwrap();
        }
    }

    /// Stops the shipper, lets the world continue, and starts it again.
    fn restart(&mut self, name: &'static str) {
        let is_killed = self.random.below(2) == 0;
        if is_killed {
            // What was acknowledged in the last second is sent again, at the same positions, from a copy too.
            self.bench.run(1_200);
            self.write(name);
            self.bench.run(150);
            match self.random.below(3) {
                0 => self.rename(name),
                1 => self.copy_and_truncate(name),
                _ => {}
            }
        } else {
            self.bench.run(2_500);
            self.bench.stop();
            match self.random.below(3) {
                0 => self.rename(name),
                1 => self.copy_and_truncate(name),
                _ => {}
            }
            self.write(name);
        }
        self.bench.start();
        if is_killed {
            self.bench.run(200);
        }
    }

    fn step(&mut self) {
        let name = NAMES[self.random.below(2) as usize];
        match self.random.below(13) {
            0..=3 => self.write(name),
            4 => self.write_halves(name),
            5 => self.rename(name),
            6 => self.copy_and_truncate(name),
            7 => self.delete(name),
            8 => self.restart(name),
            9 => self.link(name),
            _ => {
                let milliseconds = 50 * self.random.below(30) as i64;
                self.bench.run(milliseconds);
            }
        }
    }
}

/// A line that each file of a log begins with.
const HEADER: &str = "# of the same words each time, so that beginnings tell nothing\n";

/// Returns the first seed and the number of histories, `n_rounds` by default.
fn seeds(n_rounds: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let first: u64 = number("CATAT_FAULT_SEED").unwrap_or(1);
    first..first + number("CATAT_FAULT_ROUNDS").unwrap_or(n_rounds)
}

/// A log that is rotated while the shipper dies again and again: every file begins with the same lines, more than what
/// tells files apart at first, and what is on its way may or may not arrive.
struct KillScenario {
    bench: Bench,
    random: Random,
    n_lines: u64,
    /// Whether it is copied and truncated; else it is renamed, and late lines go into the renamed file.
    is_copied: bool,
    has_late: bool,
    is_dead: bool,
}

impl KillScenario {
    fn begin_file(&self) {
        self.bench.append("app.log", &HEADER.repeat(30));
    }

    fn line(&mut self, name: &str) {
        self.n_lines += 1;
        let padding = "x".repeat(self.random.below(200) as usize);
        self.bench.append(name, &format!("line {} 10:00:00 {padding}.\n", self.n_lines));
    }

    fn write(&mut self) {
        for _ in 0..=self.random.below(20) {
            let is_late = self.has_late && self.random.below(4) == 0;
            self.line(if is_late { "app.log.1" } else { "app.log" });
        }
    }

    fn rotate(&mut self) {
        if self.bench.path("app.log.5").exists() {
            self.revive();
            self.bench.run(8_000);
        }
        for n in (1..5).rev() {
            if self.bench.path(&format!("app.log.{n}")).exists() {
                self.bench.rename(&format!("app.log.{n}"), &format!("app.log.{}", n + 1));
            }
            self.look();
        }
        if self.is_copied {
            fs::copy(self.bench.path("app.log"), self.bench.path("app.log.1")).unwrap();
            self.look();
            // Programs do not notice, so the header goes with all the rest.
            return fs::File::create(self.bench.path("app.log")).map(drop).unwrap();
        }
        self.bench.rename("app.log", "app.log.1");
        self.look();
        self.line("app.log.1");
        self.look();
        self.begin_file();
        self.has_late = true;
    }

    /// Recreates a file in the same place, with the inode of the one before on most file systems.
    fn recreate_neighbour(&mut self) {
        self.revive();
        self.bench.run(8_000);
        let _ = fs::remove_file(self.bench.path("other.log"));
        self.bench.append("other.log", &HEADER.repeat(30));
        for _ in 0..self.random.below(20) {
            self.line("other.log");
        }
        self.look();
    }

    /// Lets the shipper poll between two steps, or kills or starts it there.
    fn look(&mut self) {
        match self.random.below(6) {
            0 if self.is_dead => self.revive(),
            0 => self.kill(),
            1 | 2 if !self.is_dead => self.bench.run(50 + 50 * self.random.below(4) as i64),
            _ => {}
        }
    }

    fn kill(&mut self) {
        if self.is_dead {
            return;
        }
        let on_their_way = self.bench.run_without_server(50);
        for batch in on_their_way {
            // It arrived, but the acknowledgement was lost.
            if self.random.below(2) == 0 {
                self.bench.store(&batch);
            }
        }
        self.bench.kill();
        self.is_dead = true;
    }

    fn revive(&mut self) {
        if std::mem::take(&mut self.is_dead) {
            self.bench.start();
        }
    }

    fn step(&mut self) {
        match self.random.below(9) {
            0..=2 => self.write(),
            3 => self.rotate(),
            4 => self.kill(),
            8 => self.recreate_neighbour(),
            5 => self.revive(),
            _ if self.is_dead => {}
            _ => self.bench.run(50 * self.random.below(30) as i64),
        }
    }
}

/// Plays histories of a log that is rotated in one way.
fn play(is_copied: bool) {
    for seed in seeds(40) {
        let (bench, random) = (Bench::new(&[]), Random::new(seed));
        let mut history = KillScenario { bench, random, n_lines: 0, is_copied, has_late: false, is_dead: false };
        history.begin_file();
        for _ in 0..120 {
            history.step();
        }
        history.revive();
        history.bench.run(8_000);
        assert_stored_once(&history.bench, history.n_lines, seed);
    }
}

#[test]
fn every_line_of_a_log_that_is_renamed_between_kills_is_stored_once() {
    play(false);
}

#[test]
fn every_line_of_a_log_that_is_copied_and_truncated_between_kills_is_stored_once() {
    play(true);
}

#[test]
fn every_line_of_a_random_history_is_stored_once() {
    for seed in seeds(60) {
        let mut history = History { bench: Bench::new(&[]), random: Random::new(seed), n_lines: 0 };
        for _ in 0..80 {
            history.step();
        }
        history.bench.run(8_000);
        assert_stored_once(&history.bench, history.n_lines, seed);
    }
}

fn assert_stored_once(bench: &Bench, n_lines: u64, seed: u64) {
    let mut times_stored: BTreeMap<u64, u64> = (1..=n_lines).map(|n| (n, 0)).collect();
    for event in bench.events.iter().filter(|event| !event.starts_with('#')) {
        let number = event.split(' ').nth(1).and_then(|n| n.parse().ok());
        let number: u64 = number.unwrap_or_else(|| panic!("seed {seed}: no whole line: {event}"));
        assert!(event.ends_with('.'), "seed {seed}: no whole line: {event}");
        *times_stored.get_mut(&number).unwrap() += 1;
    }
    let wrong: Vec<_> = times_stored.iter().filter(|(_, times)| **times != 1).collect();
    assert!(wrong.is_empty(), "seed {seed}: lines (and how often they are stored): {wrong:?}");
}
