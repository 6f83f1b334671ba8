//! Lines that a relay of messages wrote: syslog messages with a priority, the kernel's, and entries of systemd's journal in JSON. Such a
//! line holds one line of a program and names the program, so that what belongs together can be put together.
//!
//! ```text
//! RFC 3164  <11>Nov 20 06:47:13 web-1 shop[7]: text               any time, or none; the host may be missing
//! RFC 5424  <11>1 2026-11-20T06:47:13Z web-1 shop 7 ID [x a="b"] text
//! journal   {"_PID":"7","__REALTIME_TIMESTAMP":"…","MESSAGE":"text","_SYSTEMD_UNIT":"shop.service",…}
//! ```

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::{self, Finder};

use crate::colour;
use crate::shape::data_end;
use crate::time::TimeMemo;

/// Bytes of a syslog message in which the names before its text are looked for.
const HEADER_BYTES_MAX: usize = 512;

/// Fields of the journal that tell sources apart. Programs write what is more and what is less important as they write
/// to two streams, so the priority is one of them. The last shows that a line is an entry.
const FIELDS: [&str; 4] = ["_SYSTEMD_UNIT", "_PID", "PRIORITY", "__REALTIME_TIMESTAMP"];

/// Names of the text of an entry: the journal's, and that which a shipper gives it.
const TEXTS: [&str; 2] = ["MESSAGE", "message"];

/// The kernel's tag in a header, and bytes in which its own header ends.
const KERNEL: &[u8] = b"kernel:";
const KERNEL_BYTES_MAX: usize = 48;

/// How syslog daemons write a tab and a line end of a message.
const TAB: &[u8] = b"#011";
const LINE_END: &[u8] = b"#012";

/// The bit of a source that is one process. Of others a line without a head continues none with one: many may share the name.
pub const OF_PROCESS: u64 = 1 << 62;

/// Returns the score of a source, given that of its lane: how likely it is that its lines have heads, which tell where an event
/// begins. Sources that many processes may share never score above 0.
pub(crate) fn score_of(source: u64, score: i8) -> i8 {
    let is_many = source >> 63 == 1 && source & OF_PROCESS == 0;
    if is_many { score.min(0) } else { score }
}

/// A line of a program within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A number for host, program, process and priority, with [`OF_PROCESS`].
    pub source: u64,
    /// Where the line is.
    pub content: Range<usize>,
}

/// Reads a syslog message that begins with a priority and names its program.
pub fn syslog(line: &[u8]) -> Option<Message> {
    let head = &line[..line.len().min(HEADER_BYTES_MAX)];
    let end = memchr(b'>', &head[..head.len().min(5)]).filter(|end| *end > 1)? + 1;
    if !head[1..end - 1].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let is_new = head[end..].starts_with(b"1 ");
    let (names, content) = if is_new { names_5424(line, end + 2)? } else { names_3164(head, end)? };
    if is_whole(&line[content..]) {
        return None;
    }
    let names = &line[names];
    let (priority, names_process) = match is_new {
        true => (&line[..end], names.trim_ascii_end().last() != Some(&b'-')),
        // The kernel is one, and gives each line of a report a priority of its own.
        false if names.ends_with(KERNEL) => (&line[..0], true),
        false => (&line[..end], names.contains(&b'[')),
    };
    let source = source_of([priority, names].into_iter()) | if names_process { OF_PROCESS } else { 0 };
    Some(Message { source, content: content..line.len() })
}

/// Reads a line as the kernel has it in its buffer: `[12345.678901] text`, or with its priority `4,1234,12345678901,-;text`.
pub(crate) fn of_kernel(line: &[u8]) -> Option<Message> {
    let content = match line {
        [b'[', ..] => Some(kernel_time(line)).filter(|length| *length > 0)?,
        [b'0'..=b'9', b',', ..] | [b'0'..=b'9', _, b',', ..] | [b'0'..=b'9', _, _, b',', ..] => {
            let end = memchr(b';', &line[..line.len().min(KERNEL_BYTES_MAX)])?;
            let mut fields = line[..end].split(|byte| *byte == b',');
            let is_number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
            (fields.by_ref().take(3).all(is_number) && fields.count() > 0).then_some(end + 1)?
        }
        _ => return None,
    };
    let source = source_of([KERNEL].into_iter()) | OF_PROCESS;
    Some(Message { source, content: content..line.len() })
}

/// How long the time of the kernel's clock is at the head of a text: `[12345.678901] `, `[    1.234567][   T77] `.
pub(crate) fn kernel_time(text: &[u8]) -> usize {
    let [b'[', b' ' | b'0'..=b'9', ..] = text else { return 0 };
    let end = memchr(b']', &text[..text.len().min(KERNEL_BYTES_MAX)]);
    let Some(end) = end.filter(|end| *end > 8 && text[end - 7] == b'.') else { return 0 };
    let is_time = text[1..end].trim_ascii_start().iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let is_end = |rest: &[u8], at: usize| rest.get(at + 1) == Some(&b' ');
    match &text[end + 1..] {
        [b' ', ..] if is_time => end + 2,
        // The task or processor follows in brackets of its own: `[   T77] `.
        [b'[', rest @ ..] if is_time => memchr(b']', rest).filter(|at| is_end(rest, *at)).map_or(0, |at| end + at + 4),
        _ => 0,
    }
}

/// Returns where the text begins behind a date as `dmesg -T` writes it: `[Fri Nov 20 06:47:13 2026] text`. In Apache's log
/// a level follows in brackets.
pub(crate) fn behind_date(line: &[u8]) -> Option<usize> {
    let is_dated = matches!(
        line,
        [b'[', b'A'..=b'Z', _, _, b' ', b'A'..=b'Z', _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', ..]
    );
    let is_of_other = || matches!(line.get(27..29), Some([b'[', next]) if next.is_ascii_alphabetic());
    (is_dated && matches!(line.get(21..27), Some([b'0'..=b'9', _, _, _, b']', b' '])) && !is_of_other()).then_some(27)
}

/// Reads a line of a file that a syslog daemon wrote without a priority: where the names of host, program and process are, and
/// where the text begins; or one of `dmesg -T`, which names none.
pub(crate) fn plain(line: &[u8]) -> Option<(Range<usize>, usize)> {
    if let Some(content) = behind_date(line) {
        return Some((0..1, content));
    }
    let is_iso = plain_time(line)?;
    let (names, content) = names_3164(&line[..line.len().min(HEADER_BYTES_MAX)], 0)?;
    let words = &line[names.clone()];
    // Programs write such times too, and a level behind them.
    let is_own = || {
        (words.ends_with(b"]:") || words.ends_with(KERNEL))
            && !words.split(|byte| *byte == b' ').next().is_some_and(is_level)
    };
    ((!is_iso || is_own()) && !is_whole(&line[content..])).then_some((names, content))
}

/// Whether a line begins with a time of RFC 3339, or with one of a syslog daemon's own.
fn plain_time(line: &[u8]) -> Option<bool> {
    match line {
        [b'A'..=b'Z', _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', ..] => Some(false),
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => Some(true),
        _ => None,
    }
}

fn is_level(word: &[u8]) -> bool {
    types::Level::parse_bytes(word).is_some()
}

/// What a program wrote in a line, with its tabs.
pub(crate) fn text(content: &[u8]) -> Cow<'_, [u8]> {
    let content = colour::without_leading(content.trim_ascii_end());
    if memchr(b'#', content).is_none() {
        return Cow::Borrowed(content);
    }
    let mut out = Vec::with_capacity(content.len());
    let mut from = 0;
    for at in memmem::find_iter(content, TAB) {
        out.extend_from_slice(&content[from..at]);
        out.push(b'\t');
        from = at + TAB.len();
    }
    out.extend_from_slice(&content[from..]);
    Cow::Owned(out)
}

/// Whether a text has line ends that a daemon has escaped, so that it is whole.
fn is_whole(content: &[u8]) -> bool {
    memchr(b'#', content).is_some_and(|at| memmem::find(&content[at..], LINE_END).is_some())
}

/// Returns a message of several lines with its line ends and tabs, as which a syslog daemon wrote `#012` and `#011`. In other texts
/// these may be anything.
pub(crate) fn with_line_ends<'t>(text: Cow<'t, str>, times: &TimeMemo) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let may_be = bytes.first() == Some(&b'<') || plain_time(bytes).is_some();
    let is_escaped = may_be
        && times.may_have(&text, b'#')
        && memchr(b'#', bytes).is_some_and(|at| {
            let mut ends = memmem::find_iter(&bytes[at..], LINE_END).map(|end| &bytes[at + end + LINE_END.len()..]);
            ends.any(|next| next.starts_with(TAB) || next.starts_with(b"  "))
        });
    if is_escaped {
        times.forget();
        Cow::Owned(text.trim_end_matches("#012").replace("#012", "\n").replace("#011", "\t"))
    } else {
        text
    }
}

/// Returns where the names of a source are in a message whose time begins at `from`, and where its text begins.
fn names_5424(line: &[u8], from: usize) -> Option<(Range<usize>, usize)> {
    let behind_word = |from: usize| Some(from + memchr(b' ', line.get(from..)?)? + 1);
    let host = behind_word(from)?;
    let program = behind_word(host)?;
    let id = behind_word(behind_word(program)?)?;
    let data = behind_word(id)?;
    let end = match line.get(data)? {
        b'-' => data + 1,
        _ => data + data_end(&line[data..]),
    };
    let is_whole = end > data && matches!(line.get(end), None | Some(b' '));
    let text = &line[(end + 1).min(line.len())..];
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    (is_whole && !line[program..].starts_with(b"- ")).then_some((host..id, line.len() - text.len()))
}

/// The same for `TIME HOST TAG[PID]: text`.
fn names_3164(line: &[u8], from: usize) -> Option<(Range<usize>, usize)> {
    let time = line.get(from..)?;
    let is_traditional = matches!(time, [b'A'..=b'Z', _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', ..]);
    let n_time = match time.first()? {
        _ if is_traditional => 16,
        b'0'..=b'9' if time.get(4) == Some(&b'-') => memchr(b' ', time)? + 1,
        _ => 0,
    };
    let names = from + n_time;
    let mut at = names;
    for _ in 0..2 {
        let rest = &line[at..];
        let word = &rest[..memchr(b' ', rest).unwrap_or(rest.len())];
        // Without a time and a process any word may stand before a colon.
        if is_tag(word) && (n_time > 0 || memchr(b']', word).is_some()) {
            let content = (at + word.len() + 1).min(line.len());
            let n_time = if word == KERNEL { kernel_time(&line[content..]) } else { 0 };
            return Some((names..at + word.len(), content + n_time));
        }
        at = (at + word.len() + 1).min(line.len());
    }
    None
}

/// Reports whether a word names a program and ends the header: `shop:`, `shop[7]:`, `shop[7]`.
fn is_tag(word: &[u8]) -> bool {
    let name = word.strip_suffix(b":").unwrap_or(word);
    let of_process = name.strip_suffix(b"]").and_then(|name| Some(&name[..memchr(b'[', name)?]));
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'@');
    let has_end = of_process.is_some() || name.len() < word.len();
    let name = of_process.unwrap_or(name);
    has_end && name.iter().all(is_of_name) && name.iter().any(u8::is_ascii_alphabetic)
}

/// Reports whether an object may be an entry of the journal by how its first name begins. Shippers rename two fields of
/// the journal to `unit` and `message`.
pub(crate) fn may_be_entry(line: &[u8]) -> bool {
    matches!(line, [b'{', b'"', b'_' | b'A'..=b'Z', ..] | [b'{', b' ', b'"', ..])
        || line.starts_with(b"{\"unit\":")
        || line.starts_with(b"{\"message\":")
}

/// Reads an entry of the journal whose text is one, and which names a unit, a process or at least a program.
pub(crate) fn entry(line: &[u8]) -> Option<Message> {
    // Made once: to prepare a search costs as much as the search.
    static FINDERS: LazyLock<([Finder<'static>; 4], [Finder<'static>; 2])> =
        LazyLock::new(|| (FIELDS.map(Finder::new), TEXTS.map(Finder::new)));
    let (fields, texts) = &*FINDERS;
    if !may_be_entry(line) || value_by(line, &fields[3]).is_none() {
        return None;
    }
    // A shipper puts it first.
    let first = line.strip_prefix(b"{\"message\":");
    let text = first.or_else(|| texts.iter().find_map(|finder| value_by(line, finder)))?;
    let content = line.len() - text.len() + 1;
    let end = content + string(text)?.len();
    let value = |place: usize| value_by(line, &fields[place]).and_then(string).unwrap_or_default();
    let mut fields = [value(0), value(1), value(2)];
    let is_process = !fields[0].is_empty() || !fields[1].is_empty();
    if !is_process {
        fields[0] = journal_value(line, "SYSLOG_IDENTIFIER").and_then(string)?;
    }
    let is_of_kernel = !is_process && fields[0] == b"kernel";
    if is_of_kernel {
        fields[2] = b"";
    }
    let of_process = if is_process || is_of_kernel { OF_PROCESS } else { 0 };
    Some(Message { source: source_of(fields.into_iter()) | of_process, content: content..end })
}

/// Returns the text that a value of JSON begins with, with its escapes.
fn string(value: &[u8]) -> Option<&[u8]> {
    let text = value.strip_prefix(b"\"")?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', &text[from..])?;
        if text[at] == b'"' {
            return Some(&text[..at]);
        }
        from = (at + 2).min(text.len());
    }
}

/// Returns a line of the journal in JSON from the value of a field on. Within a text its name cannot stand so, since quotes
/// are escaped there; older versions have blanks around the colon.
pub fn journal_value<'l>(line: &'l [u8], name: &str) -> Option<&'l [u8]> {
    value_by(line, &Finder::new(name))
}

fn value_by<'l>(line: &'l [u8], name: &Finder<'_>) -> Option<&'l [u8]> {
    let mut rest = line;
    loop {
        let at = name.find(rest)?;
        let end = at + name.needle().len();
        let is_quoted = at > 0 && rest[at - 1] == b'"' && rest.get(end) == Some(&b'"');
        rest = rest.get(end + usize::from(is_quoted)..)?;
        if is_quoted && let Some(value) = rest.trim_ascii_start().strip_prefix(b":") {
            return Some(value.trim_ascii_start());
        }
    }
}

/// Returns a number for a source. Sources of different names practically never share one.
pub fn source_of<'n>(names: impl Iterator<Item = &'n [u8]>) -> u64 {
    let mut hasher = foldhash::quality::FixedState::default().build_hasher();
    names.for_each(|name| {
        hasher.write(name);
        hasher.write_usize(name.len());
    });
    // The first numbers are those of a container's streams.
    hasher.finish() & !OF_PROCESS | 1 << 63
}

#[cfg(test)]
mod tests;
