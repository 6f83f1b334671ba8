//! The structure of the crates: no circle of imports, no long file, no large crate.

use std::collections::BTreeMap;

use super::imports::{Circle, File, circles};
use super::sources::{Source, shipped_sources, sources};

/// Files longer than this have more than one subject.
const FILE_LINES_MAX: usize = 500;

/// A crate beyond this compiles too long to be worked on, and is more than one room.
const CRATE_LINES_MAX: usize = 20_000;

#[test]
fn files_import_each_other_in_no_circle() {
    let found: Vec<String> = crates(shipped_sources())
        .into_iter()
        .flat_map(|(name, files)| circles(files).into_iter().map(move |circle| shown(&name, &circle)))
        .collect();
    assert!(found.is_empty(), "give what ties them a module of its own:\n{}", found.join("\n"));
}

#[test]
fn no_file_exceeds_five_hundred_lines() {
    let long = long_files(&sources());
    assert!(long.is_empty(), "split by subject: {long:#?}");
}

#[test]
fn no_crate_exceeds_twenty_thousand_lines() {
    let large = large_crates(&shipped_sources());
    assert!(large.is_empty(), "split into crates with one direction: {large:#?}");
}

/// Files over the limit, with their lines.
fn long_files(sources: &[Source]) -> Vec<(String, usize)> {
    let lines = sources.iter().map(|source| (source.name.clone(), source.text.lines().count()));
    lines.filter(|(_, n)| *n > FILE_LINES_MAX).collect()
}

/// Crates whose code without tests is over the limit.
fn large_crates(shipped: &[Source]) -> Vec<String> {
    let mut n_lines: BTreeMap<&str, usize> = BTreeMap::new();
    for source in shipped {
        if let Some((name, _)) = crate_of(&source.name) {
            *n_lines.entry(name).or_default() += source.text.lines().count();
        }
    }
    let large = n_lines.into_iter().filter(|(_, n)| *n > CRATE_LINES_MAX);
    large.map(|(name, n)| format!("{name} has {n} lines")).collect()
}

/// The files below `src` of each crate.
fn crates(sources: Vec<Source>) -> BTreeMap<String, Vec<File>> {
    let mut crates: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for source in sources {
        let Some((name, path)) = crate_of(&source.name) else { continue };
        let Some(stem) = path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")) else { continue };
        let file = File { stem: stem.to_owned(), text: source.text.clone() };
        crates.entry(name.to_owned()).or_default().push(file);
    }
    crates
}

/// The crate of a source, and its path inside the crate.
fn crate_of(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("crates/")?.split_once('/')
}

fn shown(name: &str, circle: &Circle) -> String {
    format!("{name}: {} files: {}\n  {}", circle.files.len(), circle.files.join(" "), circle.imports.join("\n  "))
}

/// The circles among files given as path and text.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files = files.iter().map(|(stem, text)| File { stem: (*stem).into(), text: (*text).into() }).collect();
    circles(files).into_iter().map(|circle| circle.files).collect()
}

#[test]
fn circles_are_found_whatever_way_they_are_written() {
    let ab = [vec!["a".to_owned(), "b".to_owned()]];
    assert_eq!(circles_of(&[("a", "use crate::b::B; struct A(B);"), ("b", "use crate::a::A; struct B(A);")]), ab);
    assert_eq!(circles_of(&[("a", "struct A(crate::b::B);"), ("b", "struct B(super::a::A);")]), ab);
    let grouped = [
        ("a", "use crate::{b::{self, B as Other}}; fn f(_: Other) { b::g() }"),
        ("b", "use super::a::f;\nfn g() { f() }"),
    ];
    assert_eq!(circles_of(&grouped), ab);
    let three =
        [("a", "use crate::b::B; type A = B;"), ("b", "use crate::c::C; type B = C;"), ("c", "use crate::a::*;")];
    assert_eq!(circles_of(&three), [["a", "b", "c"]]);
}

#[test]
fn a_child_that_imports_from_its_parent_which_uses_it_is_a_circle() {
    let child = ("a/b", "use super::A; struct B(A);");
    assert_eq!(circles_of(&[("a", "mod b; use b::B; struct A(Box<B>);"), child]), [["a", "a/b"]]);
    assert_eq!(circles_of(&[("a", "mod b; struct A(Box<b::B>);"), child]), [["a", "a/b"]]);
    assert!(circles_of(&[("a", "mod b; pub use b::B; struct A;"), child]).is_empty(), "it only hands B on");
}

#[test]
fn a_re_export_is_followed_to_the_file_that_defines_the_name() {
    let lib = ("lib", "mod a; mod b; mod c; pub use a::A; pub use b::*; const LIMIT: u8 = 1;");
    let a = ("a", "use crate::B; struct A(B);");
    assert!(circles_of(&[lib, a, ("b", "use crate::c::C; struct B(C);"), ("c", "struct C;")]).is_empty());
    assert_eq!(circles_of(&[lib, a, ("b", "use crate::A; struct B(A);"), ("c", "")]), [["a", "b"]]);
}

#[test]
fn tests_comments_and_literals_import_nothing() {
    let b = ("b", "use crate::a::A; struct B(A);");
    for text in [
        "struct A; #[cfg(test)]\nmod tests { use crate::b::B; fn f(_: B) {} }",
        "struct A; #[cfg(test)]\nuse crate::b::B;",
        "/// See [`crate::b::B`].\nstruct A; // crate::b::B\n/* crate::b::B */",
        "struct A; const TEXT: &str = \"crate::b::B\"; const RAW: &str = r#\"a \" crate::b::B\"#; const Q: char = '\"';",
        "struct A<'b>(&'b u8); mod pairs { use super::A; }",
    ] {
        assert!(circles_of(&[("a", text), b]).is_empty(), "{text}");
    }
}

#[test]
fn long_files_and_large_crates_are_found() {
    let source = |name: &str, n: usize| Source { name: name.into(), text: "x\n".repeat(n) };
    let sources =
        [source("crates/a/src/lib.rs", 501), source("crates/b/src/lib.rs", 500), source("tests/it/c.rs", 501)];
    let names: Vec<String> = long_files(&sources).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["crates/a/src/lib.rs", "tests/it/c.rs"]);
    let sources = [source("crates/a/src/lib.rs", 10_000), source("crates/a/src/b.rs", 10_001)];
    assert_eq!(large_crates(&sources), ["a has 20001 lines"]);
    assert!(large_crates(&sources[..1]).is_empty());
}
