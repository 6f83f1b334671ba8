//! The languages that pages and ready-made dashboards are written in.

/// A language of labels and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English.
    #[default]
    English,
    /// Indonesian.
    Indonesian,
}

impl Locale {
    /// Returns its tag.
    pub fn tag(self) -> &'static str {
        self.text("en", "id")
    }

    /// Returns the text of this language.
    pub fn text<'a>(self, english: &'a str, indonesian: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Indonesian => indonesian,
        }
    }
}
