//! A wall clock that jumps, for one server: a library that is loaded before the system's (`clock.c`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Launch;

/// A clock that a test moves.
pub(crate) struct Clock {
    library: PathBuf,
    offset: PathBuf,
}

impl Clock {
    /// Builds it; `None`, and why on standard error, where there is no compiler.
    pub(crate) fn build(scratch: &Path) -> Option<Clock> {
        let (source, library) = (scratch.join("clock.c"), scratch.join("clock.so"));
        fs::write(&source, include_str!("clock.c")).expect("scratch is writable");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
        match built {
            Ok(output) if output.status.success() => {}
            other => {
                eprintln!("left out: nothing can be compiled here: {other:?}");
                return None;
            }
        }
        let clock = Clock { library, offset: scratch.join("clock") };
        clock.set(0);
        Some(clock)
    }

    /// Adds so many seconds to the true time, from now on.
    pub(crate) fn set(&self, offset_s: i64) {
        use std::os::unix::fs::FileExt;
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&self.offset);
        // In its place: the process has it mapped.
        file.and_then(|file| file.write_all_at(&offset_s.to_ne_bytes(), 0)).expect("scratch is writable");
    }

    /// A launch whose server goes by this clock.
    pub(crate) fn of(&self, launch: Launch) -> Launch {
        let ascii = |path: &Path| path.to_str().expect("scratch paths are ASCII").to_owned();
        launch.with_variable("LD_PRELOAD", &ascii(&self.library)).with_variable("LAB_CLOCK", &ascii(&self.offset))
    }
}
