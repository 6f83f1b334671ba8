#!/bin/sh
# promql-parser 0.10.0 (crates.io) writes the tree of a query with another meaning than it was read: `up @ -1.5` asks for samples of
# one and a half seconds before 1970, and its tree is written as `up @ 0.000`, as are those of all negative times. Whoever stores or
# sends what the crate writes asks for another instant, without an error.
#
# Prints what was seen and ends with 0 while that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --name finding
cat >>Cargo.toml <<'TOML'
promql-parser = "=0.10.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for query in std::env::args().skip(1) {
        let written = promql_parser::parser::parse(&query).map(|tree| tree.to_string());
        let again = written.as_ref().is_ok_and(|text| promql_parser::parser::parse(text).is_ok());
        println!("{query} -> {} (read again: {again})", written.unwrap_or_else(|error| format!("error: {error}")));
    }
}
RUST
cargo run --quiet -- 'up @ -1.5' 'up @ 1.5' | tee seen
grep -qxF 'up @ -1.5 -> up @ 0.000 (read again: true)' seen
grep -qxF 'up @ 1.5 -> up @ 1.500 (read again: true)' seen
