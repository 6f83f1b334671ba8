//! Which names a run may know: the first thing that it is asked, once for each name that a field may have.

use xxhash_rust::xxh3::xxh3_64;

/// Words of the table: with a hundred names, one other name in thirty seems to be there by mistake.
const N_WORDS: usize = 16;

/// A Bloom filter over names of fields, and of the objects that they lie in.
pub(super) struct NameFilter([u64; N_WORDS]);

impl NameFilter {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut words = [0; N_WORDS];
        for name in names {
            let ends = name.match_indices('.').map(|(end, _)| end).chain([name.len()]);
            for (word, bit) in ends.flat_map(|end| bits_of(&name[..end])) {
                words[word] |= bit;
            }
        }
        Self(words)
    }

    /// Reports whether there may be a field of this name, or one below it.
    pub(super) fn may_have(&self, name: &str) -> bool {
        bits_of(name).into_iter().all(|(word, bit)| self.0[word] & bit != 0)
    }
}

/// Returns the words and bits of a name.
fn bits_of(name: &str) -> [(usize, u64); 2] {
    let hash = xxh3_64(name.as_bytes());
    [hash, hash >> 32].map(|half| (half as usize / 64 % N_WORDS, 1 << (half % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_the_objects_above_them_are_known_and_few_others() {
        let names: Vec<String> = (0..50).map(|number| format!("http.request.header_{number}")).collect();
        let filter = NameFilter::new(names.iter().map(String::as_str).chain(["service"]));
        let known = names.iter().map(String::as_str).chain(["service", "http", "http.request"]);
        known.for_each(|name| assert!(filter.may_have(name), "{name}"));
        let n_mistakes = (0..1000).filter(|number| filter.may_have(&format!("trace{number}"))).count();
        assert!(n_mistakes < 50, "{n_mistakes}");
        assert!(!NameFilter::new([].into_iter()).may_have(""));
    }
}
