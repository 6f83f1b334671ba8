//! A segment that is an object: read by pages, which are kept (`read_cache`), in as few requests as can be.
//!
//! Pages that lie next to each other and are not at hand come with one request of at most [`REQUEST_PAGES_MAX`].
//! Several threads that miss the same page ask once. The pages read last stay in memory as well, so that a full disk
//! costs speed and not a request for each section.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};

use segment::{SegmentEnd, Source};
use types::{Hold, ScanError};

use crate::objects::ranges::RangeResponse;
use crate::objects::{Objects, unreadable};
use crate::read_cache::{PAGE_BYTES, PageKey, ReadCache};

/// Most pages of one request.
const REQUEST_PAGES_MAX: u64 = 8;

/// Most requests that are sent at the same time for one thread.
const REQUESTS_MAX: usize = 4;

/// No further pages are asked for ahead of their reader while so many are on their way.
const EXPECTED_PAGES_MAX: usize = 16;

/// Pages that stay in memory: some more than the columns that a query goes through at the same time.
const RECENT_PAGES_MAX: usize = 16;

/// The object store as readers see it.
pub struct RemoteFiles {
    /// The bucket.
    pub objects: Objects,
    /// The cached parts of its objects.
    pub cache: ReadCache,
    // A thread that panicked here leaves both lists whole.
    fetching: Mutex<FetchState>,
    /// Told when pages have come, or have not.
    fetched: Condvar,
}

#[derive(Default)]
struct FetchState {
    /// Pages that were requested.
    asked: HashSet<PageKey>,
    recent: VecDeque<(PageKey, Arc<Vec<u8>>)>,
}

/// An object that is a segment.
#[derive(Clone)]
pub struct RemoteObject {
    files: Arc<RemoteFiles>,
    name: String,
    segment: u128,
    n_bytes: u64,
}

impl RemoteFiles {
    /// Returns the objects of a bucket, read through a cache.
    pub fn new(objects: Objects, cache: ReadCache) -> Arc<Self> {
        Arc::new(Self { objects, cache, fetching: Mutex::default(), fetched: Condvar::new() })
    }

    /// Returns the object `name` of `n_bytes` bytes, which is this segment.
    pub fn open(self: &Arc<Self>, name: &str, segment: u128, n_bytes: u64) -> RemoteObject {
        RemoteObject { files: self.clone(), name: name.to_owned(), segment, n_bytes }
    }

    /// Removes what is kept of a segment.
    pub fn forget_segment(&self, segment: u128) {
        self.fetching.hold().recent.retain(|(key, _)| key.0 != segment);
        self.cache.forget_segment(segment);
    }
}

impl FetchState {
    fn recent(&mut self, key: PageKey) -> Option<Arc<Vec<u8>>> {
        let at = self.recent.iter().position(|(known, _)| *known == key)?;
        let page = self.recent.remove(at)?;
        let bytes = page.1.clone();
        self.recent.push_front(page);
        Some(bytes)
    }
}

impl RemoteObject {
    fn key(&self, page: u64) -> PageKey {
        (self.segment, page)
    }

    /// Returns bytes of some pages, in the object.
    fn range_of(&self, pages: &Range<u64>) -> Range<u64> {
        pages.start * PAGE_BYTES..self.n_bytes.min(pages.end * PAGE_BYTES)
    }

    /// Returns a range within a page, if the page is at hand.
    fn at_hand(&self, page: u64, range: Range<usize>) -> Option<Vec<u8>> {
        let recent = self.files.fetching.hold().recent(self.key(page));
        match recent {
            Some(bytes) => bytes.get(range).map(<[u8]>::to_vec),
            None => self.files.cache.read(self.key(page), range),
        }
    }

    /// Returns the pages that are not cached and not requested by another reader. They count as requested from here
    /// on, until [`fetch`](Self::fetch) has ended.
    fn claim(&self, pages: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
        let mut fetching = self.files.fetching.hold();
        let mut missing: Vec<Range<u64>> = Vec::new();
        for page in pages {
            let key = self.key(page);
            let is_recent = fetching.recent.iter().any(|(known, _)| *known == key);
            if is_recent || self.files.cache.has(key) || !fetching.asked.insert(key) {
                continue;
            }
            match missing.last_mut().filter(|last| last.end == page && last.end - last.start < REQUEST_PAGES_MAX) {
                Some(last) => last.end += 1,
                None => missing.push(page..page + 1),
            }
        }
        missing
    }

    /// Asks for pages that were claimed.
    fn fetch(&self, claimed: &[Range<u64>]) -> io::Result<()> {
        let mut result = Ok(());
        for several in claimed.chunks(REQUESTS_MAX) {
            let ranges: Vec<Range<u64>> = several.iter().map(|pages| self.range_of(pages)).collect();
            let read = if result.is_ok() { self.files.objects.read_many(&self.name, &ranges) } else { Ok(Vec::new()) };
            match read {
                Ok(read) => several.iter().zip(read).for_each(|(pages, bytes)| self.keep(pages, &bytes)),
                Err(error) => result = Err(error),
            }
            self.end_asking(several.iter().cloned().flatten());
        }
        result
    }

    /// Tells those who wait for pages that no request for them is on its way any longer.
    fn end_asking(&self, pages: impl Iterator<Item = u64>) {
        let mut fetching = self.files.fetching.hold();
        pages.for_each(|page| {
            fetching.asked.remove(&self.key(page));
        });
        drop(fetching);
        self.files.fetched.notify_all();
    }

    /// Returns the pages of some ranges within the object, in order.
    fn pages_of(&self, ranges: &[Range<u64>]) -> impl Iterator<Item = u64> + use<> {
        let ranges = ranges.iter().filter(|range| range.end <= self.n_bytes && range.start < range.end);
        let pages = ranges.flat_map(|range| range.start / PAGE_BYTES..range.end.div_ceil(PAGE_BYTES));
        pages.collect::<BTreeSet<u64>>().into_iter()
    }

    fn keep(&self, pages: &Range<u64>, bytes: &[u8]) {
        for (page, bytes) in pages.clone().zip(bytes.chunks(PAGE_BYTES as usize)) {
            let key = self.key(page);
            let mut fetching = self.files.fetching.hold();
            fetching.recent.truncate(RECENT_PAGES_MAX - 1);
            fetching.recent.push_front((key, Arc::new(bytes.to_vec())));
            drop(fetching);
            self.files.cache.keep(key, bytes);
        }
    }

    /// Reads a range within a page, asking for the page where it is not at hand.
    fn read_page(&self, page: u64, range: Range<usize>) -> io::Result<Vec<u8>> {
        loop {
            if let Some(bytes) = self.at_hand(page, range.clone()) {
                return Ok(bytes);
            }
            let claimed = self.claim(std::iter::once(page));
            if !claimed.is_empty() {
                self.fetch(&claimed)?;
                let recent = self.files.fetching.hold().recent(self.key(page));
                // Many threads may have pushed it out again; then it is on the disk, or asked for once more.
                let Some(bytes) = recent else { continue };
                let part = bytes.get(range).map(<[u8]>::to_vec);
                return part.ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
            }
            let fetching = self.files.fetching.hold();
            let key = self.key(page);
            // Where the other one fails, the next round asks itself.
            let still_asked = |fetching: &mut FetchState| fetching.asked.contains(&key);
            drop(self.files.fetched.wait_while(fetching, still_asked));
        }
    }

    /// Returns the end of the segment: what an earlier start has kept of it, else one request, or two for a long footer.
    pub fn end(&self) -> io::Result<SegmentEnd> {
        let known = self.files.cache.end(self.segment);
        let known = known.filter(|(from, bytes)| from.checked_add(bytes.len() as u64) == Some(self.n_bytes));
        if let Some((from, bytes)) = known {
            return Ok(SegmentEnd { from, bytes });
        }
        let end = SegmentEnd::read(&UncachedObject(self))?.without_sections();
        self.files.cache.keep_end(self.segment, end.from, &end.bytes);
        Ok(end)
    }
}

/// Pages that were claimed and asked for while nobody waits.
struct ExpectedPages {
    object: RemoteObject,
    pages: Range<u64>,
}

impl ExpectedPages {
    fn keep(self, response: RangeResponse) {
        // A reader of what did not arrive asks again and gets the reason.
        if let Ok(bytes) = self.object.files.objects.received(response) {
            self.object.keep(&self.pages, &bytes);
        }
    }
}

impl Drop for ExpectedPages {
    /// However it ends: whoever waits for the pages must learn of it.
    fn drop(&mut self) {
        self.object.end_asking(self.pages.clone());
    }
}

impl Source for RemoteObject {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= self.n_bytes);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let pages = offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES).max(offset / PAGE_BYTES + 1);
        let within = |page: u64| {
            let from = offset.max(page * PAGE_BYTES) - page * PAGE_BYTES;
            let to = end.min((page + 1) * PAGE_BYTES) - page * PAGE_BYTES;
            from as usize..to as usize
        };
        if length == 0 {
            return Ok(Vec::new());
        }
        if pages.end - pages.start == 1 {
            return self.read_page(pages.start, within(pages.start));
        }
        let whole = offset..end;
        self.prefetch(std::slice::from_ref(&whole));
        let mut bytes = Vec::with_capacity(length);
        for page in pages {
            bytes.extend(self.read_page(page, within(page))?);
        }
        Ok(bytes)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        // A reader of what did not arrive asks again and gets the reason.
        let _ = self.fetch(&self.claim(self.pages_of(ranges)));
    }

    fn expect(&self, ranges: &[Range<u64>]) {
        let is_busy = self.files.fetching.hold().asked.len() >= EXPECTED_PAGES_MAX;
        if is_busy || self.files.objects.check_reachable().is_err() {
            return;
        }
        for pages in self.claim(self.pages_of(ranges)) {
            let range = self.range_of(&pages);
            let expected = ExpectedPages { object: self.clone(), pages };
            self.files.objects.read_soon(&self.name, range, move |response| expected.keep(response));
        }
    }

    fn scan_error(&self, name: &str, offset: u64, problem: String) -> ScanError {
        unreadable(name, offset, problem)
    }

    fn distrust(&self, range: Range<u64>) -> bool {
        let pages = range.start / PAGE_BYTES..range.end.div_ceil(PAGE_BYTES);
        let mut fetching = self.files.fetching.hold();
        fetching.recent.retain(|(key, _)| key.0 != self.segment || !pages.contains(&key.1));
        drop(fetching);
        pages.for_each(|page| self.files.cache.forget(self.key(page)));
        true
    }
}

/// An object read without its pages: its end is kept by itself.
struct UncachedObject<'a>(&'a RemoteObject);

impl Source for UncachedObject<'_> {
    fn n_bytes(&self) -> u64 {
        self.0.n_bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.files.objects.read(&self.0.name, offset..offset + length as u64)
    }
}

/// An object that is read from its end, or its beginning, to the other side: once, and without copies.
pub struct SequentialObject {
    objects: Arc<Objects>,
    name: String,
    n_bytes: u64,
    /// What was read last, and from where on.
    window: Mutex<(u64, Vec<u8>)>,
}

impl SequentialObject {
    /// Returns a reader of the object `name`, which has `n_bytes` bytes.
    pub fn new(objects: Arc<Objects>, name: &str, n_bytes: u64) -> Self {
        Self { objects, name: name.to_owned(), n_bytes, window: Mutex::default() }
    }
}

impl Source for SequentialObject {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut window = self.window.hold();
        let part = |(from, bytes): &(u64, Vec<u8>)| {
            let at = usize::try_from(offset.checked_sub(*from)?).ok()?;
            bytes.get(at..at.checked_add(length)?).map(<[u8]>::to_vec)
        };
        if let Some(bytes) = part(&window) {
            return Ok(bytes);
        }
        let end = offset.saturating_add((length as u64).max(REQUEST_PAGES_MAX * PAGE_BYTES)).min(self.n_bytes);
        *window = (offset, self.objects.read(&self.name, offset..end)?);
        part(&window).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests;
