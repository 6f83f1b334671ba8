//! A program that writes a log and rotates it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Progress, Random, Rotation, text_of};

/// How lines begin that say nothing: each file begins with the same ones, longer than what tells files apart at first.
pub(super) const HEADER_MARK: &str = "# ";

/// Lines at the beginning of each file.
const HEADER_LINES: usize = 30;

/// Rotated files kept beside the live one.
const KEPT: u64 = 5;

/// How often it is looked whether the server has what is to be taken away.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Writes numbered lines into one log and rotates it.
#[derive(Debug)]
pub struct Writer {
    rotation: Rotation,
    dir: PathBuf,
    path: PathBuf,
    file: File,
    /// The file before it, into which late lines go.
    late: Option<File>,
    progress: Arc<Progress>,
    random: Random,
    n_lines: u64,
    n_rotations: u64,
}

/// What a writer has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterSummary {
    /// How it rotated.
    pub rotation: Rotation,
    /// How many lines there are.
    pub lines: u64,
    /// How often it rotated.
    pub rotations: u64,
}

impl Writer {
    /// Begins a log in a directory of its own below `logs`.
    pub fn new(logs: &Path, rotation: Rotation, progress: Arc<Progress>) -> io::Result<Self> {
        let dir = logs.join(rotation.name());
        fs::create_dir_all(&dir)?;
        let path = dir.join("app.log");
        let random = Random::new(rotation as u64 + 1);
        let file = match rotation {
            Rotation::SymlinkSwitch => link_to_new(&path, 0)?,
            _ => begin(&path)?,
        };
        if rotation == Rotation::HardLink {
            fs::hard_link(&path, dir.join("also.log"))?;
        }
        Ok(Self { rotation, dir, path, file, late: None, progress, random, n_lines: 0, n_rotations: 0 })
    }

    /// Writes and rotates until it is told to stop.
    pub fn write(&mut self, stop: &AtomicBool) -> io::Result<WriterSummary> {
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..=self.random.below(20) {
                self.line()?;
            }
            std::thread::park_timeout(Duration::from_millis(self.random.below(30)));
            if self.random.below(12) == 0 {
                self.rotate(stop)?;
            }
        }
        Ok(WriterSummary { rotation: self.rotation, lines: self.n_lines, rotations: self.n_rotations })
    }

    fn next_line(&mut self) -> String {
        let text = text_of(self.rotation, self.n_lines) + "\n";
        self.n_lines += 1;
        text
    }

    /// Writes a line, now and then in two parts, or into the file that was rotated away.
    fn line(&mut self) -> io::Result<()> {
        let line = self.next_line();
        let is_late = self.late.is_some() && self.random.below(4) == 0;
        let file = if is_late { self.late.as_mut().unwrap_or(&mut self.file) } else { &mut self.file };
        if self.random.below(40) > 0 {
            return file.write_all(line.as_bytes());
        }
        let (half, rest) = line.as_bytes().split_at(self.random.below(line.len() as u64) as usize);
        file.write_all(half)?;
        std::thread::park_timeout(Duration::from_millis(self.random.below(60)));
        file.write_all(rest)
    }

    fn rotate(&mut self, stop: &AtomicBool) -> io::Result<()> {
        // A file to which nothing can be written any more must be with the server before it is taken away.
        let is_full = self.with_suffix(KEPT).exists();
        let takes_away =
            matches!(self.rotation, Rotation::Recreate | Rotation::Truncate | Rotation::Regrowth | Rotation::Compress);
        if (is_full || takes_away) && !self.wait_until_stored(stop) {
            return Ok(());
        }
        self.n_rotations += 1;
        // Nothing more goes into the file of the rotation before.
        self.late = None;
        match self.rotation {
            Rotation::Rename => self.rename(),
            Rotation::CopyTruncate => self.copy_and_truncate(),
            Rotation::Recreate => {
                fs::remove_file(&self.path)?;
                self.begin_anew()
            }
            Rotation::NextName => {
                let path = self.dir.join(format!("app-{}.log", self.n_rotations));
                self.late = Some(std::mem::replace(&mut self.file, begin(&path)?));
                Ok(())
            }
            Rotation::SymlinkSwitch => {
                let file = link_to_new(&self.path, self.n_rotations)?;
                self.late = Some(std::mem::replace(&mut self.file, file));
                Ok(())
            }
            Rotation::HardLink => self.rename_hard_link(),
            Rotation::Truncate => self.file.set_len(0),
            Rotation::Regrowth => self.truncate_and_regrow(),
            Rotation::Compress => self.compress(),
        }
    }

    /// Waits until the server has every line; `false` when it is told to stop before.
    fn wait_until_stored(&self, stop: &AtomicBool) -> bool {
        while self.progress.of(self.rotation) < self.n_lines {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        true
    }

    fn with_suffix(&self, n: u64) -> PathBuf {
        PathBuf::from(format!("{}.{n}", self.path.display()))
    }

    /// Moves the rotated files on by one; the last one goes.
    fn make_room(&self) -> io::Result<()> {
        for n in (1..KEPT).rev() {
            if self.with_suffix(n).exists() {
                fs::rename(self.with_suffix(n), self.with_suffix(n + 1))?;
            }
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.file = begin(&self.path)?;
        Ok(())
    }

    fn rename(&mut self) -> io::Result<()> {
        self.make_room()?;
        fs::rename(&self.path, self.with_suffix(1))?;
        // A writer keeps its file open for a moment.
        self.line()?;
        self.late = Some(std::mem::replace(&mut self.file, begin(&self.path)?));
        Ok(())
    }

    fn copy_and_truncate(&mut self) -> io::Result<()> {
        self.make_room()?;
        fs::copy(&self.path, self.with_suffix(1))?;
        self.file.set_len(0)
    }

    fn rename_hard_link(&mut self) -> io::Result<()> {
        self.rename()?;
        let also = self.dir.join("also.log");
        fs::remove_file(&also)?;
        fs::hard_link(&self.path, also)
    }

    /// Writes more than there was in one go, so that no one sees it short.
    fn truncate_and_regrow(&mut self) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        let mut text = header();
        while text.len() as u64 <= size {
            text.push_str(&self.next_line());
        }
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())
    }

    /// Compresses what was rotated away last, as `gzip` does: a new file beside it, then the old one goes.
    fn compress(&mut self) -> io::Result<()> {
        let rotated = self.with_suffix(1);
        if rotated.exists() {
            let path = self.dir.join(format!("app.log.{}.gz", self.n_rotations));
            let mut encoder = flate2::write::GzEncoder::new(File::create_new(path)?, flate2::Compression::fast());
            io::copy(&mut File::open(&rotated)?, &mut encoder)?;
            encoder.finish()?;
            fs::remove_file(&rotated)?;
        }
        fs::rename(&self.path, &rotated)?;
        self.line()?;
        self.late = Some(std::mem::replace(&mut self.file, begin(&self.path)?));
        Ok(())
    }
}

/// Opens a new file, or continues one.
fn begin(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(header().as_bytes())?;
    Ok(file)
}

fn header() -> String {
    format!("{HEADER_MARK}of the same words each time, so that beginnings tell nothing\n").repeat(HEADER_LINES)
}

/// Makes `path` a link to a new file in one step.
fn link_to_new(path: &Path, number: u64) -> io::Result<File> {
    let target = path.with_file_name(format!("run-{number}.log"));
    let file = begin(&target)?;
    let link = path.with_extension("new");
    symlink(&target, &link)?;
    fs::rename(link, path)?;
    Ok(file)
}
