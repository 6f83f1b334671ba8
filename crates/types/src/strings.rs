//! Many texts in one allocation.

/// Texts one after the other, with the end of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// No texts, with room for `n_rows` of `n_bytes` in all.
    pub fn with_capacity(n_rows: usize, n_bytes: usize) -> Self {
        Self { text: String::with_capacity(n_bytes), ends: Vec::with_capacity(n_rows) }
    }

    /// Takes texts apart that are in `text`, each ending at its place in `ends`.
    ///
    /// `None` where the ends do not rise, do not fall on character boundaries, or do not use up `text`.
    pub fn of_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let mut last = 0;
        for end in &ends {
            if *end < last || !text.is_char_boundary(*end as usize) {
                return None;
            }
            last = *end;
        }
        (last as usize == text.len()).then_some(Self { text, ends })
    }

    /// All texts, one after the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All texts, one after the other, without their ends.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Where each text ends within [`text`](Self::text), in bytes.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Tells whether `n_bytes` more fit: all texts together stay below 4 GiB.
    pub fn has_room(&self, n_bytes: usize) -> bool {
        self.text.len() + n_bytes < u32::MAX as usize
    }

    /// Adds one text.
    ///
    /// # Panics
    /// Where all texts together would reach 4 GiB; callers bound batches far below it.
    pub fn push(&mut self, text: &str) {
        assert!(self.has_room(text.len()), "texts of one batch stay below 4 GiB");
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    /// Puts `text` after all others without adding it yet; it replaces what was staged before.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub(crate) fn stage(&mut self, text: &str) {
        self.unstage();
        assert!(self.has_room(text.len()), "texts of one batch stay below 4 GiB");
        self.text.push_str(text);
    }

    /// Adds the staged text, or an empty one.
    pub(crate) fn push_staged(&mut self) {
        self.ends.push(self.text.len() as u32);
    }

    /// Forgets the staged text.
    pub(crate) fn unstage(&mut self) {
        self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    /// Bytes of the texts of `rows`, a range within `len`.
    pub(crate) fn n_bytes(&self, rows: std::ops::Range<usize>) -> usize {
        (self.end_before(rows.end) - self.end_before(rows.start)) as usize
    }

    /// Where the texts before `row` end.
    fn end_before(&self, row: usize) -> u32 {
        row.checked_sub(1).map_or(0, |last| self.ends[last])
    }

    /// Adds the texts of `rows` of `other`.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub(crate) fn push_range(&mut self, other: &Self, rows: std::ops::Range<usize>) {
        let from = other.end_before(rows.start);
        let text = &other.text[from as usize..other.end_before(rows.end) as usize];
        assert!(self.has_room(text.len()), "texts of one batch stay below 4 GiB");
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.ends.extend(other.ends[rows].iter().map(|end| start + (end - from)));
    }

    /// The text at `row`, which must be below `len`.
    pub fn get(&self, row: usize) -> &str {
        let from = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[from..self.ends[row] as usize]
    }

    /// The bytes of the text at `row`, which must be below `len`.
    pub(crate) fn bytes(&self, row: usize) -> &[u8] {
        &self.text.as_bytes()[self.end_before(row) as usize..self.ends[row] as usize]
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let text = &self.text[from..*end as usize];
            from = *end as usize;
            text
        })
    }

    /// The texts of `rows`, in that order.
    pub fn gather(&self, rows: impl Iterator<Item = usize>) -> Self {
        let mut gathered = Self::default();
        rows.for_each(|row| gathered.push(self.get(row)));
        gathered
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * 4
    }
}

impl<'a> FromIterator<&'a str> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut strings = Self::default();
        texts.into_iter().for_each(|text| strings.push(text));
        strings
    }
}
