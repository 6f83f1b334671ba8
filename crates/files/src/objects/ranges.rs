//! Ranges of objects: waited for, or asked for ahead of their reader.

use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;

use object_store::ObjectStoreExt;

use super::Objects;

/// What came of a request for a range.
pub struct RangeResponse {
    answer: object_store::Result<Vec<u8>>,
    range: Range<u64>,
}

impl Objects {
    /// Reads a range of an object; less than it is an error.
    pub fn read(&self, name: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut read = self.read_many(name, std::slice::from_ref(&range))?;
        Ok(read.pop().unwrap_or_default())
    }

    /// Reads ranges of an object, all at the same time: there are to be few of them.
    pub fn read_many(&self, name: &str, ranges: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>> {
        self.check_reachable()?;
        let requests = ranges.iter().map(|range| {
            let (bucket, path, range) = (self.bucket.clone(), self.path(name), range.clone());
            self.begin(async move { bucket.get_range(&path, range).await })
        });
        // All are sent before the first answer is waited for.
        let requests: Vec<_> = requests.collect();
        let mut read = Vec::with_capacity(ranges.len());
        for (request, range) in requests.into_iter().zip(ranges) {
            let bytes = self.end(request)?;
            self.count_read(&bytes, range)?;
            read.push(bytes.to_vec());
        }
        Ok(read)
    }

    /// Asks for a range of an object and returns at once. `done` is called on another thread once it has come or cannot be had,
    /// and gets what [`received`](Self::received) makes sense of; it is dropped without a call where the store is closed before.
    pub fn read_soon(&self, name: &str, range: Range<u64>, done: impl FnOnce(RangeResponse) + Send + 'static) {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let (bucket, path) = (self.bucket.clone(), self.path(name));
        self.handle.spawn(async move {
            let answer = bucket.get_range(&path, range.clone()).await.map(|bytes| bytes.to_vec());
            // What is done with the bytes may block.
            tokio::task::spawn_blocking(move || done(RangeResponse { answer, range }));
        });
    }

    /// Returns the bytes of a range that was asked for. Where the object store did not do its part, that is remembered.
    pub fn received(&self, response: RangeResponse) -> io::Result<Vec<u8>> {
        let bytes = self.judge(response.answer)?;
        self.count_read(&bytes, &response.range)?;
        Ok(bytes)
    }

    /// Counts bytes that have come; less than the whole range is an error.
    fn count_read(&self, bytes: &[u8], range: &Range<u64>) -> io::Result<()> {
        self.counters.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if bytes.len() as u64 != range.end - range.start {
            let problem = format!("{} of {} bytes arrived", bytes.len(), range.end - range.start);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
        }
        Ok(())
    }
}
