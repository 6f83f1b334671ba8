//! What the server has, asked as anybody would ask.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use ship::torture::Progress;

use super::super::child::Child;
use crate::arguments::Remote;
use crate::client::Server;
use crate::failure::{Failure, Result};

/// Longest time until a new server answers.
const STARTING: Duration = Duration::from_secs(30);

/// How often a server that starts, or has not everything yet, is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The range that holds every event there can be.
const ALL_TIME: [(&str, &str); 2] = [("from", "1970-01-01T00:00:00Z"), ("to", "2261-12-31T00:00:00Z")];

/// Lines by their kind; `# ` begins the lines that each file begins with.
const COUNTS: &str = "filter @message like /^w=/ | parse @message /^w=(?<kind>[a-z-]+) / | stats count(*) by kind";

/// A server and what it has stored.
pub(super) struct FilledServer {
    server: Server,
    /// Where the server is.
    pub(super) url: String,
}

impl FilledServer {
    /// Of the server on `dir/data`, as soon as it answers.
    pub(super) fn of(dir: &Path, child: &mut Child) -> Result<Self> {
        child.wait_for(STARTING, |_| Self::try_of(&dir.join("data")))
    }

    fn try_of(data_dir: &Path) -> Option<Self> {
        let url = std::fs::read_to_string(data_dir.join("address")).ok()?.trim().to_owned();
        let key = std::fs::read_to_string(data_dir.join("admin.key")).ok()?;
        let server = Server::new(&Remote { url: url.clone(), key: Some(key.trim().into()), data_dir: None }).ok()?;
        server.send(server.request(Method::GET, "/-/ready"), "").ok()?;
        Some(Self { server, url })
    }

    /// Takes note of how much of each kind is stored, and returns how many lines that are.
    pub(super) fn note(&self, progress: &Progress) -> Result<u64> {
        let mut n_all = 0;
        self.rows(COUNTS, |row| {
            if let (Some(kind), Some(n_lines)) = (row[0].as_str(), row[1].as_u64()) {
                progress.note(kind, n_lines);
                n_all += n_lines;
            }
        })?;
        Ok(n_all)
    }

    /// Waits until `n_lines` are stored, or no more have come for the time `quiet`.
    pub(super) fn wait_for(&self, n_lines: u64, quiet: Duration, is_interrupted: &AtomicBool) -> Result<()> {
        let (mut n_stored, mut since) = (0, Instant::now());
        while n_stored < n_lines && since.elapsed() < quiet && !is_interrupted.load(Ordering::Relaxed) {
            let now = self.note(&Progress::default())?;
            if now > n_stored {
                (n_stored, since) = (now, Instant::now());
            }
            std::thread::park_timeout(ASK_EVERY);
        }
        Ok(())
    }

    /// Calls `take` with the text of every event.
    pub(super) fn each(&self, mut take: impl FnMut(&str)) -> Result<()> {
        self.rows("filter @log not like /^catat\\// | fields @message", |row| {
            take(row[0].as_str().unwrap_or_default());
        })
    }

    /// Calls `take` with each row of an answer that must be complete.
    fn rows(&self, query: &str, mut take: impl FnMut(&Value)) -> Result<()> {
        let request = self.server.request(Method::GET, "/api/v1/query").query(&[("query", query)]).query(&ALL_TIME);
        let response = self.server.send(request.header("Accept", "application/x-ndjson"), query)?;
        let broken = |error: &dyn std::fmt::Display| Failure::unreachable(format!("the answer broke off: {error}"));
        let mut last = Value::Null;
        for line in BufReader::new(response).lines() {
            let line = line.map_err(|error| broken(&error))?;
            last = serde_json::from_str(&line).map_err(|error| broken(&error))?;
            if last.is_array() {
                take(&last);
            }
        }
        if last.is_array() || last.get("error").is_some() || last.get("partial") == Some(&Value::Bool(true)) {
            return Err(broken(&last));
        }
        Ok(())
    }
}
