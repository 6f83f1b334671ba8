//! `catat support-bundle`: one archive with what somebody needs to know who is to help, and without secrets or events.
//!
//! Settings are redacted as by `catat config show`. The other files hold only catat's own output, which contains no secrets; as a
//! second line of defence, every secret that is known here is searched for in all files and removed.

mod tar;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reqwest::Method;
use types::{ByteSize, Timestamp};

use super::check::write_settings;
use super::doctor::{SERVER_PATIENCE, findings, server_on};
use super::settings::known_layers;
use crate::arguments::SupportBundle;
use crate::client::Server;
use crate::config::Layers;
use crate::failure::{Failure, Result, of_output};

/// Most bytes of a log.
const LOG_BYTES_MAX: usize = 4 << 20;

/// What is in the bundle instead of a log; no other program is started to find it.
const NO_LOG: &str =
    "no log was given; with systemd: journalctl -u catat -u catat-ship | catat support-bundle --log -\n";

/// Most files that are listed.
const FILES_MAX: usize = 10_000;

/// Shorter secrets are not searched for: they would be found everywhere.
const SECRET_BYTES_MIN: usize = 5;

/// Variables whose values are secrets.
const SECRET_VARIABLES: [&str; 3] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "CATAT_KEY"];

const README: &str = "What catat tells of itself on one machine, for who is to help.

doctor.json     what `catat doctor` finds
version.txt     version, system, processors, memory, limits
settings.toml   every setting with its origin; secrets are left out
files.txt       the files of the data directory: permissions, owner, size, time, name
status.json     what a running server says of its store
ready.json      whether it is ready
metrics.txt     its own metrics
log.txt         the end of its log

No event, rule, dashboard, key or password is in it. Names of groups, files, hosts and users are.
";

pub(crate) fn support_bundle(options: &SupportBundle) -> Result<()> {
    let layers = known_layers(&options.server);
    let dir = PathBuf::from(layers.value("storage", "dir").unwrap_or_default());
    let now = storage::Clock::system().now();
    let path = options.to.clone().unwrap_or_else(|| usual_name(now).into());
    let secrets = secrets(&layers, &dir);
    let failed =
        |error: std::io::Error| Failure::usage(format!("{}: {error}; name a new file with --to", path.display()));
    let file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    let mut archive = tar::Archive::new(file, now);
    for (name, text) in texts(options, &layers, &dir) {
        archive.add(name, without(&text, &secrets).as_bytes()).map_err(failed)?;
    }
    let n_bytes = archive.finish().map_err(failed)?;
    let shown = path.display();
    writeln!(std::io::stdout(), "{shown}: {}; README.txt in it says what it holds", ByteSize(n_bytes))
        .map_err(of_output)
}

fn usual_name(now: Timestamp) -> String {
    let digits = now.to_string().replace([':', '-'], "");
    format!("catat-support-{}.tar.gz", digits.get(..15).unwrap_or(&digits))
}

/// Returns the files of the bundle.
fn texts(options: &SupportBundle, layers: &Layers, dir: &Path) -> Vec<(&'static str, String)> {
    let as_json = |findings| serde_json::to_string_pretty(&findings).unwrap_or_default();
    let mut texts = vec![
        ("README.txt", README.to_owned()),
        ("doctor.json", as_json(findings(&options.server))),
        ("version.txt", of_system()),
        ("settings.toml", settings(layers)),
        ("files.txt", files_below(dir)),
        ("log.txt", log(options.log.as_deref())),
    ];
    // Without a server there is nothing to add, as doctor.json says.
    if let Ok(server) = server_on(dir) {
        texts.extend(ask(&server, "/api/v1/status").map(|text| ("status.json", text)));
        texts.extend(ask(&server, "/-/ready").map(|text| ("ready.json", text)));
        texts.extend(ask(&server, "/metrics").map(|text| ("metrics.txt", own_metrics(&text))));
    }
    texts
}

/// Returns an answer of the server, whatever its status.
fn ask(server: &Server, path: &str) -> Option<String> {
    server.attempt(server.request(Method::GET, path).timeout(SERVER_PATIENCE)).ok()?.text().ok()
}

/// Leaves out what was made of events or pushed by others.
fn own_metrics(page: &str) -> String {
    let is_own = |line: &&str| {
        line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with("catat_") || *line == "# EOF"
    };
    page.lines().filter(is_own).flat_map(|line| [line, "\n"]).collect()
}

fn settings(layers: &Layers) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = write_settings(layers, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn of_system() -> String {
    let mut text = format!("{}\n\n", *crate::version::LONG);
    for path in ["/etc/os-release", "/proc/version", "/proc/self/limits", "/proc/self/mountinfo", "/proc/loadavg"] {
        let _ = writeln!(text, "{path}:\n{}", fs::read_to_string(path).unwrap_or_default());
    }
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let first: String = memory.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    let n_processors = std::thread::available_parallelism().map_or(0, usize::from);
    let _ = writeln!(
        text,
        "/proc/meminfo:\n{first}\nprocessors: {n_processors}\nuser: {}",
        rustix::process::geteuid().as_raw()
    );
    text
}

/// Lists files by name.
fn files_below(dir: &Path) -> String {
    let (mut paths, mut at) = (vec![dir.to_owned()], 0);
    while let Some(path) = paths.get(at).cloned().filter(|_| paths.len() < FILES_MAX) {
        let mut below: Vec<PathBuf> = fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
        below.sort_unstable();
        paths.extend(below);
        at += 1;
    }
    let mut text = String::new();
    for path in paths.iter().take(FILES_MAX) {
        let Ok(found) = fs::symlink_metadata(path) else { continue };
        let written = Timestamp(found.mtime().saturating_mul(Timestamp::SECOND));
        let (mode, owner, size) = (found.mode() & 0o7777, found.uid(), found.len());
        let _ = writeln!(text, "{mode:04o} {owner:>6} {size:>14} {written} {}", path.display());
    }
    text
}

/// Returns the end of a log, or why there is none.
fn log(path: Option<&Path>) -> String {
    let Some(path) = path else { return NO_LOG.to_owned() };
    let opened: std::io::Result<Box<dyn Read>> = match path.to_str() {
        Some("-") => Ok(Box::new(std::io::stdin())),
        _ => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
    };
    let read = opened.and_then(|input| end_of(input, LOG_BYTES_MAX));
    read.unwrap_or_else(|error| format!("{}: {error}\n", path.display()))
}

/// Returns the last bytes, `n_max` at most.
fn end_of(mut input: impl Read, n_max: usize) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    while input.by_ref().take(n_max as u64).read_to_end(&mut bytes)? > 0 {
        bytes.drain(..bytes.len().saturating_sub(n_max));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns every secret that is known here, the longest first, so that none is cut by another.
fn secrets(layers: &Layers, dir: &Path) -> Vec<String> {
    let mut secrets = layers.secrets();
    secrets.extend(fs::read_to_string(dir.join("admin.key")));
    secrets.extend(SECRET_VARIABLES.iter().filter_map(|name| std::env::var(name).ok()));
    secrets.iter_mut().for_each(|secret| *secret = secret.trim().to_owned());
    secrets.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(not shown)"))
}

#[cfg(test)]
mod tests;
