//! Rules for the Markdown pages of this repository that a machine can check: links, paths, anchors, what is not named.

use std::fs;
use std::path::{Path, PathBuf};

/// A page and its text, outside of code blocks.
struct Page {
    path: PathBuf,
    prose: String,
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut dead = Vec::new();
    for page in pages() {
        for link in links(&page.prose) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.path.clone(),
                file => page.path.parent().expect("a page lies in a folder").join(file),
            };
            let is_found = match fs::read_to_string(&target) {
                Ok(text) if !anchor.is_empty() => anchors(&text).iter().any(|known| known == anchor),
                Ok(_) => true,
                Err(_) => target.exists(),
            };
            if !is_found {
                dead.push(format!("{}: {link}", name_of(&page.path)));
            }
        }
    }
    assert!(dead.is_empty(), "links without a target: {dead:#?}");
}

#[test]
fn sources_that_pages_name_exist() {
    let mut missing = Vec::new();
    for page in pages() {
        for quoted in page.prose.split('`').skip(1).step_by(2).filter(|quoted| quoted.ends_with(".rs")) {
            let is_path = quoted.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_-.".contains(letter));
            let near = page.path.parent().expect("a page lies in a folder").join(quoted);
            let places = [root().join(quoted), root().join("crates").join(quoted), near];
            // A name without a folder follows a path that was named before it.
            if is_path && quoted.contains('/') && !places.iter().any(|place| place.exists()) {
                missing.push(format!("{}: {quoted}", name_of(&page.path)));
            }
        }
    }
    assert!(missing.is_empty(), "sources that are named and do not exist: {missing:#?}");
}

#[test]
fn the_readme_is_short_and_every_page_of_the_manual_is_listed() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    assert!(readme.lines().count() <= 120, "README.md has {} lines", readme.lines().count());
    let docs = root().join("docs");
    let contents = fs::read_to_string(docs.join("README.md")).expect("the manual has a list of contents");
    let linked = links(&contents);
    for page in pages().into_iter().filter(|page| page.path.starts_with(&docs)) {
        let relative = page.path.strip_prefix(&docs).expect("it was found below it").to_string_lossy().into_owned();
        let folder = page.path.parent().expect("it lies in a folder").join("README.md");
        let has_own_list = fs::read_to_string(folder).is_ok_and(|text| {
            let name = page.path.file_name().expect("it has a name").to_string_lossy().into_owned();
            links(&text).iter().any(|link| link.split('#').next() == Some(&name))
        });
        let is_listed = linked.iter().any(|link| link.split('#').next() == Some(&relative));
        assert!(relative == "README.md" || is_listed || has_own_list, "docs/{relative} is on no list of contents");
    }
}

#[test]
fn every_package_of_the_list_of_licences_is_of_the_lock_files() {
    let read = |file: &str| fs::read_to_string(root().join(file)).expect("it is committed");
    let (list, crates, libraries) = (read("LICENSES.md"), read("Cargo.lock"), read("web/package-lock.json"));
    let rows = list.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()?.rsplit_once(' '));
    let mut n_packages = 0;
    for (name, version) in rows {
        let is_crate = crates.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
        let is_library = libraries.contains(&format!("node_modules/{name}\": {{\n      \"version\": \"{version}\""));
        assert!(is_crate || is_library, "{name} {version} is in no lock file: run tests/licenses.py --write");
        n_packages += 1;
    }
    assert!(n_packages > 300, "{n_packages}");
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the repository is there")
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Every Markdown page of the repository.
fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("listed entries have names").to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".md") {
                let text = fs::read_to_string(&path).expect("a page is UTF-8");
                pages.push(Page { path, prose: without_code_blocks(&text) });
            }
        }
    }
    pages
}

fn without_code_blocks(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// The targets of inline links.
fn links(prose: &str) -> Vec<&str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}
