//! Pages of metrics, as Prometheus' exporters have them (`/metrics`): fetched from time to time, an event for each sample.
//!
//! An event has `name`, `value`, `job` (the input's name), `instance` (host and port, or the `target` that an exporter is
//! asked about) and the labels as fields. So there are as many fields as labels, however many metrics there are, and
//! `stats avg(value) by name, instance` asks for any of them. A label that has the name of one of ours, or of a field that
//! says the text, time or level of an event, is `exported_…`. A value that is no number (`NaN`, `+Inf`) is `value_text`.
//!
//! Each fetch adds one more sample about itself: `up`, 1 or 0, with `scrape_duration_seconds`, `scrape_samples_scraped` and,
//! where something went wrong, `error`.

mod exposition;

use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::blocking::{Client, Response};
use types::{ByteSize, Timestamp};

use self::exposition::{Sample, TimeUnit, samples};
use crate::http::chain;
use crate::input::measurements::{Record, repeat};
use crate::input::{Input, InputError, Sink, WhenFull};
use crate::shipper::now;

/// Most bytes of a page: kube-state-metrics of a large cluster has a few ten MB, anything else far less.
const PAGE_BYTES_MAX: u64 = 32 << 20;

/// Most samples of a page: what one fetch may write is bounded.
const SAMPLES_MAX: usize = 200_000;

/// What is understood.
const ACCEPT: &str = "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";

/// Names that labels cannot have: our own, and those that would say the text, the time or the level of an event.
const TAKEN: [&str; 18] = [
    "name",
    "value",
    "value_text",
    "job",
    "instance",
    "host",
    "file",
    "error",
    "level",
    "severity",
    "log_level",
    "loglevel",
    "message",
    "msg",
    "time",
    "timestamp",
    "ts",
    "log",
];

/// A page that is fetched from time to time.
pub(super) struct Scrape {
    url: Url,
    instance: String,
    job: String,
    every: Duration,
    timeout: Duration,
    samples_max: usize,
}

/// What a fetch gave.
struct Page {
    text: String,
    unit: TimeUnit,
}

/// How a fetch went.
#[derive(Default)]
struct FetchOutcome {
    n_samples: usize,
    error: Option<String>,
}

impl Input for Scrape {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        let client = self.client()?;
        repeat(self.every, sink, || self.scrape(&client, sink))
    }

    fn when_full(&self) -> WhenFull {
        WhenFull::GiveUpOldest
    }
}

impl Scrape {
    /// Fetches `url` from time to time, and waits no longer than `timeout` for it.
    pub(super) fn new(url: Url, job: &str, every: Duration, timeout: Duration) -> Self {
        Self { instance: instance_of(&url), job: job.to_owned(), url, every, timeout, samples_max: SAMPLES_MAX }
    }

    fn client(&self) -> Result<Client, InputError> {
        let client = Client::builder()
            .timeout(self.timeout)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::limited(3))
            .user_agent(concat!("catat/", env!("CARGO_PKG_VERSION")));
        client.build().map_err(|error| InputError::Failed(chain(&error)))
    }

    /// Fetches the page once. A page that cannot be had is no error of this input but an event.
    fn scrape(&self, client: &Client, sink: &Sink) -> Result<(), InputError> {
        let (began, time) = (Instant::now(), now());
        let page = self.fetch(client);
        let duration = began.elapsed();
        let fetched = match &page {
            Ok(page) => self.tell(page, time, sink)?,
            Err(error) => FetchOutcome { n_samples: 0, error: Some(error.clone()) },
        };
        let is_up = page.is_ok() && (fetched.n_samples > 0 || fetched.error.is_none());
        let mut record = self.record(time, "up", if is_up { "info" } else { "error" });
        record.put("value", u8::from(is_up));
        record.put("scrape_duration_seconds", duration.as_secs_f64());
        record.put("scrape_samples_scraped", fetched.n_samples);
        record.put("error", fetched.error);
        record.send(sink)
    }

    /// Hands over an event for each sample of a page.
    fn tell(&self, page: &Page, time: Timestamp, sink: &Sink) -> Result<FetchOutcome, InputError> {
        let mut fetched = FetchOutcome::default();
        for sample in samples(&page.text, page.unit) {
            match sample {
                Ok(_) if fetched.n_samples == self.samples_max => {
                    fetched.error = Some(format!("more than {} samples; the rest are left out", self.samples_max));
                    break;
                }
                Ok(sample) => {
                    fetched.n_samples += 1;
                    self.record_of(sample, time).send(sink)?;
                }
                Err(line) => {
                    fetched
                        .error
                        .get_or_insert_with(|| format!("line {line} is not a sample; others may not be either"));
                }
            }
        }
        Ok(fetched)
    }

    fn record_of(&self, sample: Sample<'_>, time: Timestamp) -> Record {
        // A level of our own, as labels such as `status` and `method` would say one.
        let mut record = self.record(sample.time.unwrap_or(time), &sample.name, "info");
        for (name, value) in sample.labels {
            let is_taken = TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) || name.starts_with('@');
            let name = if is_taken { format!("exported_{name}") } else { name.into_owned() };
            record.put(&name, value.into_owned());
        }
        match sample.value {
            value if value.is_nan() => record.put("value_text", "NaN"),
            value if value.is_infinite() => record.put("value_text", if value > 0.0 { "+Inf" } else { "-Inf" }),
            // Every whole number up to here is exact.
            value if value.fract() == 0.0 && value.abs() <= (1u64 << 53) as f64 => record.put("value", value as i64),
            value => record.put("value", value),
        }
        record
    }

    fn record(&self, time: Timestamp, name: &str, level: &str) -> Record {
        let record = Record::at(time).with("name", name).with("level", level);
        record.with("instance", &*self.instance).with("job", &*self.job)
    }

    fn fetch(&self, client: &Client) -> Result<Page, String> {
        let request = client.get(self.url.clone()).header("Accept", ACCEPT);
        let mut response = request.send().map_err(|error| chain(&error.without_url()))?;
        if !response.status().is_success() {
            return Err(format!("the page returned {}", response.status()));
        }
        let unit = unit_of(&response);
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut response).take(PAGE_BYTES_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("page cut off: {error}"))?;
        if bytes.len() as u64 > PAGE_BYTES_MAX {
            return Err(format!("the page is larger than {}", ByteSize(PAGE_BYTES_MAX)));
        }
        let text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Page { text, unit })
    }
}

fn unit_of(response: &Response) -> TimeUnit {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_open_metrics = kind.is_some_and(|kind| kind.starts_with("application/openmetrics-text"));
    if is_open_metrics { TimeUnit::Seconds } else { TimeUnit::Milliseconds }
}

/// Returns what a page is about: the `target` that its exporter is asked about (SNMP, probes), else host and port.
fn instance_of(url: &Url) -> String {
    let target = url.query_pairs().find(|(name, _)| name == "target").map(|(_, target)| target.into_owned());
    let port = url.port_or_known_default().unwrap_or_default();
    target.unwrap_or_else(|| format!("{}:{port}", url.host_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
