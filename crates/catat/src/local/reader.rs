//! One input, read piece by piece: plain, gzip or zstd, told apart by its first bytes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parse::{ArrivalContext, LineColumns, Profile, last_time, sure_end};
use types::Timestamp;

use super::inputs::Input;

/// Most bytes of a piece. Only a single line is ever as long: it is cut here, and its parts are events of their own.
const PIECE_BYTES_MAX: usize = 64 << 20;

/// Lines at the head of a file that may name its columns.
const HEADER_LINES_MAX: usize = 16;

/// A zstd frame may ask for a window of this many bytes (2^27) at most: what `zstd --long` writes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Bytes read at a time from what is unpacked.
const PACKED_BUFFER_BYTES: usize = 256 << 10;

/// Bytes of one input that begin and end with an event.
pub(super) struct Piece {
    pub(super) input: Arc<Input>,
    /// The place of the input among all of them.
    pub(super) number: u32,
    /// The bytes are the first `n_bytes` of it.
    pub(super) buffer: Vec<u8>,
    pub(super) n_bytes: usize,
    pub(super) offset: u64,
    pub(super) previous: Option<Timestamp>,
    /// What the header line named that the input begins with.
    pub(super) columns: Option<Arc<LineColumns>>,
    /// What the lines before have taught.
    pub(super) profile: Profile,
}

/// Reads an input from its beginning to its end.
pub(super) struct Reader {
    input: Arc<Input>,
    number: u32,
    source: Box<dyn Read + Send>,
    /// What was read and belongs to the next piece.
    carried: Vec<u8>,
    offset: u64,
    previous: Option<Timestamp>,
    columns: Option<Arc<LineColumns>>,
    profile: Profile,
    is_at_end: bool,
    /// Why nothing more can be read; told once everything that could be was given.
    failure: Option<io::Error>,
}

impl Reader {
    /// Opens an input; `None` for one that nobody named and that is no text. `n_read` counts its bytes as they are read.
    pub(super) fn open(input: Arc<Input>, number: u32, n_read: Arc<AtomicU64>) -> io::Result<Option<Self>> {
        let mut raw = input.open()?;
        let mut head = vec![0; 4096];
        let n_head = read_full(&mut raw, &mut head)?;
        head.truncate(n_head);
        let packed = CountingReader { source: raw, n_read: n_read.clone() };
        n_read.fetch_add(n_head as u64, Relaxed);
        let magic: [u8; 4] = std::array::from_fn(|place| head.get(place).copied().unwrap_or_default());
        let reason = ship::reason_of_content(&head);
        let whole = io::Cursor::new(head).chain(packed);
        let source: Box<dyn Read + Send> = match magic {
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
            _ if reason.is_some() && !input.is_named => return Ok(None),
            _ if let Some(problem) = reason.as_ref().and_then(|reason| unreadable(reason, magic)) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            _ => Box::new(whole),
        };
        Ok(Some(Self {
            input,
            number,
            source,
            carried: Vec::new(),
            offset: 0,
            previous: None,
            columns: None,
            profile: Profile::default(),
            is_at_end: false,
            failure: None,
        }))
    }

    /// Returns the source of the bytes.
    pub(super) fn into_source(self) -> Box<dyn Read + Send> {
        self.source
    }

    /// Reports whether no piece is left.
    pub(super) fn is_done(&self) -> bool {
        self.is_at_end && self.carried.is_empty() && self.failure.is_none()
    }

    /// Returns the input.
    pub(super) fn input(&self) -> &Arc<Input> {
        &self.input
    }

    /// Returns the number of bytes delivered so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the next piece, of `n_wanted` bytes or a little less, more only where an event is longer. `buffer` is used for
    /// it; what is in it does not matter.
    pub(super) fn piece(
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
        if self.offset == 0 {
            self.columns = columns_of_header(&buffer[..end]).map(Arc::new);
        }
        let (previous, profile) = (self.previous, self.profile);
        if !self.is_at_end {
            let received = ArrivalContext { modified: self.input.modified, ..*received };
            let source = (profile, self.offset);
            self.profile.advance(&buffer[..end], self.offset);
            self.previous = last_time(&buffer[..end], source, previous, &received);
        }
        let offset = self.offset;
        self.offset += end as u64;
        let (input, number, columns) = (self.input.clone(), self.number, self.columns.clone());
        Ok(Some(Piece { input, number, buffer, n_bytes: end, offset, previous, columns, profile }))
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

/// Returns the column names from a header: the first line of the text, or a leading comment line (`#`).
fn columns_of_header(text: &[u8]) -> Option<LineColumns> {
    let mut columns = None;
    for line in text.split(|byte| *byte == b'\n').take(HEADER_LINES_MAX) {
        columns = LineColumns::after(columns, std::str::from_utf8(line).ok()?);
        if !line.starts_with(b"#") {
            break;
        }
    }
    columns
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
        (ship::Reason::Binary, b"LPKS") => {
            Some("a journal of systemd: journalctl --file FILE -o json | catat query - 'QUERY'")
        }
        (ship::Reason::Binary, _) => Some("not a text file"),
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
