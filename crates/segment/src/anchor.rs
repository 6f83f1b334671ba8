//! Where a literal must lie in a text.

/// Where a literal must lie in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Anchor {
    /// Anywhere.
    Anywhere,
    /// At its end.
    End,
    /// At its start.
    Start,
    /// At both: the text is the literal.
    Both,
}

impl Anchor {
    /// Every anchor.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Anywhere, Self::End, Self::Start, Self::Both];

    /// Reports whether the text must begin with the literal.
    pub(crate) fn is_at_start(self) -> bool {
        matches!(self, Self::Start | Self::Both)
    }

    /// Reports whether the text must end with the literal.
    pub(crate) fn is_at_end(self) -> bool {
        matches!(self, Self::End | Self::Both)
    }

    /// Returns the anchor of a part of a literal that has this one: inner ends are fixed.
    pub(crate) fn of_part(self, is_first: bool, is_last: bool) -> Self {
        match (!is_first || self.is_at_start(), !is_last || self.is_at_end()) {
            (true, true) => Self::Both,
            (true, false) => Self::Start,
            (false, true) => Self::End,
            (false, false) => Self::Anywhere,
        }
    }
}
