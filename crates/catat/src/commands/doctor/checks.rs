//! The checks of `catat doctor`. Each judges [`Facts`] and looks at nothing else.

use std::time::Duration;

use serve::{Finding, Severity};
use ship::Reason;
use types::{ByteSize, Timestamp, counted, format_duration_ns};

use super::facts::Facts;

/// 1 November 2026, when this was written: a clock that says less is wrong.
const WRITTEN: Timestamp = Timestamp(1_793_491_200 * Timestamp::SECOND);

/// File times and the clock are read one after the other.
const CLOCK_TOLERANCE_NS: i64 = 10 * Timestamp::SECOND;

/// Fewest free files of a file system, in parts of all.
const FREE_FILES_SHARE: u64 = 100;

/// Shortest time of a sync that reaches a disk. The fastest disks take about 10 µs for a write, and a synced append needs two.
const SYNC_MIN: Duration = Duration::from_micros(5);

/// A sender waits for a sync at least.
const SYNC_MAX: Duration = Duration::from_millis(100);

/// An eighth of the open files is for connections of one kind, a quarter for segments.
const OPEN_FILES_MIN: u64 = 4_096;

/// Certificates that are renewed by themselves have a month left then.
const EXPIRY_NS: i64 = 14 * Timestamp::DAY;

/// Longest time without a backup.
const BACKUP_NS: i64 = 7 * Timestamp::DAY;

/// File systems whose files are in memory, in a layer of a container, or on another machine.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];
const IN_LAYER: [&str; 2] = ["overlay", "aufs"];
const ELSEWHERE: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "9p", "vboxsf", "virtiofs", "fuse.sshfs"];

/// Mount options with which a disk is not told to write out what it holds.
const NO_BARRIER: [&str; 2] = ["nobarrier", "barrier=0"];

/// Files that are named one by one.
const NAMED_MAX: usize = 5;

/// The findings of one check.
pub(super) struct CheckFindings {
    check: &'static str,
    findings: Vec<Finding>,
}

impl CheckFindings {
    fn add(&mut self, severity: Severity, message: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding::new(severity, self.check, message, advice));
    }

    fn problem(&mut self, message: impl Into<String>, advice: impl Into<String>) {
        self.add(Severity::Problem, message, advice);
    }

    fn warning(&mut self, message: impl Into<String>, advice: impl Into<String>) {
        self.add(Severity::Warning, message, advice);
    }

    fn note(&mut self, message: impl Into<String>, advice: impl Into<String>) {
        self.add(Severity::Note, message, advice);
    }
}

/// A check adds what is wrong, and returns what is right if nothing is.
type Check = fn(&Facts, &mut CheckFindings) -> String;

pub(super) const CHECKS: [(&str, Check); 14] = [
    ("settings", settings),
    ("permissions", permissions),
    ("store", store),
    ("disk", disk),
    ("sync", sync),
    ("clock", clock),
    ("zone", zone),
    ("open-files", open_files),
    ("notifications", notifications),
    ("dns", names),
    ("certificates", certificates),
    ("files", files),
    ("shipper", shipper),
    ("backup", backup),
];

/// Returns the findings of every check, those of one check together; one that finds nothing says what is right.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let of_check = |(check, run): &(&'static str, Check)| {
        let mut found = CheckFindings { check, findings: Vec::new() };
        let right = run(facts, &mut found);
        if found.findings.is_empty() {
            found.add(Severity::Ok, right, "");
        }
        found.findings
    };
    CHECKS.iter().flat_map(of_check).collect()
}

fn settings(facts: &Facts, found: &mut CheckFindings) -> String {
    for mistake in &facts.mistakes {
        found.problem(mistake, "correct it; `catat check` says when it is right");
    }
    for doubt in &facts.doubts {
        found.warning(doubt, "");
    }
    match &facts.settings_file {
        Some(file) => format!("{} is valid", file.display()),
        None => "there is no configuration file; the defaults hold".to_owned(),
    }
}

fn permissions(facts: &Facts, found: &mut CheckFindings) -> String {
    let store = &facts.store;
    let dir = store.dir.display();
    if let Some(problem) = &store.problem {
        found.problem(
            problem,
            "make it writable for the user that the server runs as, or choose another in storage.dir",
        );
    }
    if store.mode.is_some_and(|mode| mode & 0o077 != 0) {
        found.warning(format!("other users of this machine can read {dir}"), format!("chmod 700 {dir}"));
    }
    if store.key_mode.is_some_and(|mode| mode & 0o077 != 0) {
        let message = format!("other users of this machine can read {dir}/admin.key, which allows everything");
        found.problem(
            message,
            format!("chmod 600 {dir}/admin.key; if someone did, remove it and restart, which makes a new one"),
        );
    }
    if let Some(first) = &store.foreign {
        let (n, first) = (store.n_foreign, first.display());
        let message = format!("another user than that of {dir} owns {n} of its files, such as {first}");
        found.problem(
            message,
            format!("chown -R --reference={dir} {dir}; commands on a data directory are for its owner"),
        );
    }
    match store.mode {
        Some(_) => format!("{dir} can be written to, and is for its owner alone"),
        None => format!("{dir} is not there yet; the first start makes it"),
    }
}

/// The server judges its own store, damage and copies included.
fn store(facts: &Facts, found: &mut CheckFindings) -> String {
    let store = &facts.store;
    if let Some(problem) = &store.unreadable {
        let message = format!("{} cannot be read, and was not looked at: {problem}", store.dir.display());
        found.problem(message, "run this as the user that the server runs as, or as root");
        return String::new();
    }
    if store.n_quarantined > 0 {
        let advice = "`catat verify` names them; `catat restore` brings a backup into a new directory";
        found.warning(format!("damaged files in quarantine: {}", store.n_quarantined), advice);
    }
    if let Some(problem) = store.format_problem.as_ref().filter(|_| !facts.is_serving) {
        found.problem(problem, "use the version of catat that wrote it, or a later one");
    }
    if let Some(taken) = store.copy_taken.as_ref().filter(|_| !facts.is_serving) {
        let message = format!("this store is a copy, taken {taken}, and sends no notifications");
        found.warning(message, "if it replaces the original, run `catat promote`");
    }
    match store.created {
        Some(_) => "this version reads its formats; `catat verify` checks every byte".to_owned(),
        None => "there is no store yet".to_owned(),
    }
}

/// The server judges its free bytes itself.
fn disk(facts: &Facts, found: &mut CheckFindings) -> String {
    let disk = &facts.disk;
    let (free, reserve) = (ByteSize(disk.free_bytes), ByteSize(disk.reserve_bytes));
    if disk.free_bytes < disk.reserve_bytes && !facts.is_serving {
        let message = format!("{free} are free and {reserve} are kept in reserve: no events will be accepted");
        found.problem(message, "make room outside of the data directory, or lower retention.size");
    }
    if let Some((free, all)) = disk.files.filter(|(free, all)| free.saturating_mul(FREE_FILES_SHARE) < *all) {
        let message = format!("the file system can hold {free} more files, of {all}");
        found.warning(message, "remove files that no one needs; `df -i` shows the number");
    }
    format!("{free} are free")
}

fn sync(facts: &Facts, found: &mut CheckFindings) -> String {
    let (disk, dir) = (&facts.disk, facts.store.dir.display());
    let kind = &*disk.kind;
    let volatile = "choose a directory on a disk in storage.dir";
    if IN_MEMORY.contains(&kind) {
        found.problem(format!("{dir} is in memory ({kind}): everything is lost when the machine stops"), volatile);
    } else if IN_LAYER.contains(&kind) {
        let message = format!("{dir} is in the layer of a container ({kind}): everything is lost with the container");
        found.warning(message, "mount a volume there");
    } else if ELSEWHERE.contains(&kind) {
        let message = format!(
            "{dir} is on a file system of another machine ({kind}): syncs and locks are as reliable as that machine"
        );
        found.warning(message, volatile);
    }
    for option in disk.options.split(',').filter(|option| NO_BARRIER.contains(option)) {
        let message = format!("{dir} is mounted with {option}: a power failure loses events that were acknowledged");
        found.problem(message, "mount it without that option");
    }
    if disk.preload.contains("eatmydata") {
        let message = "LD_PRELOAD has libeatmydata, which leaves out every sync: a power failure loses events that were acknowledged";
        found.problem(message, "start catat without it");
    }
    let Some(time) = disk.sync else { return format!("{dir} is on {kind}; the time of a sync was not measured") };
    if time < SYNC_MIN && !IN_MEMORY.contains(&kind) {
        let message = format!(
            "a sync returns after {time:?}, sooner than any disk writes: a power failure may lose events that were acknowledged"
        );
        found.warning(message, "look at the cache mode of the virtual disk, and at the mount options");
    }
    if time > SYNC_MAX {
        let message = format!("a sync takes {time:?}, and each sender waits for one");
        found.warning(message, "choose a quicker disk, or one that others use less");
    }
    format!("{dir} is on {kind}, and a sync takes {time:?}")
}

fn clock(facts: &Facts, found: &mut CheckFindings) -> String {
    let advice = "set the clock and synchronise it: `timedatectl set-ntp true`, or chrony";
    if facts.now < WRITTEN {
        found.problem(format!("the clock says {}, which is before this version was made", facts.now), advice);
    }
    let ahead = facts.newest.as_ref().filter(|(_, written)| written.0 > facts.now.0.saturating_add(CLOCK_TOLERANCE_NS));
    if let Some((path, written)) = ahead {
        let message = format!("the clock says {}, and {} was written at {written}", facts.now, path.display());
        found.problem(message, advice);
    }
    if facts.is_synchronised == Some(false) {
        found.warning("the clock is not synchronised", advice);
    }
    match facts.is_synchronised {
        Some(_) => "the clock is synchronised".to_owned(),
        None => "the clock goes forward; whether it is synchronised is not known".to_owned(),
    }
}

fn zone(facts: &Facts, found: &mut CheckFindings) -> String {
    let tz = facts.tz.as_deref().map(|tz| tz.trim_start_matches(':')).filter(|tz| !tz.is_empty());
    if let Some(tz) = tz.filter(|tz| tz.parse::<chrono_tz::Tz>().is_err()) {
        let message = format!("TZ={tz} is not the name of a time zone");
        found.warning(
            message,
            "use a name such as Asia/Jakarta; until then times without a zone are read in another one",
        );
    }
    match &facts.zone {
        Some(zone) => format!("times of local files that name no zone are read in {zone}"),
        None => "this machine names no zone; times that name none are read in ingest.time_zone".to_owned(),
    }
}

fn open_files(facts: &Facts, found: &mut CheckFindings) -> String {
    let Some(n) = facts.open_files_max else { return "a process may open any number of files".to_owned() };
    if n < OPEN_FILES_MIN {
        let message = format!("a process may open {n} files; each connection and each segment in use needs one");
        found.warning(message, "LimitNOFILE=65536 in the unit, or `ulimit -Hn 65536` as root");
    }
    format!("a process may open {n} files")
}

/// Without notifications files are still followed, by looking again and again.
fn notifications(facts: &Facts, found: &mut CheckFindings) -> String {
    if let Some(problem) = &facts.no_notifications {
        let message =
            format!("the system sends no notifications of changed files ({problem}): changes are seen a little later");
        found.warning(message, "sysctl fs.inotify.max_user_instances=1024");
    }
    let files = facts.found.iter().flatten().flat_map(|found| &found.files);
    let mut dirs: Vec<_> = files.filter_map(|file| file.path.parent()).collect();
    dirs.sort_unstable();
    dirs.dedup();
    if let Some(max) = facts.watches_max.filter(|max| *max < dirs.len() as u64) {
        let n = dirs.len();
        let message = format!("{n} directories are followed, {max} can be watched: changes are seen a little later");
        found.warning(message, format!("sysctl fs.inotify.max_user_watches={}", n * 4));
    }
    "the system notifies of changed files".to_owned()
}

fn names(facts: &Facts, found: &mut CheckFindings) -> String {
    for (setting, host, problem) in &facts.names {
        if let Some(problem) = problem {
            let message = format!("{host} ({setting}) has no address: {problem}");
            found.problem(message, "look at the name, at /etc/resolv.conf and at the name server there");
        }
    }
    match facts.names.len() {
        0 => "no setting names a host".to_owned(),
        n => format!("hosts that settings name, all with an address: {n}"),
    }
}

fn certificates(facts: &Facts, found: &mut CheckFindings) -> String {
    for (file, expires) in &facts.certificates {
        let left_ns = expires.0.saturating_sub(facts.now.0);
        let file = file.display();
        let advice = "renew it; the server reads the file again by itself";
        if left_ns <= 0 {
            found.problem(format!("{file} expired at {expires}"), advice);
        } else if left_ns < EXPIRY_NS {
            found.warning(format!("{file} expires at {expires}"), advice);
        }
    }
    if let Some(place) = &facts.no_authorities {
        let message =
            format!("there are no certificates of authorities, so that no https:// address can be reached: {place}");
        found.problem(message, "install the package ca-certificates, or name a file in SSL_CERT_FILE");
    }
    match facts.certificates.iter().map(|(_, expires)| expires).min() {
        Some(first) => format!("valid until {first}"),
        None => "this server has none of its own".to_owned(),
    }
}

/// Files that are not read, by reason; those that nobody wants are none.
fn files(facts: &Facts, found: &mut CheckFindings) -> String {
    let discovery = match &facts.found {
        None => {
            return "this server follows no files; `catat doctor` on the machines that do names those that are not read"
                .to_owned();
        }
        Some(Ok(discovery)) => discovery,
        Some(Err(problem)) => {
            found.warning(format!("which files are read is not known: {problem}"), "");
            return String::new();
        }
    };
    let mut reasons: Vec<(String, Severity, Vec<String>)> = Vec::new();
    for left in &discovery.left_out {
        let severity = match left.reason {
            Reason::Binary | Reason::Compressed => continue,
            // The settings are doubted for that already.
            Reason::Absent if facts.has_inputs => continue,
            Reason::TooOld { .. } | Reason::OverBudget { .. } => Severity::Note,
            _ => Severity::Warning,
        };
        let (reason, path) = (reason_of(&left.reason), left.path.display().to_string());
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, _, paths)) => paths.push(path),
            None => reasons.push((reason, severity, vec![path])),
        }
    }
    for (reason, severity, paths) in reasons {
        found.add(severity, format!("not read: {}: {reason}", named(&paths)), "");
    }
    let unnamed: Vec<String> = facts.unnamed.iter().map(|path| path.display().to_string()).collect();
    if !unnamed.is_empty() {
        found.note(format!("not read: {}: named by no input", named(&unnamed)), "add an [[input]] if they matter");
    }
    format!("{} to read, {} left out as no text", counted(discovery.files.len(), "file"), discovery.n_left_out)
}

/// Returns a reason without what differs from file to file.
fn reason_of(reason: &Reason) -> String {
    match reason {
        Reason::TooOld { .. } => "old; only new lines are read, --all reads the rest".to_owned(),
        Reason::OverBudget { .. } => "the first bytes are beyond the limit for old data, --all reads them".to_owned(),
        other => other.to_string(),
    }
}

fn named(paths: &[String]) -> String {
    let more = paths.len().saturating_sub(NAMED_MAX);
    let first = paths.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// The server judges shippers that report to it.
fn shipper(facts: &Facts, found: &mut CheckFindings) -> String {
    let Some(report) = facts.shipper.as_ref().filter(|_| !facts.is_serving) else {
        return "no shipper has run here, or the server judges it".to_owned();
    };
    let told = &report.told;
    if let Some(error) = &told.last_error {
        found.problem(format!("delivery fails: {error}"), "");
    }
    for (path, error) in told.file_errors.iter().take(NAMED_MAX) {
        found.warning(format!("{path}: {error}"), "");
    }
    if told.refused > 0 {
        let message = format!("{} events or batches were refused", told.refused);
        found.warning(message, "what was refused is in dead-letter of the state directory, with the reasons");
    }
    if told.given_up.bytes > 0 {
        let message = format!("{} of deleted files were given up", ByteSize(told.given_up.bytes));
        found.warning(message, "raise ship.gone_bytes, or rotate less often");
    }
    let waiting = ByteSize(report.bytes_waiting + report.bytes_spooled);
    match report.is_running {
        true => format!("the shipper is at work; {waiting} wait"),
        false => format!("the shipper is not at work; {waiting} wait"),
    }
}

fn backup(facts: &Facts, found: &mut CheckFindings) -> String {
    let (store, now) = (&facts.store, facts.now.0);
    let is_known = !store.is_in_fleet && store.unreadable.is_none();
    let Some(created) = store.created.filter(|_| is_known) else {
        return "there is no store here, or when it was copied is not known".to_owned();
    };
    let age_ns = now.saturating_sub(store.backup.unwrap_or(created).0);
    let (age, advice) = (
        format_duration_ns(age_ns / Timestamp::HOUR * Timestamp::HOUR),
        "`catat backup` copies a store while it is in use",
    );
    match store.backup {
        Some(at) if age_ns > BACKUP_NS => found.warning(format!("the last backup is from {at}, {age} ago"), advice),
        None if age_ns > BACKUP_NS => {
            found.warning(format!("`catat backup` has not copied this store, which is {age} old"), advice)
        }
        _ => {}
    }
    match store.backup {
        Some(at) => format!("the last one is from {at}"),
        None => "the store is younger than a week".to_owned(),
    }
}
