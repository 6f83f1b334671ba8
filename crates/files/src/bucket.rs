//! Buckets that others write: objects are listed and read, and nothing is ever put.
//!
//! Endpoint, region and credentials are those of the environment (`AWS_*`), as AWS' own tools have them.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;
use types::Timestamp;

use crate::objects::{ObjectStoreOptions, connect, one_line};

/// A bucket that is only read.
#[derive(Debug)]
pub struct Bucket {
    /// Present until it is dropped.
    runtime: Option<Runtime>,
    bucket: Arc<AmazonS3>,
    name: String,
}

/// An object of a bucket.
#[derive(Clone, Debug)]
pub struct BucketObject {
    /// Its name in the bucket.
    pub key: String,
    /// Its bytes.
    pub n_bytes: u64,
    /// When it was put.
    pub modified: Timestamp,
}

impl BucketObject {
    fn of(meta: ObjectMeta) -> Self {
        let modified = Timestamp(meta.last_modified.timestamp_nanos_opt().unwrap_or_default());
        Self { key: meta.location.to_string(), n_bytes: meta.size, modified }
    }
}

impl Bucket {
    /// Makes ready to read the bucket that is called `name`. Nothing is asked yet.
    pub fn open(name: &str) -> Result<Self, String> {
        let allow_http = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|text| matches!(&*text, "true" | "1"));
        let options = ObjectStoreOptions { allow_http, ..ObjectStoreOptions::new(format!("s3://{name}")) };
        let (runtime, bucket, _) = connect(&options)?;
        Ok(Self { runtime: Some(runtime), bucket, name: name.to_owned() })
    }

    /// Returns the address of an object for people.
    pub fn url_of(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Returns the objects whose names begin with the parts of `prefix`, or the object of this name, in order of their names.
    pub fn list(&self, prefix: &str) -> io::Result<Vec<BucketObject>> {
        let (bucket, path) = (self.bucket.clone(), Path::from(prefix));
        let found = self.wait(async move {
            let below = Some(&path).filter(|path| !path.as_ref().is_empty());
            let listed: Vec<ObjectMeta> = bucket.list(below).try_collect().await?;
            if !listed.is_empty() || below.is_none() {
                return Ok(listed);
            }
            match bucket.head(&path).await {
                Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
                head => head.map(|object| vec![object]),
            }
        });
        let mut objects: Vec<BucketObject> = found?.into_iter().map(BucketObject::of).collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// Returns the object of a name.
    pub fn object(&self, key: &str) -> io::Result<BucketObject> {
        let path = Path::parse(key).map_err(io::Error::other)?;
        let bucket = self.bucket.clone();
        self.wait(async move { bucket.head(&path).await }).map(BucketObject::of)
    }

    /// Reads bytes of an object.
    pub fn read(&self, key: &str, range: Range<u64>) -> io::Result<Bytes> {
        let path = Path::parse(key).map_err(io::Error::other)?;
        let (bucket, n_wanted) = (self.bucket.clone(), range.end - range.start);
        let bytes = self.wait(async move { bucket.get_range(&path, range).await })?;
        if bytes.len() as u64 != n_wanted {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the object has become shorter"));
        }
        Ok(bytes)
    }

    fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let Some(runtime) = &self.runtime else { return Err(io::Error::other("it was closed")) };
        let (answer, answered) = sync_channel(1);
        runtime.spawn(async move {
            // Who asked may have gone; then no one wants to know.
            let _ = answer.send(request.await);
        });
        let answer = answered.recv().map_err(|_| io::Error::other("it was closed"))?;
        answer.map_err(|error| {
            let is_gone = matches!(error, object_store::Error::NotFound { .. });
            let kind = if is_gone { io::ErrorKind::NotFound } else { io::ErrorKind::ConnectionAborted };
            io::Error::new(kind, one_line(&error))
        })
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Waiting for it would panic on a thread that belongs to another runtime.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
