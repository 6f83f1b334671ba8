//! What a clause is about: every text of the event, or a field.

use plan::Expr;

use super::sent_level::{Meaning, is_of_level};
use crate::mapping::{Kind, Mapping};

/// How the texts of a field are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Analysis {
    /// As a whole.
    Keyword,
    /// Word by word, as Elasticsearch does: of a text with several words one is enough, patterns are about one word.
    Words,
    /// Word by word for people: a text is found as it is written, at the borders of words; patterns are about one word
    /// or the whole value.
    Loose,
}

/// What a clause is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Every text or number of the event.
    Any(Analysis),
    /// A field, and how its texts are looked at.
    Field {
        /// Its name with us.
        name: String,
        /// Whole values where it was named as a `.keyword`, or is one of ours that holds no sentences.
        analysis: Analysis,
        /// What a mapping declares it to be.
        kind: Option<Kind>,
        /// Whether texts of dates are texts.
        is_plain: bool,
        /// What stands for the level that is recognised, and not for what was sent alone.
        meaning: Meaning,
    },
    /// Whether the field named by the value is there.
    Presence,
}

impl Target {
    /// Everything, for people.
    pub(crate) fn any() -> Self {
        Self::Any(Analysis::Loose)
    }

    pub(crate) fn presence() -> Self {
        Self::Presence
    }

    /// Returns the field that a sender of Elasticsearch means by `written`.
    pub(crate) fn field(written: &str) -> Self {
        Self::field_in(written, Analysis::Words)
    }

    /// Does the same with texts looked at in a way of the caller's.
    pub(crate) fn field_in(written: &str, of_texts: Analysis) -> Self {
        let (plain, has_suffix) = written.strip_suffix(".keyword").map_or((written, false), |plain| (plain, true));
        let name = match plain {
            "message" => "@message",
            "_index" => "@log",
            "_id" => "@id",
            other => other,
        };
        let is_ours = name.starts_with('@') && name != "@message" && name != "@any";
        let is_level = is_of_level(name);
        let analysis = if has_suffix || is_ours || is_level { Analysis::Keyword } else { of_texts };
        let meaning = match of_texts {
            _ if !is_level || has_suffix => Meaning::Sent,
            Analysis::Loose => Meaning::AllWords,
            _ => Meaning::Names,
        };
        match name {
            "@any" | "*" => Self::Any(of_texts),
            name => Self::Field { name: name.to_owned(), analysis, kind: None, is_plain: false, meaning },
        }
    }

    /// Does the same where a mapping may declare it.
    pub(crate) fn of(mapping: &Mapping, written: &str, of_texts: Analysis) -> Self {
        let resolved = mapping.resolve(written);
        let mut target = Self::field_in(&resolved.name, of_texts);
        if let Self::Field { analysis, kind, is_plain, meaning, .. } = &mut target {
            *is_plain = resolved.is_plain;
            if resolved.kind.is_some() {
                *meaning = Meaning::Sent;
            }
            match &resolved.kind {
                Some(Kind::Text { .. }) => *analysis = Analysis::Words,
                Some(_) => *analysis = Analysis::Keyword,
                None => {}
            }
            *kind = resolved.kind;
        }
        target
    }

    pub(crate) fn expr(&self) -> Box<Expr> {
        Box::new(match self {
            Self::Any(_) | Self::Presence => Expr::Field("@any".into()),
            Self::Field { name, .. } => Expr::Field(name.as_str().into()),
        })
    }

    pub(super) fn analysis(&self) -> Analysis {
        match self {
            Self::Any(analysis) | Self::Field { analysis, .. } => *analysis,
            Self::Presence => Analysis::Keyword,
        }
    }

    pub(crate) fn is_keyword(&self) -> bool {
        matches!(self, Self::Field { analysis: Analysis::Keyword, .. })
    }

    /// Reports whether the words of a text that is after it belong together.
    pub(crate) fn is_loose(&self) -> bool {
        self.analysis() == Analysis::Loose
    }

    /// Reports whether texts of dates are dates here.
    pub(crate) fn takes_dates(&self) -> bool {
        matches!(self, Self::Field { is_plain: false, kind: None | Some(Kind::Date { .. }), .. })
    }

    /// Reports whether its values are times.
    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Self::Field { name, .. } if matches!(name.as_str(), "@timestamp" | "@ingestionTime"))
    }

    /// Reports whether its texts are sentences, of which a pattern is about a part.
    pub(super) fn is_sentence(&self) -> bool {
        match self {
            Self::Field { name, .. } => name == "@message",
            Self::Any(_) | Self::Presence => true,
        }
    }

    /// Returns what the field is declared to be.
    pub(crate) fn kind(&self) -> Option<&Kind> {
        match self {
            Self::Field { kind, .. } => kind.as_ref(),
            Self::Any(_) | Self::Presence => None,
        }
    }
}
