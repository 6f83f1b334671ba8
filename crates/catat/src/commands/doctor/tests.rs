//! Each check against facts in which one thing is wrong, and the looking against directories of its own.

use std::path::PathBuf;
use std::time::Duration;

use serve::Severity;
use ship::{Discovery, Reason, SkippedFile};
use types::Timestamp;

use super::checks::{CHECKS, judge};
use super::facts::{DiskFacts, Facts, StoreFacts, is_synchronised, mount_of};
use super::*;
use crate::config::Config;

/// 28 November 2026.
const NOW: Timestamp = Timestamp(1_795_824_000 * Timestamp::SECOND);

/// A machine on which all is well.
fn healthy() -> Facts {
    Facts {
        now: NOW,
        is_serving: false,
        settings_file: Some("/etc/catat/catat.toml".into()),
        mistakes: Vec::new(),
        doubts: Vec::new(),
        is_synchronised: Some(true),
        newest: Some(("/data/UPKEEP".into(), NOW)),
        tz: Some("Asia/Jakarta".into()),
        zone: Some("Asia/Jakarta".into()),
        disk: DiskFacts {
            free_bytes: 1 << 40,
            reserve_bytes: 64 << 20,
            files: Some((900, 1_000)),
            kind: "ext4".into(),
            options: "rw,relatime,rw".into(),
            sync: Some(Duration::from_millis(1)),
            preload: String::new(),
        },
        open_files_max: Some(65_536),
        no_notifications: None,
        watches_max: Some(65_536),
        names: vec![("ship.url".into(), "logs.example.org".into(), None)],
        certificates: vec![("/etc/catat/cert.pem".into(), Timestamp(NOW.0 + 60 * Timestamp::DAY))],
        no_authorities: None,
        store: StoreFacts {
            dir: "/data".into(),
            mode: Some(0o700),
            key_mode: Some(0o600),
            created: Some(Timestamp(NOW.0 - 100 * Timestamp::DAY)),
            backup: Some(Timestamp(NOW.0 - Timestamp::DAY)),
            ..StoreFacts::default()
        },
        has_inputs: false,
        found: Some(Ok(Discovery::default())),
        unnamed: Vec::new(),
        shipper: None,
    }
}

/// Expects that what is wrong shows in one check, once, and nowhere else.
fn check(expected: &str, change: impl Fn(&mut Facts)) {
    let mut facts = healthy();
    change(&mut facts);
    let findings = judge(&facts);
    findings.iter().for_each(assert_translated);
    let bad: Vec<String> = findings
        .into_iter()
        .filter(|finding| finding.severity != Severity::Ok)
        .map(|finding| format!("{:?} {}: {}", finding.severity, finding.check, finding.message).to_lowercase())
        .collect();
    assert!(bad.len() == 1 && bad[0].starts_with(expected), "expected {expected:?}, found {bad:#?}");
}

/// Texts that are shown as they come: those of other parts, and commands.
const SHOWN_AS_THEY_ARE: [&str; 7] =
    ["no such setting", "two inputs", "data directory: read-only", "newer", "/var/log/a: gone", "chmod 700", "sysctl"];

/// Expects that the page has the sentences of a finding in Indonesian.
fn assert_translated(finding: &Finding) {
    let table = include_str!("../../../../../web/src/texts/id/doctor.ts");
    let keys = table.lines().filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\":"));
    let pieces = |key: &str| -> Vec<String> {
        key.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest).to_owned()).collect()
    };
    let forms: Vec<Vec<String>> = keys.map(|(key, _)| pieces(key)).collect();
    for text in [&finding.message, &finding.advice] {
        let has_form = |form: &Vec<String>| {
            let place = |at: Option<usize>, piece: &String| Some(text.get(at?..)?.find(&**piece)? + at? + piece.len());
            let ends = form.last().is_some_and(|last| text.ends_with(&**last));
            text.starts_with(&*form[0]) && ends && form.iter().fold(Some(0), place).is_some()
        };
        let is_shown = text.is_empty() || SHOWN_AS_THEY_ARE.iter().any(|known| text.starts_with(known));
        assert!(is_shown || forms.iter().any(has_form), "no Indonesian for {text:?}");
    }
}

#[test]
fn on_a_healthy_machine_every_check_is_right_and_said() {
    let findings = judge(&healthy());
    assert_eq!(findings.len(), CHECKS.len());
    for (finding, (check, _)) in findings.iter().zip(CHECKS) {
        assert_eq!((finding.severity, &*finding.check), (Severity::Ok, check), "{finding:?}");
        assert_translated(finding);
        assert!(!finding.message.is_empty() && finding.advice.is_empty(), "{finding:?}");
    }
}

#[test]
fn settings_permissions_and_store_are_judged() {
    check("problem settings: no such setting", |facts| facts.mistakes.push("no such setting".into()));
    check("warning settings: two inputs", |facts| facts.doubts.push("two inputs".into()));
    check("problem permissions: data directory: read-only", |facts| {
        facts.store.problem = Some("data directory: read-only".into());
    });
    check("warning permissions: other users", |facts| facts.store.mode = Some(0o750));
    check("problem permissions: other users", |facts| facts.store.key_mode = Some(0o640));
    check("problem permissions: another user than that of /data owns 1 of", |facts| {
        (facts.store.n_foreign, facts.store.foreign) = (1, Some("/data/wal/1".into()));
    });
    check("problem store: /data cannot be read, and was not looked at: denied", |facts| {
        facts.store.unreadable = Some("denied".into());
        facts.store.copy_taken = Some("at an unknown time".into());
        facts.store.backup = None;
    });
    check("warning store: damaged files in quarantine: 2", |facts| facts.store.n_quarantined = 2);
    check("problem store: newer", |facts| facts.store.format_problem = Some("newer".into()));
    check("warning store: this store is a copy", |facts| facts.store.copy_taken = Some("2026".into()));
}

#[test]
fn a_disk_that_is_full_or_lies_is_told() {
    check("problem disk: 1.0 kib are free and 64.0 mib", |facts| facts.disk.free_bytes = 1 << 10);
    check("warning disk: the file system can hold 5 more", |facts| facts.disk.files = Some((5, 1_000)));
    check("problem sync: /data is in memory", |facts| facts.disk.kind = "tmpfs".into());
    check("warning sync: /data is in the layer", |facts| facts.disk.kind = "overlay".into());
    check("warning sync: /data is on a file system of another machine", |facts| facts.disk.kind = "nfs4".into());
    check("problem sync: /data is mounted with nobarrier", |facts| facts.disk.options = "rw,nobarrier".into());
    check("problem sync: /data is mounted with barrier=0", |facts| facts.disk.options = "rw,barrier=0".into());
    check("problem sync: ld_preload", |facts| facts.disk.preload = "/usr/lib/libeatmydata.so".into());
    check("warning sync: a sync returns after 900ns", |facts| facts.disk.sync = Some(Duration::from_nanos(900)));
    check("warning sync: a sync takes 200ms", |facts| facts.disk.sync = Some(Duration::from_millis(200)));
}

#[test]
fn clock_zone_and_limits_of_the_system_are_judged() {
    check("warning clock: the clock is not synchronised", |facts| facts.is_synchronised = Some(false));
    check("problem clock: the clock says 2026-11-28", |facts| {
        facts.newest = Some(("/data/wal/1".into(), Timestamp(NOW.0 + Timestamp::MINUTE)));
    });
    check("problem clock: the clock says 1970", |facts| (facts.now, facts.newest) = (Timestamp(0), None));
    check("warning zone: tz=wib", |facts| facts.tz = Some("WIB".into()));
    check("warning open-files: a process may open 1024", |facts| facts.open_files_max = Some(1_024));
    check("warning notifications: the system sends no", |facts| facts.no_notifications = Some("no more".into()));
    check("warning notifications: 2 directories", |facts| {
        let file = |path: &str| ship::FoundFile {
            path: path.into(),
            group: types::GroupName::new("a").expect("a name"),
            size: 1,
            start: 0,
        };
        let mut found = Discovery::default();
        found.files.extend(["/var/log/a/x", "/var/log/a/y", "/var/log/b/x"].map(file));
        facts.found = Some(Ok(found));
        facts.watches_max = Some(1);
    });
}

#[test]
fn names_and_certificates_are_judged() {
    check("problem dns: logs.example.org (ship.url) has no address: unknown", |facts| {
        facts.names[0].2 = Some("unknown".into());
    });
    check("problem certificates: /etc/catat/cert.pem expired", |facts| facts.certificates[0].1 = NOW);
    check("warning certificates: /etc/catat/cert.pem expires", |facts| {
        facts.certificates[0].1 = Timestamp(NOW.0 + Timestamp::DAY);
    });
    check("problem certificates: there are no certificates", |facts| facts.no_authorities = Some("/etc/ssl".into()));
}

#[test]
fn files_that_are_not_read_are_told_by_reason() {
    let left = |reasons: &[Reason]| {
        let mut found = Discovery::default();
        for (n, reason) in reasons.iter().enumerate() {
            found.left_out.push(SkippedFile { path: format!("/var/log/{n}").into(), reason: reason.clone() });
        }
        found.n_left_out = reasons.len();
        Some(Ok(found))
    };
    let denied = || Reason::Unreadable("permission denied".into());
    check("warning files: not read: /var/log/0, /var/log/2: permission denied; run as root", |facts| {
        facts.found = left(&[denied(), Reason::Binary, denied(), Reason::Compressed]);
    });
    check("note files: not read: /var/log/0, /var/log/1: old", |facts| {
        facts.found = left(&[Reason::TooOld { modified: NOW }, Reason::TooOld { modified: Timestamp(0) }]);
    });
    check("warning files: not read: /var/log/0: not there yet", |facts| facts.found = left(&[Reason::Absent]));
    let mut facts = healthy();
    (facts.found, facts.has_inputs) = (left(&[Reason::Absent]), true);
    assert!(judge(&facts).iter().all(|finding| finding.severity == Severity::Ok), "its input is doubted already");
    check("warning files: which files", |facts| facts.found = Some(Err("broken".into())));
    check("note files: not read: /var/log/a: named by no input", |facts| facts.unnamed = vec!["/var/log/a".into()]);
}

#[test]
fn a_shipper_that_fails_and_an_old_backup_are_told() {
    let report = |told: ship::ShipperReport| ship::Report {
        is_running: true,
        files: Vec::new(),
        n_elsewhere: 0,
        bytes_waiting: 0,
        bytes_spooled: 0,
        told,
    };
    let told = ship::ShipperReport::default;
    check("problem shipper: delivery fails: refused", |facts| {
        facts.shipper = Some(report(ship::ShipperReport { last_error: Some("refused".into()), ..told() }));
    });
    check("warning shipper: /var/log/a: gone", |facts| {
        let file_errors = vec![("/var/log/a".into(), "gone".into())];
        facts.shipper = Some(report(ship::ShipperReport { file_errors, ..told() }));
    });
    check("warning shipper: 2 events or batches were refused", |facts| {
        facts.shipper = Some(report(ship::ShipperReport { refused: 2, ..told() }));
    });
    check("warning shipper: 9 b of deleted files", |facts| {
        let given_up = ship::LossCount { lines: 1, bytes: 9 };
        facts.shipper = Some(report(ship::ShipperReport { given_up, ..told() }));
    });
    let at = |days: i64| Some(Timestamp(NOW.0 - days * Timestamp::DAY));
    check("warning backup: the last backup is from 2026-11-20", |facts| facts.store.backup = at(8));
    check("warning backup: `catat backup` has not copied this store, which is 100d old", |facts| {
        facts.store.backup = None;
    });
}

#[test]
fn what_the_server_judges_itself_is_not_judged_twice() {
    let mut facts = healthy();
    facts.is_serving = true;
    facts.disk.free_bytes = 0;
    facts.store.copy_taken = Some("2026".into());
    facts.shipper = Some(ship::Report {
        is_running: true,
        files: Vec::new(),
        n_elsewhere: 0,
        bytes_waiting: 0,
        bytes_spooled: 0,
        told: ship::ShipperReport { last_error: Some("refused".into()), ..Default::default() },
    });
    assert!(judge(&facts).iter().all(|finding| finding.severity == Severity::Ok));
}

#[test]
fn the_file_system_of_a_directory_is_that_of_the_deepest_mount() {
    let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
                  30 22 0:26 / /var/my\\040data rw,nosuid shared:5 - tmpfs tmpfs rw,size=10k\n\
                  31 22 0:27 / /var/my rw - nfs4 host:/x rw";
    let of = |path: &str| mount_of(mounts, &PathBuf::from(path)).expect("a mount");
    assert_eq!(of("/home/x"), ("ext4".to_owned(), "rw,relatime,rw,errors=remount-ro".to_owned()));
    assert_eq!(of("/var/my data/x").0, "tmpfs");
    assert_eq!(of("/var/my/x").0, "nfs4");
    assert_eq!(mount_of("", &PathBuf::from("/")), None);
}

#[test]
fn a_time_service_is_known_by_what_it_leaves() {
    let run = tempfile::tempdir().expect("a scratch directory");
    let make = |path: &str| std::fs::create_dir_all(run.path().join(path)).expect("it is writable");
    assert_eq!(is_synchronised(run.path()), None);
    make("systemd/system");
    assert_eq!(is_synchronised(run.path()), Some(false));
    make("systemd/container");
    assert_eq!(is_synchronised(run.path()), None, "the clock is that of the host");
    make("systemd/timesync/synchronized");
    assert_eq!(is_synchronised(run.path()), Some(true));
}

fn gathered(settings: &str, dir: &Path) -> Facts {
    let file = dir.join("catat.toml");
    std::fs::write(&file, settings).expect("it is writable");
    let options =
        Server { config: Some(file), data_dir: Some(dir.join("data")), listen: None, insecure_allow_anonymous: false };
    let shipped = |config: &Config| {
        let (dir, inputs) = (config.ship.state_dir.clone(), config.ship.inputs());
        Some(ship_options(&dir, &[], inputs, None, ship::Backlog::ALL))
    };
    Facts::gather(&options, false, &shipped)
}

#[test]
fn the_facts_are_those_of_the_machine() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path();
    let data = dir.join("data");
    std::fs::create_dir_all(data.join("quarantine")).expect("it is writable");
    std::fs::create_dir(data.join("wal")).expect("it is writable");
    std::fs::create_dir(dir.join("logs")).expect("it is writable");
    for (path, text) in [("data/STORE", "x"), ("data/quarantine/a.seg", "x"), ("logs/a.log", "a line\n")] {
        std::fs::write(dir.join(path), text).expect("it is writable");
    }
    note_backup(&data, NOW).expect("it is writable");
    let later = std::time::SystemTime::now() + Duration::from_secs(3_600);
    let wal = File::create(data.join("wal/1.wal")).expect("it is writable");
    wal.set_modified(later).expect("it is ours");
    let settings = format!(
        "[ship]\nurl = \"https://nothing.invalid:1\"\n[[input]]\npaths = [{:?}, {:?}]\n",
        dir.join("logs/*.log"),
        dir.join("none.log")
    );
    let facts = gathered(&settings, dir);
    assert_eq!(facts.mistakes, Vec::<String>::new());
    assert_eq!(facts.names.len(), 1, "{:?}", facts.names);
    assert!(facts.names[0].1 == "nothing.invalid" && facts.names[0].2.is_some(), "{:?}", facts.names);
    assert_eq!(facts.newest.as_ref().map(|(path, _)| path.clone()), Some(data.join("wal/1.wal")));
    assert!(facts.newest.as_ref().is_some_and(|(_, written)| *written > facts.now));
    assert!(facts.disk.sync.is_some() && facts.disk.free_bytes > 0 && !facts.disk.kind.is_empty());
    assert_eq!((facts.store.n_quarantined, facts.store.n_foreign, facts.store.problem.as_deref()), (1, 0, None));
    assert!(facts.store.created.is_some() && facts.store.backup == Some(NOW));
    let found = facts.found.expect("files are followed").expect("they are found");
    assert_eq!((found.files.len(), found.n_left_out), (1, 1));
    assert!(
        std::fs::read_dir(&data)
            .expect("it is there")
            .flatten()
            .all(|entry| { !entry.file_name().to_string_lossy().starts_with(".catat") })
    );
}

#[test]
fn settings_that_are_wrong_do_not_keep_the_rest_from_being_looked_at() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let facts = gathered("[storage]\nflush_age = \"soon\"\nnothing = 1\n", scratch.path());
    assert_eq!(facts.mistakes.len(), 2, "{:?}", facts.mistakes);
    assert!(facts.disk.free_bytes > 0);
}
