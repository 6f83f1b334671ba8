//! One input, read piece by piece: plain, gzip or zstd, told apart by its first bytes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parse::{ArrivalContext, LineColumns, Profile, last_time, sure_end};
use types::Timestamp;

use crate::columnar::ColumnarFile;
use crate::inputs::Input;
use crate::journal::Journal;
use crate::rewrite::{Documents, Rewritten, Table};

/// Bytes at the head of an input by which is told what it is.
const HEAD_BYTES: usize = 4096;

/// Most bytes of a piece. Only a single line is ever as long: it is cut here, and its parts are events of their own.
const PIECE_BYTES_MAX: usize = 64 << 20;

/// Lines at the head of a file that may name its columns.
const HEADER_LINES_MAX: usize = 16;

/// A zstd frame may ask for a window of this many bytes (2^27) at most: what `zstd --long` writes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Why most files are not read that are not.
const NO_TEXT: &str = "not a text file";

/// Bytes read at a time from what is unpacked.
const PACKED_BUFFER_BYTES: usize = 256 << 10;

/// Bytes of one input that begin and end with an event.
pub(crate) struct Piece {
    pub(crate) input: Arc<Input>,
    /// The place of the input among all of them.
    pub(crate) number: u32,
    /// The bytes are the first `n_bytes` of it.
    pub(crate) buffer: Vec<u8>,
    pub(crate) n_bytes: usize,
    pub(crate) offset: u64,
    pub(crate) previous: Option<Timestamp>,
    /// What the header line named that the input begins with.
    pub(crate) columns: Option<Arc<LineColumns>>,
    /// What the lines before have taught.
    pub(crate) profile: Profile,
    /// Whether the lines were made of the rows of a table.
    pub(crate) is_table: bool,
}

/// An input that was opened.
pub(crate) enum Opened {
    /// It is read as text.
    Text(Box<Reader>),
    /// Its columns are read by themselves.
    Columnar(Arc<ColumnarFile>),
    /// Nobody named it, and it is no text.
    PassedOver,
}

/// Reads an input from its beginning to its end.
pub(crate) struct Reader {
    input: Arc<Input>,
    number: u32,
    source: Box<dyn Read + Send>,
    /// What was read and belongs to the next piece.
    carried: Vec<u8>,
    offset: u64,
    previous: Option<Timestamp>,
    columns: Option<Arc<LineColumns>>,
    profile: Profile,
    is_table: bool,
    is_at_end: bool,
    /// Why nothing more can be read; told once everything that could be was given.
    failure: Option<io::Error>,
}

impl Reader {
    /// Opens an input; `n_read` counts its bytes as they are read.
    pub(crate) fn open(input: Arc<Input>, number: u32, n_read: Arc<AtomicU64>) -> io::Result<Opened> {
        let (source, is_table) = match unpacked(&input, n_read)? {
            Content::Text(source) => rewritten(&input, source),
            Content::Parquet => return Ok(Opened::Columnar(Arc::new(ColumnarFile::open(input, number)?))),
            Content::Other(_) => return Ok(Opened::PassedOver),
        };
        Ok(Opened::Text(Box::new(Self {
            input,
            number,
            source,
            carried: Vec::new(),
            offset: 0,
            previous: None,
            columns: None,
            profile: Profile::default(),
            is_table,
            is_at_end: false,
            failure: None,
        })))
    }

    /// Reports whether no piece is left.
    pub(crate) fn is_done(&self) -> bool {
        self.is_at_end && self.carried.is_empty() && self.failure.is_none()
    }

    /// Returns the input.
    pub(crate) fn input(&self) -> &Arc<Input> {
        &self.input
    }

    /// Returns the number of bytes delivered so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the next piece, of `n_wanted` bytes or a little less, more only where an event is longer. `buffer` is used for
    /// it; what is in it does not matter.
    pub(crate) fn piece(
        &mut self,
        mut buffer: Vec<u8>,
        n_wanted: usize,
        received: &ArrivalContext<'_>,
    ) -> io::Result<Option<Piece>> {
        if let Some(failure) = self.failure.take_if(|_| self.carried.is_empty()) {
            return Err(failure);
        }
        let carried = std::mem::take(&mut self.carried);
        let mut n_bytes = carried.len();
        buffer.resize(buffer.len().max(n_bytes), 0);
        buffer[..n_bytes].copy_from_slice(&carried);
        let mut n_wanted = n_wanted.max(n_bytes);
        let end = loop {
            if buffer.len() < n_wanted {
                buffer.resize(n_wanted, 0);
            }
            n_bytes += self.fill(&mut buffer[n_bytes..n_wanted]);
            if self.is_at_end {
                break n_bytes;
            }
            if let Some(end) =
                sure_end(&buffer[..n_bytes], (self.profile, self.offset), received.limits.event_bytes_max)
            {
                break end;
            }
            if n_wanted >= PIECE_BYTES_MAX {
                break n_bytes;
            }
            n_wanted = (2 * n_wanted).min(PIECE_BYTES_MAX);
        };
        self.carried.extend_from_slice(&buffer[end..n_bytes]);
        if end == 0 {
            return self.failure.take().map_or(Ok(None), Err);
        }
        let mut n_header = 0;
        if self.offset == 0
            && let Some((columns, n_bytes)) = columns_of_header(&buffer[..end])
        {
            (self.columns, n_header) = (Some(Arc::new(columns)), n_bytes);
        }
        let (previous, profile) = (self.previous, self.profile);
        if !self.is_at_end {
            let received = ArrivalContext { modified: self.input.modified, ..*received };
            let source = (profile, self.offset);
            self.profile.advance(&buffer[..end], self.offset);
            self.previous = last_time(&buffer[..end], source, previous, &received);
        }
        let offset = self.offset + n_header as u64;
        self.offset += end as u64;
        // A header is no event.
        buffer.drain(..n_header);
        let end = end - n_header;
        let (input, number, columns) = (self.input.clone(), self.number, self.columns.clone());
        Ok(Some(Piece {
            input,
            number,
            buffer,
            n_bytes: end,
            offset,
            previous,
            columns,
            profile,
            is_table: self.is_table,
        }))
    }

    /// Reads until `place` is full or nothing more comes; gives how much was read.
    fn fill(&mut self, place: &mut [u8]) -> usize {
        let mut n_bytes = 0;
        while n_bytes < place.len() && !self.is_at_end {
            match self.source.read(&mut place[n_bytes..]) {
                Ok(0) => self.is_at_end = true,
                Ok(n_read) => n_bytes += n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_at_end = true;
                    self.failure = Some(error);
                }
            }
        }
        n_bytes
    }
}

/// What an input consists of.
enum Content {
    Text(Box<dyn Read + Send>),
    Parquet,
    /// What nobody named, and why it is not read.
    Other(&'static str),
}

/// Returns the bytes of an input, unpacked where it is packed, and how long it is as it lies there, where that is known. `n_read` counts
/// what is read of it.
///
/// # Errors
/// Where it cannot be opened or is no text.
pub fn open_text(input: &Input, n_read: Arc<AtomicU64>) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if input.path.is_none() {
        return input.open().map(|source| (source, None));
    }
    match unpacked(input, n_read)? {
        Content::Text(source) => Ok((source, Some(input.n_bytes))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, NO_TEXT)),
    }
}

/// Returns an input as lines, unpacked where it is packed: those that it has, or one of JSON for each of its records; `None` where nobody
/// named it and it is neither text nor packed. The lines of a file that does not change are the same each time.
///
/// # Errors
/// Where it cannot be opened or is no text.
pub fn open_lines(input: &Arc<Input>, n_read: Arc<AtomicU64>) -> io::Result<Option<Box<dyn Read + Send>>> {
    Ok(match unpacked(input, n_read.clone())? {
        Content::Text(source) => Some(rewritten(input, source).0),
        Content::Parquet => {
            n_read.fetch_add(input.n_bytes.saturating_sub(HEAD_BYTES as u64), Relaxed);
            Some(Box::new(Arc::new(ColumnarFile::open(input.clone(), 0)?).into_lines()))
        }
        Content::Other(NO_TEXT) => None,
        Content::Other(problem) => return Err(io::Error::new(io::ErrorKind::InvalidData, problem)),
    })
}

/// Makes lines of a source that has none; returns whether they are rows of a table.
fn rewritten(input: &Input, source: Box<dyn Read + Send>) -> (Box<dyn Read + Send>, bool) {
    let (head, source) = begun(source);
    match Table::of(&input.name(), &head) {
        Some(table) => (Box::new(Rewritten::new(source, table)), true),
        None if Documents::are_in(&head) => (Box::new(Rewritten::new(source, Documents::default())), false),
        None => (source, false),
    }
}

/// Opens an input, and unpacks it where it is packed.
fn unpacked(input: &Input, n_read: Arc<AtomicU64>) -> io::Result<Content> {
    let mut raw = input.open()?;
    let mut head = vec![0; HEAD_BYTES];
    let n_head = read_full(&mut raw, &mut head)?;
    head.truncate(n_head);
    let packed = CountingReader { source: raw, n_read: n_read.clone() };
    n_read.fetch_add(n_head as u64, Relaxed);
    let magic: [u8; 4] = std::array::from_fn(|place| head.get(place).copied().unwrap_or_default());
    let reason = ship::reason_of_content(&head);
    let whole = io::Cursor::new(head).chain(packed);
    Ok(Content::Text(match magic {
        [0x1f, 0x8b, ..] => {
            let buffered = io::BufReader::with_capacity(PACKED_BUFFER_BYTES, whole);
            Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let buffered = io::BufReader::with_capacity(PACKED_BUFFER_BYTES, whole);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        _ if magic == *b"PAR1" => return Ok(Content::Parquet),
        _ if magic == *b"LPKS"
            && let Some(path) = &input.path =>
        {
            n_read.fetch_add(input.n_bytes.saturating_sub(n_head as u64), Relaxed);
            Box::new(Journal::open(path)?)
        }
        _ if let Some(reason) = reason.as_ref().filter(|_| !input.is_named) => {
            return Ok(Content::Other(unreadable(reason, magic).unwrap_or(NO_TEXT)));
        }
        _ if let Some(problem) = reason.as_ref().and_then(|reason| unreadable(reason, magic)) => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        _ => Box::new(whole),
    }))
}

/// Returns what a source begins with, and the whole of it. A source that breaks off so early says so again when it is read.
fn begun(mut source: Box<dyn Read + Send>) -> (Vec<u8>, Box<dyn Read + Send>) {
    let mut head = vec![0; HEAD_BYTES];
    let mut n_bytes = 0;
    let failure = loop {
        match source.read(&mut head[n_bytes..]) {
            Ok(0) => break None,
            Ok(n_read) => n_bytes += n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    head.truncate(n_bytes);
    let rest: Box<dyn Read + Send> = match failure {
        Some(failure) => Box::new(Broken(Some(failure))),
        None => source,
    };
    (head.clone(), Box::new(io::Cursor::new(head).chain(rest)))
}

/// A source that has broken off.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _place: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Returns the column names from a header, and how many bytes it has: the first line of the text, or leading comment lines (`#`).
fn columns_of_header(text: &[u8]) -> Option<(LineColumns, usize)> {
    let (mut columns, mut n_bytes) = (None, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n').take(HEADER_LINES_MAX) {
        let named = LineColumns::after(columns.clone(), std::str::from_utf8(line).ok()?.trim_end());
        if line.starts_with(b"#") || (n_bytes == 0 && named.is_some()) {
            n_bytes += line.len();
            columns = named;
        }
        if !line.starts_with(b"#") {
            break;
        }
    }
    columns.map(|columns| (columns, n_bytes))
}

/// Returns why a file that is no text is not read, and what makes text of it.
fn unreadable(reason: &ship::Reason, magic: [u8; 4]) -> Option<&'static str> {
    match (reason, &magic) {
        (ship::Reason::Compressed, [b'B', b'Z', b'h', _]) => {
            Some("packed in a way that cannot be read here: bzip2 -dc FILE | catat query - 'QUERY'")
        }
        (ship::Reason::Compressed, _) => {
            Some("packed in a way that cannot be read here: xz -dc FILE | catat query - 'QUERY'")
        }
        (ship::Reason::Utf16, _) => Some("text in UTF-16: iconv -f UTF-16 -t UTF-8 FILE | catat query - 'QUERY'"),
        (ship::Reason::Binary, b"LPKS") => Some("a journal of systemd: fetch it, since journalctl reads files alone"),
        (ship::Reason::Binary, _) => Some(NO_TEXT),
        _ => None,
    }
}

/// Reads until `place` is full or nothing more comes.
fn read_full(source: &mut dyn Read, place: &mut [u8]) -> io::Result<usize> {
    let mut n_bytes = 0;
    while n_bytes < place.len() {
        match source.read(&mut place[n_bytes..]) {
            Ok(0) => break,
            Ok(n_read) => n_bytes += n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_bytes)
}

/// Counts what is read, for those who wait.
struct CountingReader {
    source: Box<dyn Read + Send>,
    n_read: Arc<AtomicU64>,
}

impl Read for CountingReader {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let n_read = self.source.read(place)?;
        self.n_read.fetch_add(n_read as u64, Relaxed);
        Ok(n_read)
    }
}
