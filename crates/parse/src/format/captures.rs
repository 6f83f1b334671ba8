//! What the steps of a form read of a line.

/// Most captures of one form.
pub(super) const CAPTURES_MAX: usize = 32;

/// Pieces of a line that were captured, as places in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Captures {
    pieces: [(u32, u32); CAPTURES_MAX],
    pub(super) len: usize,
}

impl Captures {
    /// A piece of the line that was read.
    pub(super) fn get<'t>(&self, index: usize, line: &'t str) -> &'t str {
        let (start, end) = self.pieces[index];
        line.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn pieces(&self) -> &[(u32, u32)] {
        &self.pieces[..self.len]
    }

    pub(super) fn push(&mut self, start: usize, end: usize) {
        if let Some(piece) = self.pieces.get_mut(self.len) {
            *piece = (start as u32, end as u32);
            self.len += 1;
        }
    }
}
