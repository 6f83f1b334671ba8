//! Names the commit that is built, for `catat --version`.
//!
//! `CATAT_COMMIT` names it where there is no repository, as in a release's source archive; without either the version stands
//! alone. The same sources at the same commit give the same executable. A new commit compiles this crate again and no other.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=CATAT_COMMIT");
    let named = std::env::var("CATAT_COMMIT").ok().filter(|commit| !commit.is_empty());
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = match named.or_else(commit_of_repository) {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo:rustc-env=CATAT_VERSION={version}");
}

/// Returns the commit that is checked out, and has this script run again when that changes.
fn commit_of_repository() -> Option<String> {
    // A checkout within another project's repository is not that project's commit.
    if !Path::new("../../.git").exists() {
        return None;
    }
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for file in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        // A file that is not there would have the script run every time.
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// Returns what git prints; `None` where there is no git or it refuses.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}
