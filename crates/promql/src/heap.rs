//! The heap that picks the greatest, with the ties of Go's: which of equal values stay is decided by its layout.

/// A binary heap whose top is the value that goes first, in the layout of Go's `container/heap`.
pub(crate) struct Heap<'a> {
    items: Vec<(f64, usize)>,
    limit: usize,
    before: &'a dyn Fn(f64, f64) -> bool,
}

impl<'a> Heap<'a> {
    /// Creates a heap of at most `limit` items; `before` says which of two numbers goes first.
    pub(crate) fn new(limit: usize, before: &'a dyn Fn(f64, f64) -> bool) -> Self {
        Self { items: Vec::new(), limit, before }
    }

    /// NaN goes before any number.
    fn less(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.items[a].0, self.items[b].0);
        a.is_nan() || (self.before)(a, b)
    }

    /// Adds an item, or replaces the top if that is to go first.
    pub(crate) fn offer(&mut self, value: f64, item: usize) {
        if self.items.len() < self.limit {
            self.items.push((value, item));
            self.up(self.items.len() - 1);
        } else if let Some(top) = self.items.first().map(|(top, _)| *top)
            && ((self.before)(top, value) || (top.is_nan() && !value.is_nan()))
        {
            self.items[0] = (value, item);
            self.down();
        }
    }

    fn up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.less(at, parent) {
                break;
            }
            self.items.swap(at, parent);
            at = parent;
        }
    }

    fn down(&mut self) {
        let mut at = 0;
        loop {
            let mut child = 2 * at + 1;
            if child >= self.items.len() {
                return;
            }
            if child + 1 < self.items.len() && self.less(child + 1, child) {
                child += 1;
            }
            if !self.less(child, at) {
                return;
            }
            self.items.swap(at, child);
            at = child;
        }
    }

    /// Returns the items, the last to go first.
    pub(crate) fn into_items(mut self) -> Vec<usize> {
        let before = self.before;
        self.items.sort_by(|(a, _), (b, _)| {
            let greater = |a: f64, b: f64| !a.is_nan() && (b.is_nan() || before(b, a));
            greater(*b, *a).cmp(&greater(*a, *b))
        });
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}
