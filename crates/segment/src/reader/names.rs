//! Which names a run knows: the first thing that it is asked, once for each name that a field may have.
//!
//! A search asks thousands of runs. The names themselves lie apart from each other in memory, so that a table says where to look.

use xxhash_rust::xxh3::xxh3_64;

/// Words of a filter: with a hundred names, one other name in thirty seems to be there by mistake.
const N_WORDS: usize = 16;

/// A place without a column.
const NONE: u16 = u16::MAX;

/// Names of fields, and of the objects that they lie in.
pub(super) struct RunNames {
    /// Over names of fields, and of the objects above them.
    known: NameFilter,
    /// Over what a name may stand for besides a column: objects above fields, and derived fields.
    besides: NameFilter,
    /// Numbers of columns by the hashes of their names, with linear probing; its length is a power of two. Empty where there are too
    /// many.
    places: Box<[u16]>,
}

impl RunNames {
    /// Takes the names of the columns, in order, and of derived fields.
    pub(super) fn new<'n>(columns: &[&'n str], derived: impl Iterator<Item = &'n str>) -> Self {
        let (mut known, mut besides) = (NameFilter::default(), NameFilter::default());
        let mut places = Vec::new();
        if columns.len() < usize::from(NONE) {
            places.resize((columns.len() * 2).next_power_of_two(), NONE);
        }
        let add_objects = |name: &str, filters: [&mut NameFilter; 2]| {
            for filter in filters {
                name.match_indices('.').for_each(|(end, _)| filter.insert(hash_of(&name[..end])));
            }
        };
        for (number, name) in columns.iter().enumerate() {
            let hash = hash_of(name);
            known.insert(hash);
            add_objects(name, [&mut known, &mut besides]);
            if !places.is_empty() {
                let free = probes(hash, places.len()).find(|place| places[*place] == NONE);
                free.into_iter().for_each(|place| places[place] = number as u16);
            }
        }
        for name in derived {
            known.insert(hash_of(name));
            besides.insert(hash_of(name));
            add_objects(name, [&mut known, &mut besides]);
        }
        Self { known, besides, places: places.into() }
    }

    /// Reports whether there may be a field of this name, or one below it.
    pub(super) fn may_have(&self, name: &str) -> bool {
        self.known.may_have(hash_of(name))
    }

    /// Reports whether there may be a derived field of this name, or any field below it.
    pub(super) fn may_have_besides(&self, name: &str) -> bool {
        self.besides.may_have(hash_of(name))
    }

    /// Returns the number of the column of this name, where `name_of` returns those of all.
    pub(super) fn column<'n>(&self, name: &str, n_columns: usize, name_of: impl Fn(usize) -> &'n str) -> Option<usize> {
        if self.places.is_empty() {
            return (0..n_columns).find(|number| name_of(*number) == name);
        }
        let hash = hash_of(name);
        let numbers = probes(hash, self.places.len()).map(|place| self.places[place]);
        let mut numbers = numbers.take_while(|number| *number != NONE).map(usize::from);
        if self.known.may_have(hash) { numbers.find(|number| name_of(*number) == name) } else { None }
    }
}

/// A Bloom filter.
#[derive(Default)]
struct NameFilter([u64; N_WORDS]);

impl NameFilter {
    fn insert(&mut self, hash: u64) {
        bits_of(hash).into_iter().for_each(|(word, bit)| self.0[word] |= bit);
    }

    fn may_have(&self, hash: u64) -> bool {
        bits_of(hash).into_iter().all(|(word, bit)| self.0[word] & bit != 0)
    }
}

fn hash_of(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// Returns the words and bits of a hash.
fn bits_of(hash: u64) -> [(usize, u64); 2] {
    [hash, hash >> 32].map(|half| (half as usize / 64 % N_WORDS, 1 << (half % 64)))
}

/// Returns the places of a table of `n_places`, a power of two, from that of a hash on.
fn probes(hash: u64, n_places: usize) -> impl Iterator<Item = usize> {
    (0..n_places).map(move |step| ((hash >> 16) as usize).wrapping_add(step) & (n_places - 1))
}

#[cfg(test)]
mod tests;
