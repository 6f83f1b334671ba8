//! Services of Amazon that take operations as JSON, each request signed (AWS, *Signature Version 4*).

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::import::Side;
use crate::failure::{Failure, Result};

/// A service at an address, with the credentials of the environment.
pub(super) struct AwsService {
    /// Its name in signatures, and what names of operations begin with.
    service: &'static str,
    target: &'static str,
    content_type: &'static str,
    pub(super) region: String,
    host: HeaderValue,
    /// `/`, or what it is below.
    path: String,
    /// The pair of keys, and the token of a session.
    keys: (String, String, Option<String>),
}

impl AwsService {
    pub(super) fn new(
        url: &Url,
        (service, target): (&'static str, &'static str),
        content_type: &'static str,
    ) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        let (id, secret) = keys.ok_or_else(|| Failure::usage("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))?;
        let host = url.host_str().unwrap_or_default();
        // logs.eu-central-1.amazonaws.com
        let of_host = host.strip_prefix(service).and_then(|rest| rest.strip_prefix('.')?.split('.').next());
        let region = of_host.map(str::to_owned).or_else(|| variable("AWS_REGION"));
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self {
            service,
            target,
            content_type,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            host: HeaderValue::from_str(&host).map_err(|error| Failure::usage(error.to_string()))?,
            path: if url.path().len() > 1 { url.path().trim_end_matches('/') } else { "/" }.to_owned(),
            keys: (id, secret, variable("AWS_SESSION_TOKEN")),
        })
    }

    /// Asks for an operation.
    pub(super) fn ask(&self, at: &Side<'_>, operation: &str, body: &Value) -> Result<Value> {
        let (target, body) = (format!("{}.{operation}", self.target), body.to_string());
        let below = if self.path == "/" { "/" } else { "" };
        // A signature is good for some minutes, so each attempt has its own.
        let signed = || Ok(at.request(Method::POST, below).headers(self.signed(&target, &body)?).body(body.clone()));
        let answer = at.send_each(&signed)?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).map_err(|error| Failure::other(format!("{}: {error}", at.name)))
    }

    fn signed(&self, target: &str, body: &str) -> Result<HeaderMap> {
        let now = storage::Clock::system().now().whole_seconds().to_string();
        let now: String = now.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let mut headers = HeaderMap::new();
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| Failure::usage(format!("the keys of AWS: {error}")))
        };
        headers.insert("host", self.host.clone());
        headers.insert("x-amz-date", value(&now)?);
        headers.insert("x-amz-target", value(target)?);
        headers.insert("content-type", HeaderValue::from_static(self.content_type));
        if let Some(token) = &self.keys.2 {
            headers.insert("x-amz-security-token", value(token)?);
        }
        let (keys, path) = ((&*self.keys.0, &*self.keys.1), &*self.path);
        let of = (self.service, &*self.region);
        let signature = cloudwatch::authorization(keys, of, (path, &headers), body.as_bytes());
        headers.insert("authorization", value(&signature)?);
        Ok(headers)
    }
}
