//! What `catat doctor` knows of a machine, a store and its settings before it judges: one value, so that tests of the judgement
//! need no broken machine.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::Url;
use rustix::fs::inotify;
use rustix::process::{Resource, getrlimit};
use types::Timestamp;

use super::backup_mark;
use crate::arguments::Server;
use crate::commands::check::{checked, problems_of_directory};
use crate::commands::settings::{known_layers, read_config};
use crate::config::{Config, Layers};
use crate::failure::Result;

/// Longest wait for a name server or a search for files.
const PATIENCE: Duration = Duration::from_secs(10);

/// Syncs that are measured, and how long that may take: enough for a median, even where each takes 50 ms.
const SYNCS: usize = 16;
const SYNCS_TIME: Duration = Duration::from_secs(1);

/// Files of the data directory whose owner is looked at.
const OWNED_MAX: usize = 20_000;

/// What time services leave in `/run`: that of systemd once the clock is set, others while they run.
const TIME_SERVICES: [&str; 5] =
    ["systemd/timesync/synchronized", "chrony/chronyd.pid", "chronyd.pid", "ntpd.pid", "openntpd.pid"];

/// Where systems keep the certificates of authorities.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Returns what is followed on this machine; `None` if nothing is.
pub(in crate::commands) type Shipped = dyn Fn(&Config) -> Option<Result<ship::Options>> + Send + Sync;

/// Everything that is judged.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// Whether the server itself asks, which judges its store and its shippers as it runs.
    pub(super) is_serving: bool,
    /// The configuration file.
    pub(super) settings_file: Option<PathBuf>,
    /// Mistakes in the settings or in what they name, and what is doubtful.
    pub(super) mistakes: Vec<String>,
    pub(super) doubts: Vec<String>,
    /// Whether the clock follows others, if that is known.
    pub(super) is_synchronised: Option<bool>,
    /// The file of the store that was written last.
    pub(super) newest: Option<(PathBuf, Timestamp)>,
    pub(super) tz: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) disk: DiskFacts,
    /// Files that a process may open at most; none where there is no limit.
    pub(super) open_files_max: Option<u64>,
    /// Why the system sends no notifications of changed files, and for how many directories it may.
    pub(super) no_notifications: Option<String>,
    pub(super) watches_max: Option<u64>,
    /// Names in the settings: the setting, the host, and why it has no address.
    pub(super) names: Vec<(String, String, Option<String>)>,
    /// Certificates of this server, and when they expire.
    pub(super) certificates: Vec<(PathBuf, Timestamp)>,
    /// Where certificates of authorities were looked for in vain, if some are needed.
    pub(super) no_authorities: Option<String>,
    pub(super) store: StoreFacts,
    /// Whether inputs are defined; they are among the settings.
    pub(super) has_inputs: bool,
    /// What the inputs follow and leave out, or why that is not known; none where no files are followed.
    pub(super) found: Option<Result<ship::Discovery, String>>,
    /// Text files under `/var/log` that no input names.
    pub(super) unnamed: Vec<PathBuf>,
    pub(super) shipper: Option<ship::Report>,
}

/// The file system of the data directory.
#[derive(Clone, Default)]
pub(super) struct DiskFacts {
    pub(super) free_bytes: u64,
    pub(super) reserve_bytes: u64,
    /// Files that it can still hold, of how many; none where there is no such limit.
    pub(super) files: Option<(u64, u64)>,
    pub(super) kind: String,
    /// Mount options, separated by commas.
    pub(super) options: String,
    /// The usual time of a sync, if it could be measured.
    pub(super) sync: Option<Duration>,
    /// The value of `LD_PRELOAD`.
    pub(super) preload: String,
}

/// The data directory.
#[derive(Clone, Default)]
pub(super) struct StoreFacts {
    pub(super) dir: PathBuf,
    /// Permission bits of the directory and of the admin key; none where they are not there.
    pub(super) mode: Option<u32>,
    pub(super) key_mode: Option<u32>,
    /// Why it cannot be looked into, though it is there: then the rest is not known.
    pub(super) unreadable: Option<String>,
    /// Why it cannot be written to.
    pub(super) problem: Option<String>,
    /// Files of other owners than the directory's, and the first of them.
    pub(super) n_foreign: usize,
    pub(super) foreign: Option<PathBuf>,
    /// When the store was made; none where there is none.
    pub(super) created: Option<Timestamp>,
    pub(super) backup: Option<Timestamp>,
    pub(super) is_in_fleet: bool,
    pub(super) copy_taken: Option<String>,
    pub(super) n_quarantined: usize,
    /// Why this executable cannot read it.
    pub(super) format_problem: Option<String>,
}

impl Facts {
    /// Looks at everything.
    pub(super) fn gather(options: &Server, is_serving: bool, shipped: &Shipped) -> Self {
        let layers = known_layers(options);
        let dir = PathBuf::from(layers.value("storage", "dir").unwrap_or_default());
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let config = read_config(options);
        let (names, settings_file) = (resolved(&layers), layers.file.clone());
        let mistakes = match &config {
            Ok(config) => checked(config).err().unwrap_or_default(),
            Err(failure) => failure.message.split("\ncatat: ").map(str::to_owned).collect(),
        };
        let config = config.ok();
        let reserve_bytes = config.as_ref().map_or(64 << 20, |config| config.store.disk_reserve_bytes);
        let inputs = config.as_ref().map(|config| config.ship.inputs()).unwrap_or_default();
        let found = match config.as_ref().map(shipped) {
            Some(None) => None,
            Some(Some(Ok(options))) => Some(files_of(options)),
            Some(Some(Err(failure))) => Some(Err(failure.message.to_owned())),
            None => Some(Err("the settings cannot be read".to_owned())),
        };
        let state_dir = config.as_ref().map(|config| config.ship.state_dir.clone());
        Self {
            now: storage::Clock::system().now(),
            is_serving,
            settings_file,
            mistakes,
            doubts: ship::doubts_about(&inputs),
            is_synchronised: is_synchronised(Path::new("/run")),
            newest: newest_file(&dir),
            tz: std::env::var("TZ").ok(),
            zone: ship::host_zone(),
            disk: DiskFacts::of(&dir, reserve_bytes),
            open_files_max: getrlimit(Resource::Nofile).maximum,
            no_notifications: inotify::init(inotify::CreateFlags::CLOEXEC).err().map(|error| error.to_string()),
            watches_max: number_in(Path::new("/proc/sys/fs/inotify/max_user_watches")),
            no_authorities: missing_authorities(&layers),
            names: names.collect(),
            certificates: config.as_ref().map(certificates).unwrap_or_default(),
            unnamed: if inputs.is_empty() { Vec::new() } else { unnamed(&found, state_dir.clone()) },
            has_inputs: !inputs.is_empty(),
            found,
            store: StoreFacts::of(&dir, config.as_ref().is_some_and(|config| config.store.fleet.is_some())),
            shipper: state_dir.and_then(|dir| ship::Report::read(&dir).ok()),
        }
    }
}

impl DiskFacts {
    fn of(dir: &Path, reserve_bytes: u64) -> Self {
        let Some(existing) = dir.ancestors().find(|path| path.is_dir()) else { return Self::default() };
        let stat = rustix::fs::statvfs(existing).ok();
        let free_bytes = stat.as_ref().map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        let files = stat.filter(|stat| stat.f_files > 0).map(|stat| (stat.f_favail, stat.f_files));
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let place = fs::canonicalize(existing).unwrap_or_else(|_| existing.to_owned());
        let (kind, options) = mount_of(&mounts, &place).unwrap_or_default();
        // Other directories are none of ours to write to.
        let sync = if existing == dir { sync_time(dir) } else { None };
        let preload = std::env::var("LD_PRELOAD").unwrap_or_default();
        Self { free_bytes, reserve_bytes, files, kind, options, sync, preload }
    }
}

impl StoreFacts {
    fn of(dir: &Path, is_in_fleet: bool) -> Self {
        let mode = |path: &Path| fs::metadata(path).ok().map(|found| found.mode() & 0o777);
        let (n_foreign, foreign) = foreign_files(dir);
        let made = fs::metadata(dir.join("STORE")).and_then(|found| found.modified()).ok();
        Self {
            mode: mode(dir),
            key_mode: mode(&dir.join("admin.key")),
            unreadable: fs::read_dir(dir)
                .err()
                .filter(|error| error.kind() != ErrorKind::NotFound)
                .map(|e| e.to_string()),
            problem: problems_of_directory(dir).into_iter().next(),
            n_foreign,
            foreign,
            created: made.map(timestamp),
            backup: backup_mark::backup_taken(dir),
            is_in_fleet,
            copy_taken: storage::copy_taken(dir),
            n_quarantined: fs::read_dir(dir.join("quarantine")).map_or(0, Iterator::count),
            format_problem: crate::formats::check_formats(dir).err().map(|failure| failure.message.to_owned()),
            dir: dir.to_owned(),
        }
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let nanoseconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Timestamp(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

fn number_in(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Does `work` on a thread of its own, which is left alone if nobody waits for it any more.
fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (done, told) = channel();
    std::thread::spawn(move || done.send(work()));
    told
}

/// Returns whether the clock is synchronised, by the files that time services leave below `run`; `None` if that cannot be told,
/// as in a container, whose clock is that of the host. The system call has no safe binding here, and no other program is
/// started.
pub(super) fn is_synchronised(run: &Path) -> Option<bool> {
    let is_there = |path: &str| run.join(path).exists();
    let has_service = TIME_SERVICES.into_iter().any(is_there);
    let is_known = is_there("systemd/system") && !is_there("systemd/container");
    (has_service || is_known).then_some(has_service)
}

fn newest_file(dir: &Path) -> Option<(PathBuf, Timestamp)> {
    let entries = [dir.to_owned(), dir.join("wal")].into_iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten();
    let dated = entries.flatten().filter_map(|entry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((entry.path(), timestamp(metadata.modified().ok()?)))
    });
    dated.max_by_key(|(_, written)| *written)
}

/// Returns the kind and the options of the file system at `path`, of the text of `/proc/self/mountinfo`.
pub(super) fn mount_of(mounts: &str, path: &Path) -> Option<(String, String)> {
    let mount = |line: &str| {
        let (of_mount, of_system) = line.split_once(" - ")?;
        let [point, options] = [4, 5].map(|at| of_mount.split(' ').nth(at));
        // Spaces in it are written so.
        let point = PathBuf::from(point?.replace("\\040", " "));
        let (kind, of_disk) = (of_system.split(' ').next()?, of_system.split(' ').nth(2).unwrap_or_default());
        path.starts_with(&point)
            .then(|| (point, (kind.to_owned(), format!("{},{of_disk}", options.unwrap_or_default()))))
    };
    // The last one of a place hides those before.
    mounts.lines().filter_map(mount).max_by_key(|(point, _)| point.components().count()).map(|(_, found)| found)
}

/// Returns the median time of a write with its sync to a file of its own.
fn sync_time(dir: &Path) -> Option<Duration> {
    let path = dir.join(format!(".catat-doctor-{}", std::process::id()));
    let mut file = storage::create_file(&path).ok()?;
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < SYNCS && began.elapsed() < SYNCS_TIME {
        let start = Instant::now();
        if file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).is_err() {
            break;
        }
        times.push(start.elapsed());
    }
    // Left behind it would only be looked at by a person.
    let _ = fs::remove_file(&path);
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

/// Returns the hosts that settings name, each with the reason why it has no address.
fn resolved(layers: &Layers) -> impl Iterator<Item = (String, String, Option<String>)> + use<> {
    let mut asked: Vec<(String, String, Receiver<Option<String>>)> = Vec::new();
    for (setting, layered) in layers.all() {
        let urls = layered.value.split(',').filter_map(|url| Url::parse(url.trim()).ok());
        for url in urls.filter(|url| !matches!(url.scheme(), "s3" | "file")) {
            let Some(host) = url.domain().map(str::to_owned) else { continue };
            if host.parse::<IpAddr>().is_err() && asked.iter().all(|(_, known, _)| *known != host) {
                let name = host.clone();
                let ask = begin(move || (name.as_str(), 0).to_socket_addrs().err().map(|error| error.to_string()));
                asked.push((format!("{}.{}", setting.section, setting.key), host, ask));
            }
        }
    }
    let until = Instant::now() + PATIENCE;
    asked.into_iter().map(move |(setting, host, answer)| {
        let left = until.saturating_duration_since(Instant::now());
        let late = || Some(format!("no answer within {} s", PATIENCE.as_secs()));
        (setting, host, answer.recv_timeout(left).unwrap_or_else(|_| late()))
    })
}

fn missing_authorities(layers: &Layers) -> Option<String> {
    let own = std::env::var("SSL_CERT_FILE").ok().filter(|path| !path.is_empty());
    if let Some(path) = own {
        return fs::File::open(&path).err().map(|error| format!("SSL_CERT_FILE {path}: {error}"));
    }
    let is_needed = layers.all().any(|(_, layered)| layered.value.contains("https://"));
    let has_some = AUTHORITIES.iter().any(|path| Path::new(path).exists());
    (is_needed && !has_some).then(|| AUTHORITIES.join(", "))
}

fn certificates(config: &Config) -> Vec<(PathBuf, Timestamp)> {
    let expiry = |files: &crate::config::Certificate| {
        let tls = crate::serving::certificate::load_certificate(files).ok()?;
        Some((files.cert.clone(), timestamp(tls.expires()?)))
    };
    config.certificates().filter_map(expiry).collect()
}

/// Counts the files below `dir` that have another owner than it.
fn foreign_files(dir: &Path) -> (usize, Option<PathBuf>) {
    let Ok(owner) = fs::metadata(dir).map(|found| found.uid()) else { return (0, None) };
    let (mut dirs, mut n_seen, mut n_foreign, mut first) = (vec![dir.to_owned()], 0, 0, None);
    while let Some(entries) = dirs.pop().filter(|_| n_seen < OWNED_MAX).map(fs::read_dir) {
        for entry in entries.into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            n_seen += 1;
            // `catat backup` may run as another user, and replaces this file.
            if metadata.uid() != owner && entry.file_name() != backup_mark::FILE {
                n_foreign += 1;
                first.get_or_insert_with(|| entry.path());
            }
            if metadata.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    (n_foreign, first)
}

fn files_of(options: ship::Options) -> Result<ship::Discovery, String> {
    let found = begin(move || ship::find_files(options).map_err(|error| error.to_string()));
    found.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(format!("the search takes longer than {PATIENCE:?}")))
}

/// Returns the files that would be followed without inputs, and are not with them.
fn unnamed(found: &Option<Result<ship::Discovery, String>>, state_dir: Option<PathBuf>) -> Vec<PathBuf> {
    let (Some(Ok(found)), Some(state_dir)) = (found, state_dir) else { return Vec::new() };
    // What is known of a state directory is none of this.
    let usual = crate::shipping::ship_options(&state_dir.join("none"), &[], Vec::new(), None, ship::Backlog::ALL);
    let Some(all) = usual.ok().and_then(|options| files_of(options).ok()) else { return Vec::new() };
    let is_named = |path: &Path| found.files.iter().any(|file| file.path == path);
    let is_left_out = |path: &Path| found.left_out.iter().any(|left| left.path == path);
    all.files.into_iter().map(|file| file.path).filter(|path| !is_named(path) && !is_left_out(path)).collect()
}
