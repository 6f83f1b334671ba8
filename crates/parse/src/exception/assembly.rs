//! Puts exceptions and frames where they belong in what is read: [`reader`](super::reader) has the lines.

use super::family::Family;
use super::frame::FoundFrame;
use super::heading::{Heading, Relation, heading_of};
use super::own;
use super::reader::{EXCEPTIONS_MAX, Mode, Reader};
use super::trace::{Exception, Frame, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, Trace, cut};

impl Reader {
    /// Begins the frames of an exception where the line is the first of them.
    pub(super) fn begin_frames(&mut self, family: Family, text: &str) {
        let is_first_again = self.mode == Mode::Frames && (text.starts_with("#0 ") || text.starts_with("0: "));
        let has_frames = self.trace.exceptions.get(self.at).is_some_and(|one| !one.frames.is_empty());
        if is_first_again && has_frames && self.heading.is_none() {
            // Other stacks tell where memory was allocated, and what other threads do.
            self.mode = Mode::Done;
            return;
        }
        if matches!(self.mode, Mode::Frames | Mode::Reversed) {
            self.family = self.family.or(Some(family));
            return;
        }
        let is_other = has_frames
            && self.relation == Relation::Alone
            && self.heading.as_ref().is_none_or(|heading| heading.relation == Relation::Alone);
        if is_other {
            // A trace behind another one that has nothing to do with it; the first is what failed.
            self.mode = Mode::Done;
            return;
        }
        let heading = self.heading.take().unwrap_or_default();
        self.push(heading);
        (self.mode, self.family, self.takes_message) = (Mode::Frames, Some(family), false);
    }

    pub(super) fn add(&mut self, found: FoundFrame) {
        let FoundFrame { family, mut frame, caller } = found;
        let Some(exception) = self.trace.exceptions.get_mut(self.at) else { return };
        if family == Family::Go && (frame.function == "panic" || frame.function == "runtime.gopanic") {
            // What was above ran because of the panic: functions that were deferred, and that recovered.
            exception.frames.clear();
            return;
        }
        self.is_left_out = own::is_machinery(family, &frame);
        if self.is_left_out {
            return;
        }
        frame.is_own = own::is_own(family, &frame);
        if !caller.is_empty() {
            // `check, called at A.hs:5`: the place is in the function that the next line names.
            if let Some(before) = exception.frames.last_mut() {
                before.function = std::mem::take(&mut frame.function);
            }
            frame.is_own = !own::is_haskell_library(&caller);
            frame.function = caller.rsplit(':').next().unwrap_or_default().to_owned();
        }
        // Guile writes the innermost frame last, below what it is read with.
        let at = if family == Family::Scheme { 0 } else { exception.frames.len() };
        exception.frames.insert(at, frame);
    }

    pub(super) fn add_place(&mut self, file: &str, line: u32) {
        let Some(family) = self.family else { return };
        let last = self.trace.exceptions.get_mut(self.at).and_then(|one| one.frames.last_mut());
        if let Some(frame) = last.filter(|frame| frame.file.is_empty() && !self.is_left_out) {
            (frame.file, frame.line) = (file.to_owned(), Some(line));
            frame.is_own = frame.is_own && own::is_own(family, frame);
        }
    }

    /// Adds an exception where its relation to the others puts it.
    pub(super) fn push(&mut self, heading: Heading) {
        if self.trace.exceptions.len() >= EXCEPTIONS_MAX {
            self.mode = Mode::Done;
            return;
        }
        (self.takes_message, self.shifted) = (true, None);
        let relation = if heading.relation == Relation::Alone { self.relation } else { heading.relation };
        self.relation = Relation::Alone;
        if relation == Relation::Member && heading.relation == Relation::Member {
            self.member = self.member.saturating_add(1);
        }
        if heading.thread.is_some() && self.trace.thread.is_none() {
            self.trace.thread.clone_from(&heading.thread);
        }
        let Heading { kind, message, file, line, function, .. } = heading;
        let message = cut(&message, MESSAGE_BYTES_MAX).to_owned();
        let exception = Exception { kind, message, member: self.member, ..Exception::default() };
        self.at = match relation {
            Relation::Effect => self.at.min(self.trace.exceptions.len()),
            Relation::Cause if !self.trace.exceptions.is_empty() => self.trace.exceptions.len(),
            _ => self.trace.exceptions.len(),
        };
        self.trace.exceptions.insert(self.at, exception);
        self.places.insert(self.at, Frame { function, file, line, is_own: true });
    }

    pub(super) fn begin_reversed(&mut self, text: &str) {
        let has_frames = self.trace.exceptions.get(self.at).is_some_and(|one| !one.frames.is_empty());
        // A member of a group was added by its border.
        let is_added = self.mode == Mode::Reversed && !has_frames && !self.trace.exceptions.is_empty();
        self.end_reversed();
        self.has_borders |= text.contains("Exception Group Traceback");
        if has_frames && self.relation == Relation::Alone {
            self.mode = Mode::Done;
            return;
        }
        let thread =
            text.strip_prefix("Exception in thread ").and(Some(text)).and_then(heading_of).and_then(|it| it.thread);
        let before = self.heading.take();
        if !is_added {
            let thread = thread.or_else(|| before.and_then(|heading| heading.thread));
            self.push(Heading { thread, ..Heading::default() });
        }
        (self.mode, self.family, self.takes_message) = (Mode::Reversed, None, false);
    }

    /// Ends frames whose innermost came last.
    pub(super) fn end_reversed(&mut self) {
        if self.mode == Mode::Reversed {
            if let Some(exception) = self.trace.exceptions.get_mut(self.at) {
                exception.frames.reverse();
            }
            self.mode = Mode::Outside;
        }
    }

    pub(super) fn read_calls(&mut self, calls: &str) {
        let heading = self.heading.take().unwrap_or_default();
        self.push(heading);
        let Some(exception) = self.trace.exceptions.get_mut(self.at) else { return };
        let names = calls.split(" -> ").map(str::trim).filter(|name| !name.is_empty() && *name != "...");
        let mut frames: Vec<Frame> = names
            .map(|name| {
                let is_own =
                    !matches!(name, "stop" | "withCallingHandlers" | "tryCatch" | "abort") && !name.starts_with('<');
                Frame { function: cut(name, NAME_BYTES_MAX).to_owned(), is_own, ..Frame::default() }
            })
            .collect();
        frames.reverse();
        exception.frames = frames;
        self.mode = Mode::Done;
    }

    /// In traces of PHP and Perl the place of a frame is that of its call, and its own place came before.
    pub(super) fn shift(&mut self, found: &mut FoundFrame) {
        if matches!(found.family, Family::Php | Family::Perl) {
            let own = (std::mem::take(&mut found.frame.file), found.frame.line.take());
            let of_place = || self.places.get(self.at).map(|place| (place.file.clone(), place.line));
            (found.frame.file, found.frame.line) = self.shifted.take().or_else(of_place).unwrap_or_default();
            self.shifted = Some(own);
        }
    }

    pub(super) fn add_to_message(&mut self, text: &str) {
        let message = match (&mut self.heading, self.mode) {
            (Some(heading), _) => &mut heading.message,
            (None, Mode::Outside | Mode::Frames) => match self.trace.exceptions.get_mut(self.at) {
                Some(exception)
                    if exception.frames.is_empty() || matches!(self.family, Some(Family::Python | Family::Scheme)) =>
                {
                    &mut exception.message
                }
                _ => return,
            },
            _ => return,
        };
        if message.len() + text.len() < MESSAGE_BYTES_MAX {
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(text);
        }
    }

    pub(super) fn finish(mut self) -> Trace {
        self.end_reversed();
        let is_bare = self.trace.exceptions.is_empty();
        if let Some(heading) =
            self.heading.take().filter(|heading| is_bare && (heading.is_report || self.source.is_some()))
        {
            // The report of a runtime that prints no frames.
            self.push(heading);
        } else if is_bare && self.is_behind_mark {
            self.push(Heading::default());
        }
        self.add_places();
        for (at, n_common) in std::mem::take(&mut self.n_common) {
            let Some(outer) = at.checked_sub(1).and_then(|outer| self.trace.exceptions.get(outer)) else { continue };
            let from = outer.frames.len().saturating_sub(n_common);
            let common = outer.frames[from..].to_vec();
            self.trace.exceptions[at].frames.extend(common);
        }
        self.trace
    }

    /// Gives the exceptions the places that were said of them, where their frames have none of the program's own.
    pub(super) fn add_places(&mut self) {
        if let (Some(source), Some(first)) = (self.source.take(), self.places.first_mut())
            && !has_place(first)
        {
            *first = source;
        }
        for (exception, place) in
            self.trace.exceptions.iter_mut().zip(&self.places).filter(|(_, place)| has_place(place))
        {
            match exception.frames.iter_mut().find(|frame| frame.is_own) {
                Some(own) if own.file.is_empty() && !place.file.is_empty() => {
                    (own.file, own.line) = (place.file.clone(), place.line);
                }
                Some(_) => {}
                None => exception.frames.insert(0, place.clone()),
            }
        }
    }
}

fn has_place(frame: &Frame) -> bool {
    frame.line.is_some() || !frame.function.is_empty()
}
