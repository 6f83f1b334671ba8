//! `catat up` and `catat serve`.

use std::sync::Arc;
use std::time::Duration;

use ship::{Backlog, Shipper};
use storage::{Clock, Recovery, TornTail};

use super::doctor;
use super::settings::read_config;
use crate::arguments::{Server, Up};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::in_process::InProcess;
use crate::progress::{Progress, span};
use crate::serving;
use crate::shipping::{bytes_to_read, print_discovery, print_usual_notes, ship_options};
use types::{ByteSize, counted, verb_for};

/// How often the state of a backlog is looked at.
const BACKLOG_SHOWN_EVERY: Duration = Duration::from_millis(500);

/// A backlog that took longer is worth a word when it is read.
const BACKLOG_TOLD_AFTER: Duration = Duration::from_secs(3);

/// Follows files and serves them.
pub(crate) fn up(options: Up) -> Result<()> {
    crate::logging::start();
    crate::privacy::keep_memory();
    let config = read_config(&options.server)?;
    let again = options.server.clone();
    let read_again = move || read_config(&again);
    let mut prepared = serving::prepare(&config, options.server.insecure_allow_anonymous, read_again)?;
    let again = options.server.clone();
    let shipped = followed(&options, &config)?;
    let is_usual = options.paths.is_empty() && config.ship.inputs().is_empty();
    let followed = move |config: &Config| Some(followed(&options, config));
    prepared.app.examine = Some(doctor::of_server(again, Box::new(followed)));
    let delivery = InProcess { intake: prepared.intake.clone(), clock: Clock::system() };
    let (shipper, discovery) =
        Shipper::start(shipped, Arc::new(delivery)).map_err(|error| Failure::other(error.to_string()))?;
    let url = prepared.url();
    print_start(&url, &config, &prepared.recovery);
    print_discovery(&discovery);
    if is_usual {
        print_usual_notes();
    }
    print_next_step(&url, &Readers::of(&prepared));
    let shipper = Arc::new(shipper);
    let (of_backlog, n_bytes) = (shipper.clone(), bytes_to_read(&discovery));
    if n_bytes > 0 {
        std::thread::spawn(move || watch_backlog(&of_backlog, n_bytes));
    }
    serving::run(prepared, || shipper.stop())
}

/// Shows how far what was there at the start is read, and says when all of it is.
fn watch_backlog(shipper: &Shipper, n_bytes: u64) {
    let progress = Progress::new(Some(n_bytes));
    // The status of files is that of the look before.
    let mut n_quiet = 0;
    while n_quiet < 2 {
        std::thread::sleep(BACKLOG_SHOWN_EVERY);
        // What is written meanwhile is read as well.
        let n_behind: u64 = shipper.status().files.iter().map(ship::FileStatus::lag_bytes).sum();
        n_quiet = if n_behind == 0 { n_quiet + 1 } else { 0 };
        progress.show(n_bytes.saturating_sub(n_behind));
    }
    progress.line.clear();
    if progress.line.elapsed() > BACKLOG_TOLD_AFTER {
        say!("catat: {} read in {}", ByteSize(n_bytes), span(progress.line.elapsed().as_secs_f64()));
    }
}

/// Returns what is followed.
fn followed(options: &Up, config: &Config) -> Result<ship::Options> {
    let backlog = if options.all { Backlog::ALL } else { Backlog::default() };
    let (dir, inputs) = (serving::ship_dir(config), config.ship.inputs());
    let mut shipped = ship_options(&dir, &options.paths, inputs, options.group.as_deref(), backlog)?;
    shipped.follow.excluded.push(config.data_dir.clone());
    Ok(shipped)
}

/// Serves without following files.
pub(crate) fn serve(options: Server) -> Result<()> {
    crate::logging::start();
    crate::privacy::keep_memory();
    let config = read_config(&options)?;
    let (again, examined) = (options.clone(), options.clone());
    let mut prepared = serving::prepare(&config, options.insecure_allow_anonymous, move || read_config(&again))?;
    prepared.app.examine = Some(doctor::of_server(examined, Box::new(|_| None)));
    let url = prepared.url();
    print_start(&url, &config, &prepared.recovery);
    print_next_step(&url, &Readers::of(&prepared));
    serving::run(prepared, || ())
}

fn print_start(url: &str, config: &Config, recovery: &Recovery) {
    say!("catat serves {url} with data in {}", config.data_dir.display());
    if let Some(file) = &config.file {
        let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        say!("  settings are read from {}", path.display());
    }
    if let Some(taken) = storage::copy_taken(&config.data_dir) {
        say!(
            "  this store is a copy, taken {taken}: it sends no notifications (alerts, subscription filters, remote write)."
        );
        say!("  If it replaces the original, run: catat promote --data-dir {}", config.data_dir.display());
    }
    if recovery.events_replayed > 0 {
        let (n_events, milliseconds) = (recovery.events_replayed, recovery.elapsed.as_millis());
        let (events, were) = (counted(n_events, "accepted event"), verb_for(n_events, "was", "were"));
        say!("  {events} {were} read back from the log in {milliseconds} ms");
    }
    for torn in &recovery.torn {
        let TornTail { file, offset, n_bytes } = torn;
        say!("  {file}: the last {n_bytes} bytes, from offset {offset}, are an incomplete record and were cut off");
    }
    for damage in &recovery.damaged {
        say!("  damaged: {damage}; the damaged file is in quarantine; all other data stays available");
    }
}

/// Who can read the logs.
enum Readers {
    /// Those who have a key or sign in.
    Known,
    /// Everyone on this machine, as there is no key yet.
    Local,
    /// Everyone who reaches the address.
    All,
    /// Nobody yet: there is no key, and a proxy may bring strangers in.
    Nobody,
}

impl Readers {
    fn of(prepared: &serving::PreparedServer) -> Self {
        let is_near = prepared.listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        match prepared.app.keys.admits_anonymous() {
            false => Self::Known,
            true if prepared.app.access.is_public && !prepared.app.access.allow_anonymous => Self::Nobody,
            true if prepared.app.access.allow_anonymous && !is_near => Self::All,
            true => Self::Local,
        }
    }
}

fn print_next_step(url: &str, readers: &Readers) {
    let option = if url == "http://127.0.0.1:22828" { String::new() } else { format!(" --url {url}") };
    say!("Open {url} in a browser (manual: {url}/docs), or ask:");
    say!("  catat query{option} 'filter @level >= \"warn\" | stats count(*) by @log, @level'");
    let make_one = "catat keys create --name ME --role read makes a key, and from then on one is needed";
    match readers {
        Readers::Known => say!("A key or a sign-in is needed to read these logs."),
        Readers::All => say!("Everyone who reaches {url} can read these logs; {make_one}."),
        Readers::Nobody => {
            say!(
                "[server] public_url is set, so every request needs a key: catat keys create --name ME --role read makes one."
            );
        }
        Readers::Local if rustix::process::geteuid().is_root() && has_login_users() => {
            say!("Everyone who can log in to this machine can read these logs at {url}; {make_one}.");
        }
        Readers::Local => {}
    }
}

/// Reports whether users other than root can log in to this machine.
fn has_login_users() -> bool {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    users.lines().any(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let id = fields.get(2).and_then(|id| id.parse::<u32>().ok()).unwrap_or(0);
        (1000..60_000).contains(&id)
            && fields.get(6).is_some_and(|shell| !shell.ends_with("nologin") && !shell.ends_with("false"))
    })
}
