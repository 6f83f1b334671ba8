//! The languages that people read: English and Indonesian.

/// A language of labels, messages, reports and pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English.
    #[default]
    English,
    /// Indonesian.
    Indonesian,
}

impl Locale {
    /// Returns the language that a header `Accept-Language` prefers.
    pub fn of_header(header: &str) -> Self {
        let weighted = header.split(',').filter_map(|part| {
            let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let weight: f64 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
            Some((Self::of_tag(tag.trim())?, weight)).filter(|(_, weight)| *weight > 0.0)
        });
        // The first of equal ones is preferred.
        weighted
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .map(|(locale, _)| locale)
            .unwrap_or_default()
    }

    /// Returns the language of a tag such as `id` or `en-GB`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "id" | "in" => Some(Self::Indonesian),
            _ => None,
        }
    }

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

#[cfg(test)]
mod tests;
