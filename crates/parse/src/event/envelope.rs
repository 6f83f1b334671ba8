//! What stands around a line, or behind it: headers and objects of container runtimes, the object at the end of a line of zap.

use std::borrow::Cow;

use types::{BatchBuilder, Level};

use super::{Event, Kind, trimmed};
use crate::arrival::Extras;
use crate::event::Envelope;
use crate::shape::Shape;
use crate::time::ResolvedTime;
use crate::{EventParser, json};

impl Event<'_, '_> {
    /// Whether something of it is not what was sent, because that was no text.
    pub(super) fn is_lossy(&self) -> bool {
        let of_members = !matches!(self.kind, Kind::Line(_)) && self.parser.members.is_lossy;
        let of_text = |text: &Cow<'_, str>| matches!(text, Cow::Owned(_));
        of_members
            || match &self.around {
                Envelope::Docker(line) => of_text(line) || self.parser.outer.is_lossy,
                _ => of_text(&self.text),
            }
    }

    /// The key whose value is the text.
    pub(super) fn text_key(&self) -> Option<&'static str> {
        const KEY: &str = "log";
        let is_taken = self.kind == Kind::ObjectLine && self.parser.members.has(&self.text, KEY);
        (matches!(self.around, Envelope::Docker(_)) && !is_taken).then_some(KEY)
    }

    /// Gives the event what stands around its line; returns the time that a container runtime or an object says, and the level
    /// of an object.
    pub(super) fn add_around(
        &mut self,
        extras: &Extras<'_>,
        builder: &mut BatchBuilder,
    ) -> (Option<(ResolvedTime, Cow<'static, str>)>, Option<Level>) {
        let EventParser { outer, members, received, wanted, .. } = &mut *self.parser;
        match &self.around {
            Envelope::Nothing => (None, None),
            Envelope::Cri(stream) => {
                if wanted.is_none_or(|wanted| wanted.has_field("stream")) {
                    builder.field_text("stream", stream);
                }
                let found = crate::find_time(&self.text.as_bytes()[..self.from], received);
                (found.map(|found| (found.time, Cow::Owned(self.text[found.start..found.end].to_owned()))), None)
            }
            Envelope::Docker(line) => {
                // A key of the line itself may have the same name.
                let has_own = match self.kind {
                    Kind::ObjectLine => members.has(&self.text, "time"),
                    Kind::Line(shape) => shape == Some(Shape::Logfmt),
                    Kind::Record | Kind::Program(_) => false,
                };
                let is_told = extras.time.is_some();
                let (time, _) =
                    json::emit_around(outer, trimmed(line), (received, is_told, !has_own), *wanted, builder);
                (time, None)
            }
            Envelope::Tail(start) => {
                let tail = self.text[*start..].trim_end();
                let tail = tail.strip_suffix(" []").unwrap_or(tail);
                // The line has a time of its own before it, which is not as fine behind a syslog header.
                let is_told = extras.time.is_some() || self.kind != Kind::Line(Some(Shape::Syslog));
                let (time, level) = json::emit_around(outer, tail, (received, is_told, true), *wanted, builder);
                (time, level.filter(|_| !is_told))
            }
        }
    }
}
