//! Lines of an input that is no file, kept in files of our own until the server has them.
//!
//! ```text
//! STATE/spool/NAME/00000000000000000001.log     whole lines as they came; written to the newest only
//! ```
//!
//! The files are followed like any others, so that what is promised of files holds for every input: nothing is lost
//! when the server or the shipper is away, and nothing is stored twice. A file that the server has whole is removed,
//! but for the newest. A half line that a crash left at the end of one is cut off, and writing begins with a new file.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Bytes of a file after which the next is begun.
const FILE_BYTES: u64 = 8 << 20;

/// Bytes at the end of a file that are looked at for its last line.
const LAST_LINE_BYTES_MAX: u64 = 4 << 20;

/// What was given up since the start because there was no room for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossCount {
    /// Lines.
    pub lines: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
}

impl std::ops::AddAssign for LossCount {
    fn add_assign(&mut self, other: Self) {
        self.lines = self.lines.saturating_add(other.lines);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// The files of one input.
#[derive(Debug)]
pub(crate) struct Spool {
    /// Where the files are.
    pub(crate) dir: PathBuf,
    bytes_max: u64,
    /// Number, file and size of the one that is written.
    newest: Option<(u64, File, u64)>,
    number_next: u64,
    /// How much of each file the server has, by number.
    acknowledged: HashMap<u64, u64>,
}

impl Spool {
    /// Opens the directory of an input, and makes it if there is none. At most `bytes_max` bytes are kept, and one
    /// file more.
    pub(crate) fn open(dir: PathBuf, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let number_next = numbers(&dir)?.last().map_or(1, |last| last + 1);
        Ok(Self { dir, bytes_max, newest: None, number_next, acknowledged: HashMap::new() })
    }

    /// Returns the last whole line of what was written before, which is where an input continues.
    pub(crate) fn last_line(&self) -> io::Result<Option<Vec<u8>>> {
        for number in numbers(&self.dir)?.into_iter().rev() {
            if let Some(line) = last_whole_line(&path_of(&self.dir, number))? {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Reports whether there is room for more, besides what the server does not have yet.
    pub(crate) fn has_room(&self) -> io::Result<bool> {
        let waiting =
            |number| self.size_of(number).saturating_sub(self.acknowledged.get(&number).copied().unwrap_or(0));
        Ok(numbers(&self.dir)?.into_iter().map(waiting).sum::<u64>() < self.bytes_max)
    }

    /// Removes files that the server has.
    fn size_of(&self, number: u64) -> u64 {
        fs::metadata(path_of(&self.dir, number)).map_or(0, |metadata| metadata.len())
    }

    /// Writes whole lines; they are on disk when it returns.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        debug_assert!(lines.ends_with(b"\n"), "lines are whole");
        if self.newest.as_ref().is_none_or(|(_, _, size)| *size >= FILE_BYTES) {
            self.begin_file()?;
        }
        let Some((_, file, size)) = &mut self.newest else { return Ok(()) };
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        *size += lines.len() as u64;
        // What is on disk of it now is not known: its last line must not continue with other text.
        if written.is_err() {
            self.newest = None;
        }
        self.remove_delivered();
        written
    }

    /// Notes that the server has the first `offset` bytes of a file, and removes it when that is all of it.
    pub(crate) fn acknowledged(&mut self, path: &Path, offset: u64) {
        let Some(number) = number_of(path).filter(|_| path.parent() == Some(&self.dir)) else { return };
        self.acknowledged.insert(number, offset);
        self.remove_delivered();
    }

    /// Removes files that the server has whole. The newest may still be written, and says where an input continues: as long
    /// as there is nothing in it, the one before it does.
    fn remove_delivered(&mut self) {
        let Some((newest, _, _)) = self.newest.as_ref().filter(|(_, _, size)| *size > 0) else { return };
        let dir = &self.dir;
        self.acknowledged.retain(|number, offset| {
            let path = path_of(dir, *number);
            let is_whole = number != newest && fs::metadata(&path).is_ok_and(|metadata| metadata.len() == *offset);
            // Where it cannot be removed now it is tried again with the next.
            !is_whole || fs::remove_file(&path).is_err()
        });
    }

    /// Removes the oldest files until there is room, and counts what of them the server does not have. The newest stays.
    pub(crate) fn give_up_oldest(&mut self) -> io::Result<LossCount> {
        let mut given_up = LossCount::default();
        let mut kept: u64 = numbers(&self.dir)?.into_iter().map(|number| self.size_of(number)).sum();
        let newest = self.newest.as_ref().map(|(number, _, _)| *number);
        for number in numbers(&self.dir)? {
            if kept < self.bytes_max || Some(number) == newest {
                break;
            }
            let path = path_of(&self.dir, number);
            let size = fs::metadata(&path)?.len();
            let lost = count_lines(File::open(&path)?, self.acknowledged.remove(&number).unwrap_or(0))?;
            fs::remove_file(&path)?;
            kept = kept.saturating_sub(size);
            given_up += lost;
        }
        Ok(given_up)
    }

    fn begin_file(&mut self) -> io::Result<()> {
        if let Some(last) = numbers(&self.dir)?.last().filter(|_| self.newest.is_none()) {
            cut_half_line(&path_of(&self.dir, *last))?;
        }
        let path = path_of(&self.dir, self.number_next);
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        File::open(&self.dir)?.sync_all()?;
        self.newest = Some((self.number_next, file, 0));
        self.number_next += 1;
        Ok(())
    }
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.log"))
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".log")?.parse().ok()
}

/// Returns numbers of the files in a directory, the oldest first.
fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        numbers.extend(number_of(&entry?.path()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Cuts off what follows the last line end; a file without any loses nothing, as it may hold the start of a long line.
fn cut_half_line(path: &Path) -> io::Result<()> {
    let (bytes, start) = last_bytes(path)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n').filter(|end| end + 1 < bytes.len()) else {
        return Ok(());
    };
    OpenOptions::new().write(true).open(path)?.set_len(start + end as u64 + 1)
}

/// Returns the last bytes of a file, and the offset of the first of them.
fn last_bytes(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(LAST_LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(LAST_LINE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok((bytes, start))
}

fn last_whole_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let (bytes, _) = last_bytes(path)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let start = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(Some(bytes[start..end].to_vec()))
}

/// Counts what follows the first `offset` bytes; a last line without its end is a line.
pub(crate) fn count_lines(mut file: File, offset: u64) -> io::Result<LossCount> {
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = io::BufReader::with_capacity(1 << 16, file);
    let (mut count, mut is_in_line) = (LossCount::default(), false);
    loop {
        let chunk = reader.fill_buf()?;
        let Some(last) = chunk.last() else {
            count.lines += u64::from(is_in_line);
            return Ok(count);
        };
        is_in_line = *last != b'\n';
        let n = chunk.len();
        count.lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        count.bytes += n as u64;
        reader.consume(n);
    }
}

#[cfg(test)]
mod tests;
