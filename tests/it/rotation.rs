//! Logs on file systems of their own: inodes that are handed on, places that are mounted twice, files that may be read
//! only later.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ship::{Backlog, FileBatch, FollowOptions, Follower};
use types::Timestamp;

use crate::lab::disk::{Disk, Mount, scratch_in_memory};
use crate::lab::rounds;
use crate::server::{Server, catat};

/// A follower whose clock is the test's, and what a server has of it by position.
struct Hand {
    follower: Follower,
    now: Timestamp,
    stored: BTreeMap<(String, u64), u64>,
    lines: Vec<String>,
}

impl Hand {
    fn open(paths: Vec<PathBuf>, state_dir: &Path) -> Hand {
        let now = Timestamp::parse_rfc3339("2200-01-01T00:00:00Z").expect("a time");
        let (stored, lines) = (BTreeMap::new(), Vec::new());
        Hand { follower: follower(paths, state_dir, now), now, stored, lines }
    }

    /// Lets so many milliseconds pass and takes everything that is sent then.
    fn pass(&mut self, ms: i64) {
        self.now = Timestamp(self.now.0 + ms * 1_000_000);
        while let batches = self.follower.poll_once(self.now)
            && !batches.is_empty()
        {
            batches.iter().for_each(|batch| self.take(batch));
        }
        self.follower.save_if_due(self.now).expect("scratch is writable");
    }

    /// The same as after a crash: only what was written down is remembered.
    fn restart(self, logs: &Path, state_dir: &Path) -> Hand {
        let Hand { follower: before, now, stored, lines } = self;
        drop(before);
        Hand { follower: follower(vec![logs.to_owned()], state_dir, now), now, stored, lines }
    }

    fn take(&mut self, batch: &FileBatch) {
        let known = self.stored.entry((batch.header.file.clone(), batch.header.generation)).or_default();
        assert!(batch.header.start <= *known, "a gap in {}", batch.header.path);
        for (offset, line) in batch.events() {
            if offset >= *known {
                self.lines.push(String::from_utf8_lossy(line).into_owned());
            }
        }
        *known = batch.end().max(*known);
        self.follower.acknowledge(batch, self.now);
    }
}

fn follower(paths: Vec<PathBuf>, state_dir: &Path, now: Timestamp) -> Follower {
    let mut options = FollowOptions::new(paths, state_dir.to_owned());
    options.backlog = Backlog::ALL;
    Follower::open(options, now).expect("scratch is writable").0
}

#[test]
fn a_file_that_is_given_the_inode_of_a_deleted_one_is_read_from_its_start_whatever_it_holds() {
    let scratch = scratch_in_memory();
    let Some(disk) = Disk::make(scratch.path(), 32 << 20, "commit=600") else { return };
    let (logs, state_dir) = (disk.mount.at.join("logs"), scratch.path().join("ship"));
    fs::create_dir(&logs).expect("the disk is writable");
    let path = logs.join("job.log");
    let mut hand = Hand::open(vec![logs.clone()], &state_dir);
    let (mut expected, mut inodes, n_rounds) = (Vec::new(), Vec::new(), rounds(1_000).max(1_000));
    for n in 0..n_rounds {
        // Often the same again, as a job that says that it is done; else with a beginning that all have.
        let lines = if n % 5 < 3 { vec!["done".to_owned()] } else { vec!["#".repeat(4096), format!("lap {n}")] };
        fs::write(&path, lines.join("\n") + "\n").expect("the disk is writable");
        inodes.push(fs::metadata(&path).expect("it was just written").ino());
        hand.pass(1_100);
        hand.pass(1_100);
        expected.extend(lines);
        if n % 7 == 0 {
            hand = hand.restart(&logs, &state_dir);
        }
        fs::remove_file(&path).expect("it is there");
        // It is closed when it has been quiet for long, and only then its inode is free.
        hand.pass(70_000);
    }
    let n_reused = inodes.windows(2).filter(|two| two[0] == two[1]).count() as u64;
    assert!(n_reused * 10 >= (n_rounds - 1) * 9, "the inode was handed on {n_reused} times in {n_rounds} rounds");
    hand.lines.sort();
    expected.sort();
    assert!(hand.lines == expected, "{} lines of {}", hand.lines.len(), expected.len());
}

#[test]
fn a_place_that_is_mounted_twice_is_read_once() {
    let scratch = scratch_in_memory();
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    fs::write(logs.join("a.log"), "one\n").expect("scratch is writable");
    let Some(mount) = Mount::bind(&logs, scratch.path().join("again")) else { return };
    let mut hand = Hand::open(vec![logs.clone(), mount.at.clone()], &scratch.path().join("ship"));
    hand.pass(1_100);
    fs::write(mount.at.join("a.log"), "one\ntwo\n").expect("scratch is writable");
    hand.pass(1_100);
    hand.pass(1_100);
    assert_eq!(hand.lines, ["one", "two"]);
}

#[test]
fn a_file_that_may_be_read_only_later_is_read_when_it_may() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (logs, state_dir) = (scratch.path().join("logs"), scratch.path().join("ship"));
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    let server = Server::serve(scratch.path());
    for dir in [&logs, &state_dir] {
        fs::create_dir(dir).expect("scratch is writable");
    }
    let (secret, open) = (logs.join("secret.log"), logs.join("open.log"));
    fs::write(&secret, "secret one\n").expect("scratch is writable");
    fs::write(&open, "open one\n").expect("scratch is writable");
    set_mode(&secret, 0o000);
    let mut command = catat(scratch.path());
    // Root may read everything.
    if fs::metadata(&logs).expect("it is there").uid() == 0 {
        const NOBODY: u32 = 65534;
        [scratch.path(), &logs].into_iter().for_each(|dir| set_mode(dir, 0o755));
        set_mode(&open, 0o644);
        chown(&state_dir, Some(NOBODY), Some(NOBODY)).expect("root may");
        command.uid(NOBODY).gid(NOBODY);
    }
    command.args(["ship", "--url", &server.url, "--state-dir"]).arg(&state_dir).arg(&logs);
    let Ok(mut shipper) = command.stderr(std::process::Stdio::null()).spawn() else {
        return eprintln!("left out: the executable is where nobody else may run it");
    };
    let count = || server.rows("filter @message like /one|two/ | stats count(*) as n");
    server.until("the open file is there", || (count().first()?[0] == 1).then_some(()));
    fs::write(&open, "open one\nopen two\n").expect("scratch is writable");
    set_mode(&secret, 0o644);
    server.until("both are there", || (count().first()?[0] == 3).then_some(()));
    shipper.kill().expect("our own child can be killed");
    shipper.wait().expect("a killed child ends");
}
