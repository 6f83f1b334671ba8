//! `catat metrics`: whether PromQL answers what a script expects. Needs no server.

use std::io::Write;
use std::path::PathBuf;

use promql::{Options, run_script};

use crate::arguments::{Metrics, MetricsCommand};
use crate::failure::{Failure, Result, of_output};

pub(crate) fn metrics(options: Metrics) -> Result<()> {
    match options.command {
        MetricsCommand::Test { files, experimental } => test(&files, experimental),
    }
}

/// Runs scripts; names each line that fails, then how many evaluations passed.
fn test(files: &[PathBuf], experimental: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let (mut n_passed, mut n_failed) = (0, 0);
    for file in files {
        let read = std::fs::read_to_string(file);
        let text = read.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        let report = run_script(&text, &Options { experimental, ..Options::default() });
        n_passed += report.passed;
        n_failed += report.failures.len();
        for failure in &report.failures {
            let query = if failure.query.is_empty() { String::new() } else { format!(" {}:", failure.query) };
            writeln!(out, "{}:{}:{query} {}", file.display(), failure.line, failure.message).map_err(of_output)?;
        }
    }
    writeln!(out, "{n_passed} passed, {n_failed} failed").map_err(of_output)?;
    if n_failed == 0 { Ok(()) } else { Err(Failure::other("")) }
}
