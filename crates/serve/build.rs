//! Rebuilds the crate when the built page or the manual changes, and fails with a clear message when the page is missing.

use std::path::Path;

fn main() {
    let page = "../../web/dist";
    println!("cargo:rerun-if-changed={page}");
    println!("cargo:rerun-if-changed=../../docs");
    assert!(
        Path::new(page).join("index.html").is_file(),
        "web/dist/index.html is missing: it is committed, so restore it with git, or build it (web/README.md)"
    );
}
