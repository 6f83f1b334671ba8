//! Journals of systemd, as `journalctl` prints them: an object of JSON a line. Their form on disk changes with systemd, which knows all of its own.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// The program, and what it is asked for: everything, with texts of any length.
const PROGRAM: &str = "journalctl";
const ARGUMENTS: [&str; 4] = ["--no-pager", "--quiet", "--all", "--output=json"];

/// Bytes of its error messages that are shown.
const COMPLAINT_BYTES: u64 = 1 << 10;

/// The entries of a file.
pub(crate) struct Journal {
    program: Child,
    output: ChildStdout,
    /// Reads its standard error to the end, and returns the beginning.
    complaints: Option<JoinHandle<String>>,
}

impl Journal {
    /// # Errors
    /// If there is no `journalctl`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut command = Command::new(PROGRAM);
        command.args(ARGUMENTS).arg("--file").arg(path).stdin(Stdio::null()).stdout(Stdio::piped());
        let started = command.stderr(Stdio::piped()).spawn();
        let mut program = started.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other(format!("{PROGRAM} not found; a journal needs systemd's")),
            _ => error,
        })?;
        let output = program.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let stderr = program.stderr.take();
        let complaints = std::thread::spawn(move || {
            let Some(mut stderr) = stderr else { return String::new() };
            let mut said = Vec::new();
            // A message that cannot be read is not missed.
            let _ = (&mut stderr).take(COMPLAINT_BYTES).read_to_end(&mut said);
            let _ = io::copy(&mut stderr, &mut io::sink());
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        Ok(Self { program, output, complaints: Some(complaints) })
    }
}

impl Read for Journal {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.output.read(place)?;
        if n_bytes == 0 && !place.is_empty() {
            let is_whole = self.program.wait()?.success();
            // Entries that are damaged are reported and left out, and the exit status is that of success.
            let said = self.complaints.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
            if !is_whole || !said.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{PROGRAM}: {said}")));
            }
        }
        Ok(n_bytes)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // It has ended where all was read.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
