//! Writes the benchmark corpus to a file, and what is known of it as one line of JSON to standard output.
//!
//! `cargo bench -p catat --bench write_corpus -- N OUT [SEED]`

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

mod corpus;

use corpus::{Corpus, Facts};

fn main() -> std::io::Result<()> {
    // Cargo adds `--bench` to what the caller gave.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (Some(n_events), Some(path)) = (arguments.first().and_then(|text| text.parse().ok()), arguments.get(1)) else {
        // `cargo test --benches` and the like run every bench without arguments; that is no error.
        eprintln!("usage: write_corpus N OUT [SEED]");
        return Ok(());
    };
    let seed = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(42);
    let corpus = Corpus::new(n_events, seed);
    let mut facts = Facts::default();
    let mut file = File::create(path)?;
    let mut chunk = Vec::new();
    for chunk_idx in 0..corpus.n_chunks() {
        chunk.clear();
        corpus.write_chunk(chunk_idx, &mut chunk, &mut facts);
        file.write_all(&chunk)?;
    }
    println!("{}", to_json(&facts));
    Ok(())
}

fn to_json(facts: &Facts) -> String {
    let mut text = format!("{{\"events\":{},\"bytes\":{}", facts.n_events, facts.n_bytes);
    for (name, counts) in [("levels", &facts.by_level), ("kinds", &facts.by_kind), ("needles", &facts.needles)] {
        let pairs: Vec<String> = counts.iter().map(|(key, count)| format!("\"{key}\":{count}")).collect();
        write!(text, ",\"{name}\":{{{}}}", pairs.join(",")).expect("a String takes every write");
    }
    text + "}"
}
