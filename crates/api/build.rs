//! Lists the files of the built page and of the manual, to be built into the executable, and fails with a clear message when
//! the page is missing.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const PAGE: &str = "../../web/dist";
const MANUAL: &str = "../../docs";
/// Folders of the manual that the server does not show.
const UNSERVED: [&str; 1] = ["internals"];

fn main() {
    assert!(
        Path::new(PAGE).join("index.html").is_file(),
        "web/dist/index.html is missing: it is committed, so restore it with git, or build it (web/README.md)"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (folder, list) in [(PAGE, "page.rs"), (MANUAL, "manual.rs")] {
        println!("cargo:rerun-if-changed={folder}");
        let folder = fs::canonicalize(folder).expect("the folder is there");
        let mut files = Vec::new();
        collect(&folder, "", &mut files);
        files.sort();
        let mut source = String::from("&[\n");
        for (name, path) in files {
            writeln!(source, "({name:?}, include_bytes!({path:?})),").expect("writing to a String does not fail");
        }
        source.push(']');
        fs::write(out.join(list), source).expect("the list of files can be written");
    }
}

/// Adds the files of a folder and of the folders in it: name from the top, path on disk.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        if path.is_dir() {
            if !UNSERVED.contains(&&*name) {
                collect(&path, &format!("{prefix}{name}/"), files);
            }
        } else {
            files.push((format!("{prefix}{name}"), path));
        }
    }
}
