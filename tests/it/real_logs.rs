//! Real logs, where there are some: `CATAT_REAL_LOGS` names a folder of them. A clone without it has nothing to do here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::server::Server;

/// All `.log` files below `folder`.
fn log_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("CATAT_REAL_LOGS can be listed") {
        let path = entry.expect("CATAT_REAL_LOGS can be listed").path();
        if path.is_dir() {
            log_files(&path, found);
        } else if path.to_string_lossy().contains(".log") && !path.to_string_lossy().ends_with(".csv") {
            found.push(path);
        }
    }
}

#[test]
fn real_logs_arrive_line_by_line() {
    let Some(folder) = std::env::var_os("CATAT_REAL_LOGS").map(PathBuf::from) else {
        eprintln!("CATAT_REAL_LOGS is not set: nothing to compare");
        return;
    };
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    fs::create_dir(&logs).expect("scratch is writable");
    let mut files = Vec::new();
    log_files(&folder, &mut files);
    assert!(!files.is_empty(), "CATAT_REAL_LOGS holds log files");
    let mut n_lines = 0;
    for file in &files {
        let bytes = fs::read(file).expect("CATAT_REAL_LOGS can be read");
        n_lines += bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
        fs::write(logs.join(file.file_name().expect("a file has a name")), bytes).expect("scratch is writable");
    }
    let server = Server::up(scratch.path(), &[&logs, Path::new("--all")]);
    // An event may hold several lines (a stack trace), so lines are counted inside events.
    let lines_in_events = "stats sum(strlen(@message) - strlen(replace(@message, \"\\n\", \"\")) + 1) as n";
    server.until(&format!("{n_lines} lines are there"), || {
        let n = server.rows(lines_in_events).first().and_then(|row| row[0].as_u64()).unwrap_or(0);
        assert!(n <= n_lines, "{n} of {n_lines} lines: some twice");
        (n == n_lines).then_some(())
    });
    let groups = server.rows("stats count(*) as n by @log");
    assert_eq!(groups.len(), files.len(), "{groups:?}");
    let dated = server.rows("filter @timestamp < now() - 86400 | stats count(*) as n");
    println!("{n_lines} lines of {} files, events dated by their own time: {dated:?}", files.len());
    server.flush();
    assert_eq!(server.rows(lines_in_events)[0][0], n_lines);
}
