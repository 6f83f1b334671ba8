//! Where the object store is.

use std::fmt;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where the object store is, and how much of it is kept at hand.
#[derive(Clone)]
pub struct ObjectStoreOptions {
    /// Bucket and prefix, `s3://bucket/prefix`.
    pub url: String,
    /// Address of a server that speaks S3's protocol; none for Amazon's own.
    pub endpoint: Option<String>,
    /// Region of the bucket; `None` for that of the environment.
    pub region: Option<String>,
    /// Whether an endpoint without TLS will do.
    pub allow_http: bool,
    /// Access key id and secret; `None` for those of the environment.
    pub credentials: Option<(String, String)>,
    /// How long a request is tried again.
    pub patience: Duration,
    /// The first pause between tries; later ones are longer.
    pub first_pause: Duration,
    /// How long one answer may take.
    pub answer_timeout: Duration,
}

impl ObjectStoreOptions {
    /// Returns the object store at `url`, with defaults for everything else.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            endpoint: None,
            region: None,
            allow_http: false,
            credentials: None,
            // Queries wait for it: long enough for a leader to change, shorter than what people wait for.
            patience: Duration::from_secs(10),
            first_pause: Duration::from_millis(100),
            // A range of 8 MiB at 300 kB/s.
            answer_timeout: Duration::from_secs(30),
        }
    }

    /// Says what is wrong with the address of the bucket, if anything is.
    pub fn check_url(&self) -> Result<(), String> {
        self.bucket_and_prefix().map(|_| ())
    }

    /// Says what is wrong with the endpoint, if anything is.
    pub fn check_endpoint(&self) -> Result<(), String> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        refuse_credentials(endpoint)?;
        let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
        if !host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')) {
            return Err(format!("\"{endpoint}\" is not an address; write one such as https://s3.example.org"));
        }
        if endpoint.starts_with("http://") && !self.allow_http {
            let next = "use https, or allow it with object_store_allow_http = true";
            return Err(format!("\"{endpoint}\" has no TLS, so anyone on the way can read all events; {next}"));
        }
        Ok(())
    }

    /// Makes ready to use the bucket, and returns it with the prefix. Nothing is asked yet.
    pub fn open(&self) -> Result<(AmazonS3, String), String> {
        let (bucket_name, prefix) = self.bucket_and_prefix()?;
        self.check_endpoint()?;
        let max_backoff = self.patience.min(Duration::from_secs(5));
        let backoff = BackoffConfig { init_backoff: self.first_pause, max_backoff, base: 2.0 };
        let retry = RetryConfig { backoff, max_retries: 10, retry_timeout: self.patience };
        let client = ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(self.answer_timeout);
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket_name)
            .with_retry(retry)
            .with_client_options(client.with_allow_http(self.allow_http))
            .with_disable_bulk_delete(true);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some((id, secret)) = &self.credentials {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        Ok((builder.build().map_err(|error| error.to_string())?, prefix.to_owned()))
    }

    /// Returns bucket and prefix, the prefix without slashes at its ends.
    pub(crate) fn bucket_and_prefix(&self) -> Result<(&str, &str), String> {
        refuse_credentials(&self.url)?;
        let wanted = |problem: &str| format!("\"{}\" {problem}; write s3://BUCKET or s3://BUCKET/PREFIX", self.url);
        let rest = self.url.strip_prefix("s3://").ok_or_else(|| wanted("is no address of a bucket"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_name) {
            return Err(wanted("names no bucket, which has 3 to 63 of a-z 0-9 . -"));
        }
        let prefix = prefix.trim_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=');
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        if prefix.len() > 512 || !prefix.chars().all(is_plain) || !(prefix.is_empty() || prefix.split('/').all(is_part))
        {
            return Err(wanted("has a prefix that is more than parts of A-Z a-z 0-9 - _ . ="));
        }
        Ok((bucket, prefix))
    }
}

/// Without the secret.
impl fmt::Debug for ObjectStoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStoreOptions").field("url", &self.url).field("endpoint", &self.endpoint).finish()
    }
}

/// Refuses an address with a name or a password in it, and does not repeat it.
fn refuse_credentials(address: &str) -> Result<(), String> {
    if !address.contains('@') {
        return Ok(());
    }
    Err("holds a name or a password; give those as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned())
}

#[cfg(test)]
mod tests;
