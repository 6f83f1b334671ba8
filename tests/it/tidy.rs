//! The rules of the house that a machine can check, over all sources of this repository.

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/rust_text.rs"]
mod rust_text;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/structure.rs"]
mod structure;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

pub(crate) use self::sources::shipped_lines;
use self::sources::{Source, collect, root, sources};

/// Functions longer than this hide their structure.
const FUNCTION_LINES_MAX: usize = 70;

/// Which crates each crate may name; a crate that is not listed is a new room and belongs on the map first.
const ARROWS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("parse", &["types"]),
    ("definition", &["types"]),
    ("exposition", &[]),
    ("ship", &["types", "definition", "parse", "exposition", "goregex"]),
    ("segment", &["types"]),
    // Knows SQL databases, and no table of anybody.
    ("database", &[]),
    // What keeps bytes, in files and objects.
    ("files", &["types", "segment"]),
    ("storage", &["types", "segment", "files", "database"]),
    ("ingest", &["types", "definition", "parse", "exposition", "storage"]),
    // Reads regular expressions as Go does; knows nothing of who matches with them.
    ("goregex", &[]),
    // Reads and fills in Go's templates; the functions beyond Go's own are given to it.
    ("gotemplate", &["goregex"]),
    ("plan", &["types", "parse", "goregex", "gotemplate"]),
    ("pattern", &["types", "parse", "plan"]),
    // Knows bytes only: what records mean is their owners' business.
    ("spill", &[]),
    ("language", &["types", "parse", "goregex", "plan"]),
    // Reads through `types::Run`, which storage implements, so that a change of a query never rebuilds tantivy.
    ("evaluate", &["types", "parse", "plan", "pattern", "spill"]),
    ("execute", &["types", "parse", "plan", "pattern", "spill", "evaluate"]),
    ("archive", &["types", "parse", "ship", "files", "execute"]),
    // Knows nothing of catat but secrets.
    ("kafka", &["types"]),
    // Judges counts of events; knows neither a route nor a clock.
    ("cause", &["types", "plan", "execute"]),
    // Judges counts of texts; runs no pipeline and knows no rule.
    ("suggestion", &["types", "plan", "pattern"]),
    ("esql", &["types", "parse", "plan", "language", "execute"]),
    ("traceql", &["types", "plan"]),
    // Reads and evaluates PromQL; storage is a trait that others implement.
    ("promql", &["goregex"]),
    // Reads and writes samples of a store, whoever asks.
    ("series", &["types", "ingest", "plan", "promql", "execute"]),
    (
        "alert",
        &[
            "types", "parse", "exposition", "goregex", "plan", "language", "execute", "cause", "storage", "promql",
            "gotemplate", "series",
        ],
    ),
    // Uses of `alert` its state files and its channels.
    ("incident", &["types", "parse", "plan", "pattern", "language", "execute", "storage", "alert"]),
    ("dashboard", &["types", "plan", "language", "promql", "esql", "traceql"]),
    // Knows no route, no user and no role: signs people in at their provider.
    ("oidc", &["types"]),
    // Knows no route and no format of a foreign protocol: families are built on it.
    (
        "door",
        &["types", "parse", "storage", "ingest", "plan", "language", "esql", "execute", "series", "alert", "oidc"],
    ),
    ("elastic", &["types", "storage", "ingest", "plan", "language", "esql", "execute", "door"]),
    (
        "api",
        &[
            "types", "definition", "parse", "storage", "ingest", "plan", "language", "execute", "esql", "traceql",
            "promql", "series", "cause", "suggestion", "alert", "incident", "dashboard", "oidc", "door",
        ],
    ),
    ("loki", &["types", "parse", "storage", "ingest", "plan", "language", "execute", "alert", "door"]),
    ("cloudwatch", &["types", "parse", "storage", "ingest", "plan", "language", "execute", "alert", "door"]),
    ("otel", &["types", "parse", "storage", "ingest", "door"]),
    // Of `cloudwatch` it uses one thing: the check of signed requests, for X-Ray's operations that read.
    (
        "traces",
        &["types", "storage", "ingest", "plan", "language", "traceql", "execute", "cause", "door", "cloudwatch"],
    ),
    ("metrics", &["types", "storage", "ingest", "plan", "promql", "series", "exposition", "execute", "door", "otel"]),
    // Asks native routes through a router that it is given.
    ("mcp", &["types", "door"]),
    // Follows what is in segments; knows no query.
    ("tables", &["types", "files", "storage", "door"]),
    (
        "serve",
        &[
            "storage", "elastic", "oidc", "door", "api", "loki", "cloudwatch", "otel", "traces", "metrics", "tables",
            "mcp",
        ],
    ),
    (
        "catat",
        &[
            "types", "definition", "parse", "ship", "storage", "ingest", "plan", "language", "execute", "archive",
            "kafka", "alert", "promql", "series", "dashboard", "tables", "cloudwatch", "serve",
        ],
    ),
    // Depends on everything from outside, and is a part of nothing.
    ("features", &[]),
];

#[test]
fn features_of_everything_from_outside_are_asked_for_in_one_place() {
    let text = |path: &str| fs::read_to_string(root().join(path)).expect("a manifest");
    let workspace = text("Cargo.toml");
    let dependencies = workspace.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let listed = text("crates/features/Cargo.toml");
    let is_missing = |line: &&str| {
        let name = line.split(' ').next().unwrap_or_default();
        line.contains(" = ")
            && !line.starts_with('#')
            && !line.contains("path = ")
            && !listed.contains(&format!("\n{name}"))
    };
    let missing: Vec<&str> = dependencies.expect("a list of dependencies").lines().filter(is_missing).collect();
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "belongs into crates/features/Cargo.toml, so that nothing is compiled twice"
    );
}

#[test]
fn every_source_opens_with_what_it_is() {
    let mute: Vec<String> =
        sources().into_iter().filter(|source| !source.text.starts_with("//!")).map(|source| source.name).collect();
    assert!(mute.is_empty(), "files that do not open with `//!`: {mute:#?}");
}

#[test]
fn no_module_is_called_mod_rs() {
    let found: Vec<String> =
        sources().into_iter().map(|source| source.name).filter(|name| name.ends_with("/mod.rs")).collect();
    assert!(found.is_empty(), "use foo.rs beside foo/: {found:#?}");
}

#[test]
fn no_function_exceeds_seventy_lines() {
    let long: Vec<String> = sources()
        .iter()
        .flat_map(|source| functions(&source.text).into_iter().map(|function| (source.name.clone(), function)))
        .filter(|(_, function)| function.n_lines > FUNCTION_LINES_MAX)
        .map(|(file, function)| format!("{file}:{} {} has {} lines", function.line, function.name, function.n_lines))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn nothing_unwraps_outside_tests() {
    let found = shipped_lines(|_, code| {
        code.contains(".unwrap()") || code.contains("todo!(") || code.contains("unimplemented!(")
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn crates_depend_along_the_arrows() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for folder in fs::read_dir(root().join("crates")).expect("the repository has crates/") {
        let folder = folder.expect("crates/ can be listed");
        let name = folder.file_name().into_string().expect("crate names are ASCII");
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("crate {name} is not on the map"));
        let manifest: toml::Table = fs::read_to_string(folder.path().join("Cargo.toml"))
            .expect("every crate has a manifest")
            .parse()
            .expect("cargo has read it before");
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            let is_ours = allowed.contains_key(dependency.as_str());
            assert!(!is_ours || may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn every_fault_point_is_listed_reached_and_crashed_at() {
    let sources = sources();
    let is_of_storage =
        |source: &&Source| ["crates/storage/src/", "crates/files/src/"].iter().any(|dir| source.name.starts_with(dir));
    let of_storage = || sources.iter().filter(is_of_storage);
    let is_test = |source: &&Source| source.name.contains("/tests");
    let points = |text: &str, before: &str| -> BTreeSet<String> {
        let quoted = text.split(before).skip(1).filter_map(|rest| rest.split_once('"'));
        quoted.map(|(point, _)| point.to_owned()).filter(|point| point.contains('.')).collect()
    };
    let reached: BTreeSet<String> =
        of_storage().filter(|source| !is_test(source)).flat_map(|source| points(&source.text, ".check(\"")).collect();
    let tests: String = of_storage().filter(is_test).map(|source| source.text.as_str()).collect();
    let lists = of_storage().find(|source| source.name.ends_with("/fault.rs")).expect("storage has fault points");
    let mut crashed_at = BTreeSet::new();
    for list in lists.text.split("pub const ").skip(1) {
        let (name, rest) = list.split_once(':').expect("a constant has a type");
        let elements = rest.split_once("];\n").map_or("", |(elements, _)| elements);
        let listed: BTreeSet<String> =
            elements.split('"').skip(1).step_by(2).map(str::to_owned).filter(|point| point.contains('.')).collect();
        let unreached: Vec<&String> = listed.difference(&reached).collect();
        assert!(unreached.is_empty(), "{name} lists what no code reaches: {unreached:?}");
        let is_armed = |point: &&String| tests.contains(name) || tests.contains(&format!("\"{point}\""));
        crashed_at.extend(listed.iter().filter(is_armed).cloned());
    }
    // Reached only in an upload of several parts, larger than what unit tests write.
    crashed_at.insert("object.part".to_owned());
    let unarmed: Vec<&String> = reached.difference(&crashed_at).collect();
    assert!(unarmed.is_empty(), "nothing crashes at {unarmed:?}");
}

#[test]
fn built_page_belongs_to_its_sources() {
    let web = root().join("web");
    let mut paths: Vec<String> = ["index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json"]
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    collect(&web.join("src"), &mut |path| {
        let relative = path.strip_prefix(&web).expect("found below it");
        paths.push(relative.to_str().expect("names are ASCII").to_owned());
    });
    paths.sort();
    let mut hashed = Vec::new();
    for path in &paths {
        hashed.extend_from_slice(path.as_bytes());
        hashed.push(0);
        hashed.extend(fs::read(web.join(path)).expect("a source that was just listed"));
    }
    let committed = fs::read_to_string(web.join("dist/SOURCE_HASH")).expect("web/dist is committed");
    assert_eq!(sha256_hex(&hashed), committed.trim(), "run `npm ci && npm run build` in web/ and commit web/dist");
}

#[test]
fn house_has_its_top_level() {
    for name in
        ["Cargo.toml", "Cargo.lock", "crates", "grammar", "web", "tests", "benches", "config", "LICENSE", ".ci/run"]
    {
        assert!(root().join(name).exists(), "the house has {name}");
    }
}

struct Function {
    name: String,
    line: usize,
    n_lines: usize,
}

/// Functions by their indentation: rustfmt puts the closing brace under the first letter of the line with `fn`.
fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (idx, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(at) = code.find("fn ") else { continue };
        let qualifiers = ["pub", "pub(crate)", "pub(super)", "async", "const"];
        if !code[..at].split_whitespace().all(|word| qualifiers.contains(&word)) {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        // One-line bodies and trait methods without a body end on a line of their own.
        let ends_at_once = code.ends_with('}') || code.ends_with(';');
        let n_lines = match lines[idx..].iter().position(|line| *line == closing) {
            Some(n) if !ends_at_once => n + 1,
            _ => 1,
        };
        let name = code[at + 3..].chars().take_while(|&letter| letter.is_alphanumeric() || letter == '_').collect();
        functions.push(Function { name, line: idx + 1, n_lines });
    }
    functions
}

/// SHA-256 through the tool that every build machine has; a test needs no crate for it.
fn sha256_hex(bytes: &[u8]) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("coreutils has sha256sum");
    child.stdin.take().expect("it was piped").write_all(bytes).expect("sha256sum reads all");
    let output = child.wait_with_output().expect("sha256sum ends with its input");
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap_or_default().to_owned()
}
