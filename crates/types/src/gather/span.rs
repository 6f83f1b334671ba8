//! Neighbouring rows.

/// Rows of one batch that follow each other there and in the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) batch: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Span {
    pub(super) fn len(self) -> usize {
        self.to - self.from
    }
}
