//! The object store: segments as objects of a bucket, by S3's protocol.
//!
//! Every call blocks until it is answered or has failed for good; a small runtime of its own does the waiting, so
//! that nothing else in this crate awaits. A request is tried again, after pauses with jitter that get longer, for a
//! bounded time. What is put is read back whole before anyone relies on it ([`put_file`](Objects::put_file)).
//!
//! Objects are called `<prefix>/<store UUID>/segments/<day>/<id>-<8 random digits>.seg`. No name is used twice, so
//! that a request that arrives late can neither replace nor remove an object that someone relies on.
//!
//! Credentials come from where AWS tools look for them: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a web
//! identity, or the machine's own. They are in no setting and in no message.

#[cfg(test)]
pub mod fake;
mod options;
pub(crate) mod ranges;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::{Handle, Runtime};
use types::{Hold, ScanError, ensure, ok_if_missing};

pub use options::ObjectStoreOptions;

use crate::fault::Faults;

/// Largest object that is put with one request, and what of one is held in memory at most.
const PUT_BYTES_MAX: u64 = 32 << 20;

/// Bytes of a part of a larger one, and of a range that is read back. S3 asks for at least 5 MiB, and allows 10,000
/// parts.
const PART_BYTES: u64 = 8 << 20;

/// How long putting a new object may take, for which senders wait.
const NEW_MAX: Duration = Duration::from_secs(4);

/// The separator between the name of an object and the id of a multipart upload of it.
const UPLOAD: &str = "?uploadId=";

/// The objects of one store in one bucket.
pub struct Objects {
    /// Present until it is closed.
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
    bucket: Arc<AmazonS3>,
    /// What all names begin with.
    prefix: String,
    /// What people call it.
    pub url: String,
    /// How long no one asks again after a failure.
    pause: Duration,
    faults: Arc<Faults>,
    counters: Counters,
    /// Why the last request failed, and when, if it did.
    // What a thread that panicked has left here is replaced by the next answer.
    unreachable: Mutex<Option<(String, Instant)>>,
}

/// The start of every error that means that the object store does not answer. It is no damage.
const AWAY: &str = "the object store does not answer";

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    puts: AtomicU64,
}

/// What was asked of the object store since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests, without their retries.
    pub requests: u64,
    /// Requests that failed in spite of retries.
    pub failures: u64,
    /// Bytes of objects received.
    pub bytes_read: u64,
    /// Bytes of objects sent.
    pub bytes_written: u64,
    /// Requests that store something: objects, parts of them, and their beginnings and ends.
    pub puts: u64,
}

impl Objects {
    /// Makes ready to use the object store for the store `store`. Nothing is asked yet.
    pub fn new(options: &ObjectStoreOptions, store: &[u8; 16], faults: Arc<Faults>) -> Result<Self, String> {
        let (runtime, bucket, prefix) = connect(options)?;
        let (handle, runtime) = (runtime.handle().clone(), Mutex::new(Some(runtime)));
        let store = types::hexadecimal(store);
        let prefix = if prefix.is_empty() { store } else { format!("{prefix}/{store}") };
        let (counters, unreachable) = Default::default();
        let (url, pause) = (options.url.clone(), options.patience / 2);
        Ok(Self { runtime, handle, bucket, prefix, url, pause, faults, counters, unreachable })
    }

    /// Lets no one wait any longer: requests on their way and later ones fail.
    pub fn close(&self) {
        let runtime = self.runtime.hold().take();
        // Waiting for it would panic on a thread that belongs to another runtime.
        runtime.into_iter().for_each(Runtime::shutdown_background);
    }

    /// Returns the name of an object for people.
    pub fn url_of(&self, name: &str) -> String {
        let bucket = self.url.strip_prefix("s3://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        format!("s3://{bucket}/{}/{name}", self.prefix)
    }

    /// Returns what was asked of it.
    pub fn traffic(&self) -> Traffic {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { requests, failures, bytes_read, bytes_written, puts } = &self.counters;
        Traffic {
            requests: get(requests),
            failures: get(failures),
            bytes_read: get(bytes_read),
            bytes_written: get(bytes_written),
            puts: get(puts),
        }
    }

    /// Returns why the last request failed, if it did.
    pub fn unreachable(&self) -> Option<String> {
        self.unreachable.hold().as_ref().map(|(problem, _)| problem.clone())
    }

    /// Returns an error while requests are useless: a query that needs a hundred segments must not wait a hundred times.
    pub(crate) fn check_reachable(&self) -> io::Result<()> {
        match &*self.unreachable.hold() {
            Some((problem, since)) if since.elapsed() < self.pause => Err(io::Error::other(problem.clone())),
            _ => Ok(()),
        }
    }

    /// Asks for an object that is never there, to learn whether answers come.
    pub fn probe(&self) {
        // Whatever comes of it is remembered.
        let _ = self.n_bytes("probe");
    }

    /// Returns how many bytes an object has.
    pub fn n_bytes(&self, name: &str) -> io::Result<u64> {
        let (bucket, path) = (self.bucket.clone(), self.path(name));
        self.wait(async move { bucket.head(&path).await }).map(|meta| meta.size)
    }

    /// Puts a file under a new name, and compares every byte with what is read back.
    ///
    /// `begun` is told the name of an upload in parts, which is to be removed if the process ends before this
    /// returns. After an error there may or may not be an object; its name is to be removed.
    pub fn put_file(&self, name: &str, file: &FilePath, begun: impl FnOnce(&str) -> io::Result<()>) -> io::Result<u64> {
        let file = File::open(file)?;
        let n_bytes = file.metadata()?.len();
        self.faults.check("object.put")?;
        if n_bytes <= PUT_BYTES_MAX {
            let bytes = read_local(&file, 0..n_bytes)?;
            let (bucket, path) = (self.bucket.clone(), self.path(name));
            self.count_puts(1);
            self.wait(async move { bucket.put(&path, PutPayload::from(bytes)).await })?;
        } else {
            self.put_parts(name, &file, n_bytes, begun)?;
        }
        self.counters.bytes_written.fetch_add(n_bytes, Ordering::Relaxed);
        self.faults.check("object.verify")?;
        self.compare(name, &file, n_bytes)?;
        Ok(n_bytes)
    }

    /// Puts bytes under a name that no one has used. Where an earlier try has put them there, that is as good.
    pub fn put_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.check_reachable()?;
        self.faults.check("object.put")?;
        let (bucket, path, payload) = (self.bucket.clone(), self.path(name), PutPayload::from(bytes.to_vec()));
        self.count_puts(1);
        let put = self.wait(async move {
            let put = bucket.put_opts(&path, payload, PutMode::Create.into());
            tokio::time::timeout(NEW_MAX, put)
                .await
                .unwrap_or_else(|elapsed| Err(object_store::Error::Generic { store: "S3", source: Box::new(elapsed) }))
        });
        match put {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.n_bytes(name)? != bytes.len() as u64 || self.read(name, 0..bytes.len() as u64)? != bytes {
                    return Err(error);
                }
            }
            put => drop(put?),
        }
        self.counters.bytes_written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn put_parts(
        &self,
        name: &str,
        file: &File,
        n_bytes: u64,
        begun: impl FnOnce(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let (bucket, path) = (self.bucket.clone(), self.path(name));
        // One for the beginning, one for each part, one for the end.
        self.count_puts(n_bytes.div_ceil(PART_BYTES) + 2);
        let id = self.wait(async move { bucket.create_multipart(&path).await })?;
        let upload = format!("{name}{UPLOAD}{id}");
        let put = begun(&upload).and_then(|()| {
            let mut parts: Vec<PartId> = Vec::new();
            for (number, range) in parts_of(n_bytes).enumerate() {
                let payload = PutPayload::from(read_local(file, range)?);
                let (bucket, path, id) = (self.bucket.clone(), self.path(name), id.clone());
                parts.push(self.wait(async move { bucket.put_part(&path, &id, number, payload).await })?);
                self.faults.check("object.part")?;
            }
            let (bucket, path, id) = (self.bucket.clone(), self.path(name), id.clone());
            let completed = self.wait(async move { bucket.complete_multipart(&path, &id, parts).await });
            // It is complete already and only the answer was lost, or the comparison finds nothing.
            ok_if_missing(completed.map(|_| ()))
        });
        if put.is_err() && !self.faults.has_crashed() {
            // If this fails too, the owner of the upload retries.
            let _ = self.remove(&upload);
        }
        put
    }

    /// Reports whether there is an object with exactly the bytes of a file.
    pub fn holds(&self, name: &str, file: &FilePath) -> io::Result<bool> {
        let file = File::open(file)?;
        let n_bytes = file.metadata()?.len();
        match self.n_bytes(name) {
            Ok(found) if found == n_bytes => Ok(self.compare(name, &file, n_bytes).is_ok()),
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Compares an object with a file, range by range.
    fn compare(&self, name: &str, file: &File, n_bytes: u64) -> io::Result<()> {
        let found = self.n_bytes(name)?;
        ensure!(found == n_bytes, io::Error::other(format!("{found} of {n_bytes} bytes arrived")));
        for range in parts_of(n_bytes) {
            let at = range.start;
            if self.read(name, range.clone())? != read_local(file, range)? {
                return Err(io::Error::other(format!("other bytes came back from byte {at} on")));
            }
        }
        Ok(())
    }

    /// Returns names and sizes of all objects that are segments. A repair asks for it; nothing else looks through the bucket.
    pub fn segments(&self) -> io::Result<Vec<(String, u64)>> {
        let (bucket, top) = (self.bucket.clone(), self.path("segments"));
        let days = self.wait(async move { bucket.list_with_delimiter(Some(&top)).await })?.common_prefixes;
        let mut found = Vec::new();
        for day in days {
            let bucket = self.bucket.clone();
            let listed = self.wait(async move { bucket.list_with_delimiter(Some(&day)).await })?;
            for object in listed.objects {
                let name = object.location.as_ref().strip_prefix(&*self.prefix).and_then(|rest| rest.strip_prefix('/'));
                found.extend(name.map(|name| (name.to_owned(), object.size)));
            }
        }
        Ok(found)
    }

    /// Copies an object into a file that is open for writing.
    pub fn copy_into(&self, name: &str, n_bytes: u64, file: &File) -> io::Result<()> {
        parts_of(n_bytes).try_for_each(|range| file.write_all_at(&self.read(name, range.clone())?, range.start))
    }

    /// Removes an object or ends an upload in parts; one that is not there is as good as removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.faults.check("object.remove")?;
        let bucket = self.bucket.clone();
        let removed = match name.split_once(UPLOAD) {
            Some((name, id)) => {
                let (path, id) = (self.path(name), id.to_owned());
                self.wait(async move { bucket.abort_multipart(&path, &id).await })
            }
            None => {
                let path = self.path(name);
                self.wait(async move { bucket.delete(&path).await })
            }
        };
        ok_if_missing(removed)
    }

    fn count_puts(&self, n: u64) {
        self.counters.puts.fetch_add(n, Ordering::Relaxed);
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        self.end(self.begin(request))
    }

    /// Lets a request go, from whatever thread this is.
    fn begin<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> PendingResponse<T> {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = sync_channel(1);
        self.handle.spawn(async move {
            // Who asked may have gone; then no one wants to know.
            let _ = answer.send(request.await);
        });
        answered
    }

    /// Waits for a request.
    fn end<T>(&self, request: PendingResponse<T>) -> io::Result<T> {
        self.judge(request.recv().map_err(|_| io::Error::other("the store is shutting down"))?)
    }

    /// Remembers where the object store did not do its part.
    fn judge<T>(&self, answer: object_store::Result<T>) -> io::Result<T> {
        let Err(error) = answer else {
            if self.unreachable.hold().take().is_some() {
                tracing::warn!(url = self.url, "the object store answers again");
            }
            return answer.map_err(io::Error::from);
        };
        let problem = format!("object store: {}", one_line(&error));
        if let Error::NotFound { .. } = error {
            *self.unreachable.hold() = None;
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
        if let Error::AlreadyExists { .. } | Error::Precondition { .. } = error {
            *self.unreachable.hold() = None;
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
        }
        self.counters.failures.fetch_add(1, Ordering::Relaxed);
        if let Error::PermissionDenied { .. } = error {
            // It answers, and may allow other requests.
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
        let problem = format!("{AWAY} ({})", cause_of(&error));
        let before = self.unreachable.hold().replace((problem.clone(), Instant::now()));
        if before.is_none() {
            tracing::warn!(url = self.url, problem, "answers over cold segments are partial");
        }
        Err(io::Error::other(problem))
    }
}

/// Makes a client of a bucket, the threads that wait for it, and the prefix of names. Nothing is asked yet.
pub(crate) fn connect(options: &ObjectStoreOptions) -> Result<(Runtime, Arc<AmazonS3>, String), String> {
    let (bucket, prefix) = options.open()?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_name("objects").enable_all().build();
    Ok((runtime.map_err(|error| error.to_string())?, Arc::new(bucket), prefix))
}

/// A request that was sent.
type PendingResponse<T> = std::sync::mpsc::Receiver<object_store::Result<T>>;

impl Drop for Objects {
    fn drop(&mut self) {
        self.close();
    }
}

/// The error of a segment that was not requested from the object store yet.
pub const NOT_READ_YET: &str = "it is not read from the object store yet";

/// Reports whether a problem that a [`ScanError`] names is that a segment is not at hand: the object store does not
/// answer, or was not asked yet. Anything else is damage.
pub fn is_unreachable(message: &str) -> bool {
    message.contains(AWAY) || message.contains(NOT_READ_YET)
}

/// Reports whether an error is one that passes.
pub fn is_awaited(error: &ScanError) -> bool {
    error.problem.starts_with(AWAY) || error.problem == NOT_READ_YET
}

/// Returns the innermost reason of an error: the outer ones repeat the address.
fn cause_of(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Says of a file that it cannot be read. Where the object store does not answer it is what is named, once, not each object.
pub fn unreadable(file: &str, offset: u64, problem: String) -> ScanError {
    let is_away = problem.starts_with(AWAY);
    let bucket = file.split("/segments/").next().filter(|_| is_away);
    ScanError { file: bucket.unwrap_or(file).to_owned(), offset: if is_away { 0 } else { offset }, problem }
}

/// Returns the error of the object store, without the lines and the length of its documents.
pub(crate) fn one_line(error: &Error) -> String {
    let text = error.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(400).collect()
}

fn parts_of(n_bytes: u64) -> impl Iterator<Item = Range<u64>> {
    (0..n_bytes.div_ceil(PART_BYTES)).map(move |part| part * PART_BYTES..n_bytes.min((part + 1) * PART_BYTES))
}

fn read_local(file: &File, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}
