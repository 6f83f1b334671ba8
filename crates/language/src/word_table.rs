//! Tables of words that are kept as text: names of parameters, keys of queries.

use std::collections::BTreeMap;

/// Words of each row by the row's name.
pub type WordTable = BTreeMap<&'static str, Vec<&'static str>>;

/// Reads rows of the form `name: word word …`. A line without a name continues the row before it; `#` begins a comment.
pub fn word_table(text: &'static str) -> WordTable {
    let (mut rows, mut name) = (WordTable::new(), "");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words = line.split_once(':').map_or(line, |(of_row, words)| {
            name = of_row;
            words
        });
        rows.entry(name).or_default().extend(words.split_whitespace());
    }
    rows
}
