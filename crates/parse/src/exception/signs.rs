//! Reads the lines of reports that decide what other lines mean; [`reader`](super::reader) reads those.

use super::family::Family;
use super::heading::{Heading, Relation};
use super::reader::{Mode, Reader, indent_of};

impl Reader {
    /// Reads a line that says how others are meant.
    pub(super) fn read_sign(&mut self, line: &str, text: &str) -> bool {
        const BEFORE: [&str; 2] = ["Stack (most recent call last):", "xonsh: For full traceback set: "];
        if text.contains("Traceback (most recent call last)") || BEFORE.iter().any(|sign| text.starts_with(sign)) {
            self.begin_reversed(text);
            return true;
        }
        if text.starts_with("During handling of the above exception")
            || text.starts_with("The above exception was the direct")
        {
            self.end_reversed();
            self.relation = Relation::Effect;
            return true;
        }
        if ["Suppressed: ", "[CIRCULAR", "Caused by: [CIRCULAR"].iter().any(|sign| text.starts_with(sign)) {
            self.mode = Mode::Suppressed(indent_of(line));
            return true;
        }
        if let Some(n) = text.strip_prefix("... ").filter(|_| self.mode == Mode::Frames) {
            let number = n.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            if n.ends_with(" more") || n.contains("common frames omitted") {
                self.n_common.push((self.at, number));
            }
            return true;
        }
        if text.starts_with("--- End of inner exception") {
            self.at = self.at.saturating_sub(1);
            return true;
        }
        if text == "[errors]: [" {
            if let Some(before) = self.heading.take() {
                self.push(before);
            }
            if let Some(group) = self.trace.exceptions.get_mut(self.at) {
                group.is_group = true;
            }
            (self.lists_members, self.takes_message) = (true, false);
            return true;
        }
        if text == "Caused by:" {
            (self.lists_causes, self.takes_message) = (true, false);
            return true;
        }
        if text.starts_with("goroutine ") && text.ends_with("]:") {
            if self.family == Some(Family::Go) {
                self.mode = Mode::Done;
            }
            if self.trace.runtime.is_none() {
                self.trace.runtime = Some("go");
            }
            self.takes_message = false;
            return true;
        }
        if let Some(calls) = text.strip_prefix("Calls: ") {
            self.read_calls(calls);
            return true;
        }
        if let Some(file) =
            text.strip_prefix("In ").and_then(|rest| rest.strip_suffix(':')).filter(|file| !file.contains(' '))
        {
            file.clone_into(&mut self.file);
            return true;
        }
        if let Some(what) = text.strip_prefix("what():") {
            if let Some(heading) = self.heading.as_mut().filter(|heading| heading.message.is_empty()) {
                what.trim().clone_into(&mut heading.message);
            }
            return true;
        }
        self.read_word(text)
    }

    /// Takes the lines before as the message if none of them named the exception.
    fn name_unnamed(&mut self, text: &str) {
        const SIGNS: [&str; 5] =
            ["while executing", "while evaluating", "context...:", "CallStack (", "HasCallStack backtrace:"];
        let place = SIGNS.iter().position(|sign| text.starts_with(sign));
        if let Some(place) = place
            && self.heading.is_none()
            && self.trace.exceptions.is_empty()
            && !self.before.is_empty()
        {
            let before = std::mem::take(&mut self.before);
            // Haskell begins with the name of the program.
            let named = before.split_once(": ").filter(|(name, _)| place > 2 && !name.contains(' '));
            self.heading = Heading::report("error", named.map_or(&*before, |(_, message)| message));
        }
        // Haskell writes the stack twice, the second time with functions of its runtime.
        let has_frames = self.trace.exceptions.iter().any(|one| !one.frames.is_empty());
        if text == "HasCallStack backtrace:" && has_frames {
            self.mode = Mode::Done;
        }
    }

    /// Reads a line that says that frames follow, or tells nothing.
    fn read_word(&mut self, text: &str) -> bool {
        self.name_unnamed(text);
        const WORDS: &str = "while executing|while evaluating|context...:|Load address: |Call stack traceback|\
            Error termination|Call history:|--- <exception caught here> ---|stack backtrace:|Stack backtrace:|\
            Stack trace:|[stacktrace]|stack traceback:|Backtrace:|Backtrace for: |note: |--- End of stack|\
            HasCallStack backtrace:|--------|READ of size |WRITE of size ";
        // CHICKEN says an error, and what was called before it.
        if text == "Stack trace:"
            && let Some(heading) = self.heading.as_mut().filter(|heading| heading.line.is_none())
        {
            // The place follows a message of several lines.
            heading.end_with_place();
        }
        if text == "Call history:" {
            self.heading.iter_mut().for_each(|heading| heading.is_report = true);
        }
        // SBCL writes a thread on two lines.
        let is_rest = text.starts_with('{') && text.ends_with("}>:");
        if is_rest {
            return true;
        }
        let is_word = WORDS.split('|').any(|word| text.starts_with(word)) || text.starts_with("CallStack (");
        if is_word {
            (self.takes_message, self.lists_causes) = (false, false);
        }
        is_word
    }
}
