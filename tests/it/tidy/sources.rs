//! The sources of this repository: what ships, and what is test code.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct Source {
    /// Path from the root of the repository.
    pub(super) name: String,
    pub(super) text: String,
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All Rust sources of the repository.
pub(super) fn sources() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        collect(&root.join(folder), &mut |path| {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("found below it").to_string_lossy().into_owned();
                sources.push(Source { name, text: fs::read_to_string(path).expect("a source is UTF-8") });
            }
        });
    }
    sources
}

/// The sources below `src` of the crates, without test code: modules under `#[cfg(test)]`, in files of their own or at a file's end.
pub(super) fn shipped_sources() -> Vec<Source> {
    let mut sources = sources();
    let tests = test_modules(&sources);
    let is_test =
        |name: &str| tests.iter().any(|test| name == format!("{test}.rs") || name.starts_with(&format!("{test}/")));
    sources
        .retain(|source| source.name.starts_with("crates/") && source.name.contains("/src/") && !is_test(&source.name));
    for source in &mut sources {
        if let Some(end) = source.text.find("#[cfg(test)]\nmod tests {") {
            source.text.truncate(end);
        }
    }
    sources
}

/// Lines of code that ships for which `is_wanted`, which is given the file's name and the line without its comment.
pub(crate) fn shipped_lines(is_wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let shipped = shipped_sources();
    let lines =
        shipped.iter().flat_map(|source| source.text.lines().enumerate().map(move |(idx, line)| (source, idx, line)));
    lines
        .filter(|(source, _, line)| is_wanted(&source.name, line.split("//").next().unwrap_or("")))
        .map(|(source, idx, line)| format!("{}:{} {}", source.name, idx + 1, line.trim()))
        .collect()
}

/// Calls `visit` with every file below `folder`, leaving out what package managers put there.
pub(super) fn collect(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder exists").map(|entry| entry.expect("it can be listed").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().expect("listed entries have names").to_string_lossy();
        if path.is_dir() && name != "node_modules" && name != ".venv" {
            collect(&path, visit);
        } else if path.is_file() {
            visit(&path);
        }
    }
}

/// The modules declared under `#[cfg(test)]`, as paths without `.rs`: they and what lies below them never ship.
pub(super) fn test_modules(sources: &[Source]) -> Vec<String> {
    let mut modules = Vec::new();
    for source in sources {
        let stem = source.name.trim_end_matches(".rs");
        let folder = match stem.rsplit_once('/') {
            Some((folder, "lib" | "main")) => folder,
            _ => stem,
        };
        let declared = source.text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.lines().next());
        let names =
            declared.filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name));
        modules.extend(names.map(|name| format!("{folder}/{name}")));
    }
    modules
}
