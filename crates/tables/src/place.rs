//! Where tables are: a folder or a bucket.

use std::future::Future;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use files::objects::ObjectStoreOptions;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart};
use tokio::runtime::{Builder, Runtime};

/// Bytes that are read of a file at a time while it is put.
const PART_BYTES: usize = 8 << 20;

/// Parts of an object that are on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// Where tables are.
#[derive(Clone, Debug)]
pub enum PlaceOptions {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    Bucket(ObjectStoreOptions),
}

/// The place of all tables. Names are relative to it; every call blocks.
pub(crate) struct Place {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// What absolute names begin with.
    base: String,
    runtime: Option<Runtime>,
}

/// A file of a table, as a listing has it.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) changed_ms: i64,
}

impl Place {
    pub(crate) fn open(options: &PlaceOptions) -> Result<Self, String> {
        let (store, prefix, base): (Arc<dyn ObjectStore>, Path, String) = match options {
            PlaceOptions::Folder(dir) => {
                let named = |error: &dyn std::fmt::Display| format!("{}: {error}", dir.display());
                std::fs::create_dir_all(dir).map_err(|error| named(&error))?;
                let dir = dir.canonicalize().map_err(|error| named(&error))?;
                let store = LocalFileSystem::new_with_prefix(&dir).map_err(|error| named(&error))?;
                (Arc::new(store.with_fsync(true)), Path::default(), dir.display().to_string())
            }
            PlaceOptions::Bucket(options) => {
                let (bucket, prefix) = options.open()?;
                let base = options.url.trim_end_matches('/').to_owned();
                (Arc::new(bucket), Path::from(prefix), base)
            }
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("tables-io").enable_all().build();
        let runtime = Some(runtime.map_err(|error| error.to_string())?);
        Ok(Self { store, prefix, base, runtime })
    }

    /// Returns a name as engines find it.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    fn wait<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> io::Result<T> {
        let runtime = self.runtime.as_ref().ok_or_else(|| io::Error::other("the server stops"))?;
        runtime.handle().block_on(work).map_err(|error| match error {
            object_store::Error::AlreadyExists { .. } => io::Error::new(io::ErrorKind::AlreadyExists, error),
            error => io::Error::from(error),
        })
    }

    /// Returns what a file contains; none where there is no such file.
    pub(crate) fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let read = self.wait(async { self.store.get(&self.path(name)).await?.bytes().await });
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Ok(Some(read?.to_vec())),
        }
    }

    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        self.wait(async { self.store.put(&self.path(name), PutPayload::from(bytes)).await }).map(drop)
    }

    /// Puts a file unless there is one of this name. Tells whether it was put.
    pub(crate) fn put_new(&self, name: &str, bytes: Vec<u8>) -> io::Result<bool> {
        let path = self.path(name);
        let put = self.wait(async { self.store.put_opts(&path, bytes.clone().into(), PutMode::Create.into()).await });
        match put {
            // It may be our own, put by a request whose answer was lost.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(self.get(name)?.as_ref() == Some(&bytes)),
            put => put.map(|_| true),
        }
    }

    /// Puts a file of this machine, in parts.
    pub(crate) fn put_file(&self, name: &str, file: &FilePath) -> io::Result<()> {
        let path = self.path(name);
        let mut source = std::fs::File::open(file)?;
        let upload = self.wait(self.store.put_multipart(&path))?;
        // It starts tasks.
        let runtime = self.runtime.as_ref().ok_or_else(|| io::Error::other("the server stops"))?;
        let _entered = runtime.enter();
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut buffer = vec![0; PART_BYTES];
        let mut next = || io::Read::read(&mut source, &mut buffer).map(|n| buffer[..n].to_vec());
        loop {
            let part = next().and_then(|part| self.wait(upload.wait_for_capacity(PARTS_AT_ONCE)).map(|()| part));
            match part {
                Ok(part) if part.is_empty() => return self.wait(upload.finish()).map(drop),
                Ok(part) => upload.put(part.into()),
                Err(error) => {
                    // Parts that stay are the bucket's to remove.
                    let _ = self.wait(upload.abort());
                    return Err(error);
                }
            }
        }
    }

    /// Removes a file; one that is not there is removed.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        types::ok_if_missing(self.wait(async { self.store.delete(&self.path(name)).await }))
    }

    /// Lists the files below a folder.
    pub(crate) fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let (path, prefix) = (self.path(folder), format!("{}/", self.path("")));
        let found: Vec<ObjectMeta> = self.wait(async {
            let mut listed = self.store.list(Some(&path));
            let mut found = Vec::new();
            while let Some(one) = tokio_stream::StreamExt::next(&mut listed).await {
                found.push(one?);
            }
            Ok(found)
        })?;
        let listed = |object: ObjectMeta| {
            let name = object.location.to_string();
            let name = name.strip_prefix(prefix.trim_start_matches('/')).unwrap_or(&name).to_owned();
            Listed { name, changed_ms: object.last_modified.timestamp_millis() }
        };
        Ok(found.into_iter().map(listed).collect())
    }

    /// Lists the folders of tables.
    pub(crate) fn folders(&self) -> io::Result<Vec<String>> {
        let found = self.wait(async { self.store.list_with_delimiter(Some(&self.prefix)).await })?;
        Ok(found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
