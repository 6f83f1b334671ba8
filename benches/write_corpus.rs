//! Writes the benchmark corpus to a file, and what is known of it as one line of JSON to standard output.
//!
//! `cargo bench -p catat --bench write_corpus -- N OUT [SEED [drawn|documents]]`: the company is the same for every seed, or
//! drawn from it; or JSON documents without a message.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

mod corpus;

use corpus::{Corpus, Documents, Facts, Question};

fn main() -> std::io::Result<()> {
    // Cargo adds `--bench` to what the caller gave.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (Some(n_events), Some(path)) = (arguments.first().and_then(|text| text.parse().ok()), arguments.get(1)) else {
        // `cargo test --benches` and the like run every bench without arguments; that is no error.
        eprintln!("usage: write_corpus N OUT [SEED [drawn|documents]]");
        return Ok(());
    };
    let seed = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(42);
    if arguments.get(3).is_some_and(|kind| kind == "documents") {
        return write_documents(&Documents::new(n_events, seed), path);
    }
    let is_drawn = arguments.get(3).is_some_and(|kind| kind == "drawn");
    let corpus = if is_drawn { Corpus::drawn(n_events, seed) } else { Corpus::new(n_events, seed) };
    let mut facts = Facts::default();
    let mut file = File::create(path)?;
    let mut chunk = Vec::new();
    for chunk_idx in 0..corpus.n_chunks() {
        chunk.clear();
        corpus.write_chunk(chunk_idx, &mut chunk, &mut facts);
        file.write_all(&chunk)?;
    }
    println!("{}", to_json(&facts, &corpus.question()));
    Ok(())
}

fn write_documents(documents: &Documents, path: &str) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let mut chunk = Vec::new();
    for chunk_idx in 0..documents.n_chunks() {
        chunk.clear();
        documents.write_chunk(chunk_idx, &mut chunk);
        file.write_all(&chunk)?;
    }
    Ok(())
}

fn to_json(facts: &Facts, question: &Question) -> String {
    let mut text = format!("{{\"events\":{},\"bytes\":{}", facts.n_events, facts.n_bytes);
    for (name, counts) in [("levels", &facts.by_level), ("kinds", &facts.by_kind), ("needles", &facts.needles)] {
        let pairs: Vec<String> = counts.iter().map(|(key, count)| format!("\"{key}\":{count}")).collect();
        write!(text, ",\"{name}\":{{{}}}", pairs.join(",")).expect("a String takes every write");
    }
    let names: Vec<String> = question.names.iter().map(|(usual, name)| format!("\"{usual}\":\"{name}\"")).collect();
    let tokens: Vec<&str> = question.needles.iter().map(|&(token, _)| token).collect();
    write!(text, ",\"names\":{{{}}},\"tokens\":{tokens:?},\"extras\":{:?}", names.join(","), question.extras)
        .expect("a String takes every write");
    let texts = [("service", question.service), ("common", question.common), ("piece", question.piece)];
    for (name, value) in texts.into_iter().chain([("phrase", question.phrase), ("word", question.word)]) {
        write!(text, ",\"{name}\":{value:?}").expect("a String takes every write");
    }
    text + &format!(",\"around\":{:?}}}", question.around)
}
