//! File systems of a test's own: a small one that can be full, and one whose power can be cut.
//!
//! The power cut needs no kernel module. The data directory lies on ext4 on a loop device over a file; the process is
//! stopped, the file copied, the process killed, and the copy mounted. The copy holds exactly what had reached the
//! device: what was synced, and what the kernel happened to write. How the kernel orders what nobody synced depends on
//! the mount options; [`MOUNTS`] has four.
//!
//! Not modelled: devices that lie about a flush, and sectors that are written in part.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::signal;
use crate::server::PATIENCE;

/// Mount options that make different things reach the device before they are synced: nothing; names before bytes;
/// names and bytes in any order; bytes through the journal.
pub(crate) const MOUNTS: [&str; 4] =
    ["commit=600", "commit=1,noauto_da_alloc", "data=writeback,commit=1,noauto_da_alloc", "data=journal,commit=1"];

/// A place in memory where there is one: what a device would take its time for is not what is tested.
pub(crate) fn scratch_in_memory() -> tempfile::TempDir {
    let in_memory = Path::new("/dev/shm");
    let made = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a scratch directory")
}

/// Copies a directory with everything below it.
pub(crate) fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room");
        }
    }
}

/// Runs a program; what it said where it failed.
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    let said = || format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(said()) }
}

fn ascii(path: &Path) -> &str {
    path.to_str().expect("scratch paths are ASCII")
}

/// A mounted file system, unmounted at the end.
pub(crate) struct Mount {
    pub(crate) at: PathBuf,
}

impl Mount {
    fn new(at: PathBuf, arguments: &[&str]) -> Result<Mount, String> {
        fs::create_dir_all(&at).map_err(|error| error.to_string())?;
        run("mount", &[arguments, &[ascii(&at)]].concat())?;
        Ok(Mount { at })
    }

    /// Where something else may be seen as well: a bind mount.
    pub(crate) fn bind(from: &Path, at: PathBuf) -> Option<Mount> {
        left_out(Mount::new(at, &["--bind", ascii(from)]))
    }

    /// A file system in memory with these options, e.g. `size=24m`.
    pub(crate) fn tmpfs(at: PathBuf, options: &str) -> Option<Mount> {
        left_out(Mount::new(at, &["-t", "tmpfs", "-o", options, "tmpfs"]))
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) {
        use std::io::Write;
        let mut filler = fs::File::create(self.at.join("filler")).expect("an empty file needs no room");
        while filler.write_all(&[0; 65_536]).is_ok() {}
        while filler.write_all(&[0; 4_096]).is_ok() {}
    }

    /// Gives the room back.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.at.join("filler")).expect("it was made");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a process may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn left_out<T>(result: Result<T, String>) -> Option<T> {
    result.map_err(|why| eprintln!("left out: no file system may be mounted here: {why}")).ok()
}

/// An ext4 file system in a file.
pub(crate) struct Disk {
    image: PathBuf,
    options: &'static str,
    pub(crate) mount: Mount,
}

impl Disk {
    /// Makes one; `None`, and why on standard error, where that is not permitted.
    pub(crate) fn make(folder: &Path, n_bytes: u64, options: &'static str) -> Option<Disk> {
        let image = folder.join("disk.img");
        // One that was there before may still be on its way out.
        let _ = fs::remove_file(&image);
        fs::File::create(&image).and_then(|file| file.set_len(n_bytes)).expect("scratch is writable");
        // Initialised at once, so that no kernel thread writes later on its own account.
        let initialised = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        left_out(run("mkfs.ext4", &["-q", "-F", "-J", "size=4", "-E", initialised, ascii(&image)]))?;
        left_out(Disk::mount(image, folder.join("disk"), options))
    }

    fn mount(image: PathBuf, at: PathBuf, options: &'static str) -> Result<Disk, String> {
        let mount = Mount::new(at, &["-t", "ext4", "-o", &format!("loop,{options}"), ascii(&image)])?;
        Ok(Disk { image, options, mount })
    }

    /// Where the data directory goes.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.mount.at.join("data")
    }

    /// Cuts the power: stops the process, so that nobody may sync any more, and copies what is on the device.
    pub(crate) fn cut(&self, pid: u32) -> PathBuf {
        signal(pid, "-STOP");
        let deadline = Instant::now() + PATIENCE;
        while !is_stopped(pid) {
            assert!(Instant::now() < deadline, "{pid} does not stop");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let copy = self.image.with_extension("cut");
        loop {
            run("cp", &["--sparse=always", ascii(&self.image), ascii(&copy)]).expect("there is room");
            // Equal afterwards as well: nothing was written meanwhile, so the copy is of one instant.
            if run("cmp", &["-s", ascii(&self.image), ascii(&copy)]).is_ok() {
                return copy;
            }
            assert!(Instant::now() < deadline, "the kernel never rests");
        }
    }

    /// Mounts what was on the device when the power was cut, as the next boot would; the process is gone by now.
    ///
    /// A file system that is not whole then says nothing about what is stored on it: `None`.
    pub(crate) fn boot(self, copy: &Path) -> Option<Disk> {
        let (image, at, options) = (self.image.clone(), self.mount.at.clone(), self.options);
        drop(self);
        fs::rename(copy, &image).expect("scratch is writable");
        // The first mount replays the journal; only then can be asked whether the file system is whole.
        let whole = Disk::mount(image.clone(), at.clone(), options).map(drop);
        let unmounted = Instant::now() + PATIENCE;
        let checked = whole.and_then(|()| {
            loop {
                match run("fsck.ext4", &["-fn", ascii(&image)]) {
                    // A lazy unmount may take a moment.
                    Err(_) if is_mounted(&image) && Instant::now() < unmounted => {}
                    other => break other,
                }
            }
        });
        if let Err(problem) = checked {
            eprintln!("not a valid cut: {problem}");
            return None;
        }
        Some(Disk::mount(image, at, options).expect("it was mounted before"))
    }
}

/// Tells whether a loop device still has this file.
fn is_mounted(image: &Path) -> bool {
    let listed = Command::new("losetup").args(["-j", ascii(image)]).output();
    listed.is_ok_and(|output| !output.stdout.is_empty())
}

/// Tells whether every thread of a process is stopped: one that waits for the disk ends that first.
fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state follows the name, which is in brackets and may hold anything.
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        matches!(state, Some('T' | 't' | 'X' | 'Z') | None)
    })
}
