//! Lines of all inputs in turn, read by a thread of its own: reading blocks while a job prints nothing, and
//! batches must go out meanwhile. The thread ends with the last input, or with the process.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::failure::Result;
use crate::local::{Source, open_counted};

/// Blocks read ahead while a batch is on its way; beyond it the job that writes has to wait.
const BLOCKS_AHEAD: usize = 64;

/// The same of each of several files.
const ARCHIVE_BLOCKS_AHEAD: usize = 4;

/// Bytes after which a block goes out, although more is there.
const BLOCK_BYTES: usize = 64 << 10;

/// Longer lines are cut: a line without an end must not fill the memory.
const LINE_BYTES_MAX: u64 = 8 << 20;

const BUFFER_BYTES: usize = 256 << 10;

/// Lines with their ends, of one input, which came together.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct LineBlock {
    /// The place of the input among all of them.
    pub(super) input: usize,
    /// Which line of the input each is, from 1, and where it ends in `bytes`.
    pub(super) lines: Vec<(u64, usize)>,
    pub(super) bytes: Vec<u8>,
}

/// One line with its end, which it may lack where the input ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'b> {
    pub(super) input: usize,
    pub(super) number: u64,
    pub(super) bytes: &'b [u8],
}

impl LineBlock {
    /// Returns the line at a place.
    pub(super) fn line(&self, at: usize) -> Option<Line<'_>> {
        let (number, end) = *self.lines.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.lines[before].1);
        Some(Line { input: self.input, number, bytes: &self.bytes[start..end] })
    }
}

/// The lines, or why an input cannot be read further.
pub(in crate::commands) type Lines = Receiver<Result<LineBlock, (usize, io::Error)>>;

/// What is read, and how far.
pub(super) struct Reading {
    /// Names of the inputs.
    pub(super) names: Vec<String>,
    pub(super) lines: Lines,
    /// Bytes of the inputs, where that is known, and those read.
    pub(super) n_bytes: Option<u64>,
    pub(super) n_read: Arc<AtomicU64>,
}

/// Begins to read the files, or standard input where there are none. Nothing is read where one of them cannot be opened.
pub(super) fn read(paths: &[PathBuf]) -> Result<Reading> {
    let stdin = [PathBuf::from("-")];
    let paths = if paths.is_empty() { &stdin } else { paths };
    let name =
        |path: &PathBuf| if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() };
    let names = paths.iter().map(name).collect();
    let n_read = Arc::<AtomicU64>::default();
    let opened = paths.iter().map(|path| open_counted(path, n_read.clone())).collect::<Result<Vec<_>, _>>()?;
    let n_bytes = opened.iter().map(|(_, n_bytes)| *n_bytes).sum();
    let sources: Vec<Source> = opened.into_iter().map(|(source, _)| source).collect();
    let (sender, lines) = sync_channel(BLOCKS_AHEAD);
    std::thread::spawn(move || {
        for (input, source) in sources.into_iter().enumerate() {
            if let Err(error) = read_one(input, source, &sender) {
                // Reported to the reader of the lines, unless it has gone.
                let _ = sender.send(Err((input, error)));
                return;
            }
        }
    });
    Ok(Reading { names, lines, n_bytes, n_read })
}

/// Begins to read one source; the thread ends with why it could not be read further.
pub(in crate::commands) fn of_source(source: Source) -> (Lines, JoinHandle<io::Result<()>>) {
    let (sender, lines) = sync_channel(ARCHIVE_BLOCKS_AHEAD);
    (lines, std::thread::spawn(move || read_one(0, source, &sender)))
}

/// Sends all lines of an input to `sender`, those together that are there at once; ends early if the receiver has gone.
fn read_one(
    input: usize,
    source: Source,
    sender: &SyncSender<Result<LineBlock, (usize, io::Error)>>,
) -> io::Result<()> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut number = 1;
    loop {
        let bytes = Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8);
        let mut block = LineBlock { input, bytes, ..LineBlock::default() };
        let ended = read_block(&mut source, &mut block, &mut number);
        let is_last = !matches!(ended, Ok(true));
        if !block.lines.is_empty() && sender.send(Ok(block)).is_err() || is_last {
            return ended.map(drop);
        }
    }
}

/// Reads lines until none is there without waiting; tells whether more may come.
fn read_block(source: &mut BufReader<Source>, block: &mut LineBlock, number: &mut u64) -> io::Result<bool> {
    loop {
        let start = block.bytes.len();
        let read = source.take(LINE_BYTES_MAX).read_until(b'\n', &mut block.bytes);
        let n_bytes = block.bytes.len() - start;
        // The rest of a line may come another time.
        if n_bytes == 0 || read.as_ref().is_err_and(archive::is_passing) {
            return read.map(|_| false);
        }
        let is_cut = n_bytes as u64 == LINE_BYTES_MAX && !block.bytes.ends_with(b"\n");
        if is_cut {
            block.bytes.push(b'\n');
        }
        block.lines.push((*number, block.bytes.len()));
        read?;
        *number += u64::from(!is_cut);
        if block.bytes.len() >= BLOCK_BYTES || !source.buffer().contains(&b'\n') {
            return Ok(true);
        }
    }
}
