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
            self.bench.append(name, &format!("line {} {padding}.\n", self.n_lines));
        }
    }

    /// Writes a line in two halves, less than five seconds apart.
    fn write_halves(&mut self, name: &'static str) {
        self.n_lines += 1;
        self.bench.append(name, &format!("line {} half ", self.n_lines));
        let milliseconds = 50 * self.random.below(60) as i64;
        self.bench.run(milliseconds);
        self.bench.append(name, "half.\n");
    }

    /// Moves the kept files up by one; the last one goes, as everybody had time to read it.
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

    /// Stops the shipper, lets the world go on, and starts it again.
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

#[test]
fn every_line_of_a_random_history_is_stored_once() {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let first: u64 = number("CATAT_FAULT_SEED").unwrap_or(1);
    for seed in first..first + number("CATAT_FAULT_ROUNDS").unwrap_or(60) {
        let mut history = History { bench: Bench::new(&[]), random: Random::new(seed), n_lines: 0 };
        for _ in 0..80 {
            history.step();
        }
        history.bench.run(8_000);
        let mut times_stored: BTreeMap<u64, u64> = (1..=history.n_lines).map(|n| (n, 0)).collect();
        for event in &history.bench.events {
            let number = event.split(' ').nth(1).and_then(|n| n.parse().ok());
            let number: u64 = number.unwrap_or_else(|| panic!("seed {seed}: no whole line: {event}"));
            assert!(event.ends_with('.'), "seed {seed}: no whole line: {event}");
            *times_stored.get_mut(&number).unwrap() += 1;
        }
        let wrong: Vec<_> = times_stored.iter().filter(|(_, times)| **times != 1).collect();
        assert!(wrong.is_empty(), "seed {seed}: lines (and how often they are stored): {wrong:?}");
    }
}
