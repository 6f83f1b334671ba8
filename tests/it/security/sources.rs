//! Rules about secrets, programs and SQL that hold for every line that ships.

use crate::tidy::shipped_lines;

/// What a name of a secret, or of what is as good as one, ends with.
const SECRETS: [&str; 12] = [
    "secret", "password", "passwd", "hash", "digest", "token", "signature", "mac", "hmac", "cookie", "admin_key",
    "api_key",
];

/// Rooms in which secrets of callers are.
const ROOMS: [&str; 9] = [
    "crates/door/", "crates/api/", "crates/loki/", "crates/elastic/", "crates/cloudwatch/", "crates/otel/",
    "crates/serve/", "crates/alert/", "crates/catat/",
];

/// What stands in braces in SQL: names that the code chose, never a value.
const NAMES_IN_SQL: [&str; 2] = ["{tables}", "{place}"];

const SQL: [&str; 10] = [
    "SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE", "CREATE SCHEMA", "ALTER TABLE", "DROP ",
    " WHERE ", " VALUES",
];

/// Whether an operand of a comparison is called like a secret.
fn is_secret(operand: &str) -> bool {
    let bare = operand.trim_start_matches(['&', '*', '(']).trim_end_matches([')', '?', '{', ' ', ';', ',']);
    let bare = ["as_bytes(", "as_str(", "as_ref(", "as_slice(", "as_deref("]
        .iter()
        .fold(bare, |bare, call| bare.strip_suffix(call).map_or(bare, |bare| bare.trim_end_matches('.')));
    let last = bare.rsplit(['.', ':', '(', '&', '*', ' ']).next().unwrap_or_default();
    SECRETS.iter().any(|name| last == *name || last.ends_with(&format!("_{name}")))
}

/// Whether code compares a secret byte by byte, which ends at the first wrong one.
fn compares_secret(code: &str) -> bool {
    [" == ", " != "].iter().any(|operator| {
        code.match_indices(operator).any(|(at, _)| {
            let before = code[..at].split_whitespace().next_back().unwrap_or_default();
            let after = code[at + operator.len()..].split_whitespace().next().unwrap_or_default();
            let is_empty = [before, after].iter().any(|operand| matches!(*operand, "\"\"" | "None" | "Some(\"\")"));
            !is_empty && (is_secret(before) || is_secret(after))
        })
    })
}

/// Whether code puts something into SQL that is none of the names that are known.
fn mixes_sql(code: &str) -> bool {
    if !SQL.iter().any(|word| code.contains(word)) {
        return false;
    }
    let rest = NAMES_IN_SQL.iter().fold(code.to_owned(), |rest, name| rest.replace(name, ""));
    let inserted = rest.split('{').skip(1).any(|inside| {
        let name = inside.split(['}', ':']).next().unwrap_or_default();
        inside.contains('}') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    inserted || rest.contains("\" + ")
}

#[test]
fn secrets_are_compared_in_constant_time() {
    let found = shipped_lines(|file, code| ROOMS.iter().any(|room| file.starts_with(room)) && compares_secret(code));
    assert!(found.is_empty(), "compare with subtle::ConstantTimeEq: {found:#?}");
    for bad in [
        "if key.hash == given {",
        "password != said",
        "(a == self.token)",
        "x.admin_key.as_bytes() == given.as_bytes()",
    ] {
        assert!(compares_secret(bad), "{bad}");
    }
    assert!(!compares_secret("if name == wanted {") && !compares_secret("if self.secret == None {"));
}

/// Where a program may be started: a shipper's input that its operator named, with its arguments one by one.
const STARTS_PROGRAMS: &str = "crates/ship/src/input/program.rs";

/// Whether code starts a program.
fn starts(code: &str) -> bool {
    let ways = ["Command::new(\"", "process::Command", "CommandExt", "execve(", "posix_spawn", "libc::system"];
    ways.iter().any(|way| code.contains(way))
}

/// Whether code names a shell, or what would have a program be one.
fn names_shell(code: &str) -> bool {
    ["\"sh\"", "\"bash\"", "\"dash\"", "bin/sh", "bin/bash", "\"-c\""].iter().any(|name| code.contains(name))
}

#[test]
fn only_an_input_of_a_shipper_starts_a_program_and_nothing_starts_a_shell() {
    assert!(
        starts("use std::process::Command;") && starts("Command::new(\"true\")") && !starts("clap::Command::new(a)")
    );
    assert!(names_shell("Command::new(\"sh\")") && names_shell(".arg(\"-c\")"));
    let found = shipped_lines(|file, code| (starts(code) && file != STARTS_PROGRAMS) || names_shell(code));
    assert!(found.is_empty(), "there is no shell and no other program here: {found:#?}");
}

#[test]
fn values_reach_sql_as_parameters_only() {
    assert!(
        mixes_sql("format!(\"SELECT a FROM b WHERE c = '{value}'\")")
            && mixes_sql("\"DELETE FROM a WHERE b = \" + value")
    );
    assert!(!mixes_sql("format!(\"UPDATE {tables}.state SET a = $1\")"));
    let found = shipped_lines(|_, code| mixes_sql(code));
    assert!(found.is_empty(), "pass it as a parameter: {found:#?}");
}
