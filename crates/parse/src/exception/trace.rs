//! What a text says of a failure: exceptions, their frames, the runtime.

/// Bytes of a name and of a message that are read.
pub(super) const NAME_BYTES_MAX: usize = 300;
pub(super) const MESSAGE_BYTES_MAX: usize = 4_000;

/// A function through which an exception passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its name as the runtime writes it, without arguments; empty where it has none.
    pub function: String,
    /// The file, as the runtime writes it; empty where it is not known.
    pub file: String,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// Whether it is the program's own, not the runtime's or a library's.
    pub is_own: bool,
}

/// An exception, panic, failed assertion or signal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// Its type; empty where the text names none.
    pub kind: String,
    /// What it says.
    pub message: String,
    /// Where it passed through, the innermost first.
    pub frames: Vec<Frame>,
    /// The number of the member of a group that it belongs to; 0 for those that are in no group.
    pub member: u16,
    /// Whether it is a group of others.
    pub is_group: bool,
}

/// What a text says of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The exceptions, the outermost first.
    pub exceptions: Vec<Exception>,
    /// The name of the thread.
    pub thread: Option<String>,
    /// The name of the runtime, where the text says it.
    pub runtime: Option<&'static str>,
    /// The version of the runtime.
    pub version: Option<String>,
    /// The program and the number of its process, where the kernel names them.
    pub program: Option<(String, u32)>,
}

impl Trace {
    /// Returns the innermost cause of an exception, or of each member of a group.
    pub fn causes(&self) -> Vec<&Exception> {
        let members: Vec<&Exception> = self.exceptions.iter().filter(|one| one.member > 0 && !one.is_group).collect();
        if members.is_empty() {
            return self.exceptions.last().into_iter().collect();
        }
        let is_last = |at: &usize| members.get(at + 1).is_none_or(|next| next.member != members[*at].member);
        (0..members.len()).filter(is_last).map(|at| members[at]).collect()
    }

    /// Reports whether a type is named.
    pub fn has_kind(&self) -> bool {
        self.exceptions.iter().any(|one| !one.kind.is_empty())
    }
}

/// The beginning of a text, at most so many bytes.
pub(super) fn cut(text: &str, n_bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(n_bytes_max)]
}
