//! The laboratory: what the tests of durability and faults are made with.
//!
//! * `oracle`: producers whose every event says what it must be, and the comparison of what was promised with what a
//!   server gives back through its public query API.
//! * `disk`: file systems of their own, small ones and ones whose power can be cut.
//! * `rotating`: logs that are rotated in every way; the writers are those of `catat selftest tail`.
//! * `shipping`: a shipper in a process of its own, and a network between it and its server that fails.
//! * `clock`: a wall clock that jumps.
//! * `strace`, `acknowledgements`: system calls that fail, are missing, are traced; and what a trace must show.
//!
//! What needs root, a loop device, `strace` or a compiler is left out where that is not there; why is printed.

#[path = "lab/acknowledgements.rs"]
pub(crate) mod acknowledgements;
#[path = "lab/clock.rs"]
pub(crate) mod clock;
#[path = "lab/disk.rs"]
pub(crate) mod disk;
#[path = "lab/oracle.rs"]
pub(crate) mod oracle;
#[path = "lab/rotating.rs"]
pub(crate) mod rotating;
#[path = "lab/shipping.rs"]
pub(crate) mod shipping;
#[path = "lab/strace.rs"]
pub(crate) mod strace;

pub(crate) use ship::torture::Random;

/// How much is done: `CATAT_FAULT_ROUNDS`, or the few rounds that every change can afford.
pub(crate) fn rounds(short: u64) -> u64 {
    let asked = std::env::var("CATAT_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    asked.unwrap_or(short)
}

/// Tells whether the long form was asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os("CATAT_FAULT_ROUNDS").is_some()
}

/// Where a run of a random test begins: `CATAT_FAULT_SEED`, or always the same. It is printed with every failure.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("CATAT_FAULT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    eprintln!("seed: CATAT_FAULT_SEED={seed}");
    seed
}

/// Lets a moment pass: the moment of a fault is to be any, so nothing is waited for here.
pub(crate) fn some_moment(ms: u64) {
    std::thread::park_timeout(std::time::Duration::from_millis(ms));
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill {signal} {pid}");
}

/// Stops threads when it is dropped, so that a failed assertion beside them ends the test instead of waiting for them.
pub(crate) struct Stopping<'a>(pub(crate) &'a std::sync::atomic::AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// What a process holds in memory, and the most that it has held since this was made.
#[derive(Debug)]
pub(crate) struct Memory {
    pid: u32,
    before: u64,
}

impl Memory {
    /// Of this process from now on.
    pub(crate) fn of(pid: u32) -> Memory {
        // 5 resets the peak; where that is not allowed the peak is that of the whole life, which is stricter.
        let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        let memory = Memory { pid, before: 0 };
        Memory { before: memory.now(), ..memory }
    }

    /// How many bytes it holds.
    pub(crate) fn now(&self) -> u64 {
        self.read("VmRSS:")
    }

    /// The most that it has held.
    pub(crate) fn peak(&self) -> u64 {
        self.read("VmHWM:")
    }

    /// How much more than at the beginning that was.
    pub(crate) fn rise(&self) -> u64 {
        self.peak().saturating_sub(self.before)
    }

    fn read(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says it");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
        kib << 10
    }
}
