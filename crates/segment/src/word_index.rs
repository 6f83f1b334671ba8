//! The word index of a run: a tantivy index whose documents are the run's message templates.
//!
//! What an index over events would repeat for each event, the template number of the event already says; so a
//! word search asks a few thousand templates and then scans template numbers. The index lives in one section:
//! varint count of files, then for each *text* name, varint length and the bytes.
//!
//! A run with fewer than [`TEMPLATES_MIN`] templates has an empty section: its templates are asked one by one.
//!
//! Words that may also occur inside a variable (digits, hex letters alone) are not looked up here; see `template`.

use std::path::Path;

use tantivy::collector::DocSetCollector;
use tantivy::directory::{Directory, RamDirectory};
use tantivy::query::{BooleanQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, TantivyDocument, Term};

use crate::bytes::{Cursor, Damage, Decoded, put_text, put_varint};
use crate::template::TemplateText;
use crate::time_text;

/// Templates from which on a run has a word index. Fewer are asked one after the other in less time than an index
/// takes to open, and an index of few words costs some 2 KB, a tenth of a segment of a few thousand events.
pub(crate) const TEMPLATES_MIN: usize = 4096;

/// Memory that tantivy may use while indexing templates; a run has at most a few ten thousand.
const INDEX_MEMORY_BYTES: usize = 15 << 20;

/// Longest word indexed; tantivy drops terms beyond 64 KiB, and no one searches for a longer word.
const WORD_BYTES_MAX: usize = 255;

/// What an open index takes next to the bytes of its section.
const OPEN_BYTES: usize = 32 << 10;

fn schema() -> (Schema, Field, Field) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let words = builder.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
    let number = builder.add_u64_field("template", NumericOptions::default().set_fast());
    (builder.build(), words, number)
}

/// Reports whether `word` is looked for in templates alone: it cannot occur inside a variable.
pub(crate) fn is_asked(word: &str) -> bool {
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    let has_other = word.bytes().any(|b| !matches!(b, b'a'..=b'f' | b'A'..=b'F'));
    let is_name = time_text::may_be_letters(word.as_bytes(), true);
    !has_digit && has_other && !is_name && word.len() <= WORD_BYTES_MAX && word.is_ascii()
}

/// Indexes the words of `templates` and returns the section.
pub(crate) fn build(templates: &TemplateText) -> tantivy::Result<Vec<u8>> {
    let (schema, words, number) = schema();
    let builder = Index::builder().schema(schema);
    let mut writer = builder.single_segment_index_writer(RamDirectory::create(), INDEX_MEMORY_BYTES)?;
    for (id, template) in templates.iter().enumerate() {
        let mut document = TantivyDocument::default();
        let mut unique: Vec<String> = template.words().filter(|word| is_asked(word)).collect();
        unique.sort();
        unique.dedup();
        let token = |(position, text): (usize, String)| Token { position, text, ..Token::default() };
        let tokens = unique.into_iter().enumerate().map(token).collect();
        document.add_pre_tokenized_text(words, PreTokenizedString { text: String::new(), tokens });
        document.add_u64(number, id as u64 + 1);
        writer.add_document(document)?;
    }
    let index = writer.finalize()?;
    let managed = index.directory().list_managed_files();
    let mut names: Vec<String> = managed.into_iter().map(|path| path.to_string_lossy().into_owned()).collect();
    names.push("meta.json".into());
    names.sort();
    names.dedup();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for name in names {
        let path = Path::new(&name);
        // Lock files are managed but have no content worth keeping.
        if index.directory().exists(path)? && path.extension().is_none_or(|extension| extension != "lock") {
            // Read as a whole, tantivy's own footers included, for opening checks them.
            let bytes = index.directory().atomic_read(path)?;
            files.push((name, bytes));
        }
    }
    let mut out = Vec::new();
    put_varint(&mut out, files.len() as u64);
    for (name, bytes) in files {
        put_text(&mut out, &name);
        put_varint(&mut out, bytes.len() as u64);
        out.extend_from_slice(&bytes);
    }
    Ok(out)
}

/// An opened word index.
pub(crate) struct WordIndex {
    searcher: tantivy::Searcher,
    words: Field,
}

impl WordIndex {
    /// Returns the bytes that the index of a section takes once it is open.
    pub(crate) fn n_bytes(section: &[u8]) -> usize {
        section.len() + OPEN_BYTES
    }

    /// Opens what [`build`] made.
    pub(crate) fn open(section: &[u8]) -> Decoded<Self> {
        let directory = RamDirectory::create();
        let mut cursor = Cursor::new(section);
        for _ in 0..cursor.count(2)? {
            let name = cursor.text()?;
            let length = cursor.count(1)?;
            let bytes = cursor.take(length)?;
            directory.atomic_write(Path::new(name), bytes).map_err(|_| Damage("the word index cannot be held"))?;
        }
        let (_, words, _) = schema();
        let index = Index::open(directory).map_err(|_| Damage("the word index cannot be opened"))?;
        let reader = index.reader_builder().reload_policy(tantivy::ReloadPolicy::Manual).try_into();
        let reader: tantivy::IndexReader = reader.map_err(|_| Damage("the word index cannot be opened"))?;
        Ok(Self { searcher: reader.searcher(), words })
    }

    /// Returns numbers (from 1) of the templates that hold all of `word_index`, which must be such as [`is_asked`] admits.
    ///
    /// Documents were added in the order of the templates and never deleted, so a document's number is its
    /// template's number less one.
    pub(crate) fn templates_with(&self, words: &[String]) -> Decoded<Vec<u32>> {
        let query = |word: &String| -> Box<dyn Query> {
            Box::new(TermQuery::new(Term::from_field_text(self.words, word), IndexRecordOption::Basic))
        };
        let all = BooleanQuery::intersection(words.iter().map(query).collect());
        let found = self.searcher.search(&all, &DocSetCollector);
        let found = found.map_err(|_| Damage("the word index cannot be searched"))?;
        let mut ids: Vec<u32> = found.into_iter().map(|address| address.doc_id + 1).collect();
        ids.sort_unstable();
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
