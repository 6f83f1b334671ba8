//! Syslog lines, of RFC 5424 and RFC 3164 with its dialects, with or without priority, as devices send and files have them.
//!
//! Dialects: no host (programs on the same machine); no time (Python's handler); words for facility and severity before the host
//! or the program (F5, syslogd of BusyBox, ESX); a host in brackets; RFC 5424 with fewer parts; Cisco's sequence numbers, nodes and
//! `%FACILITY-SEVERITY-MNEMONIC`. A hostname is one only where something follows that is no word of a text.

mod cisco;
mod structured;

use std::net::Ipv6Addr;

use types::Level;

pub(crate) use self::structured::data_end;
use self::structured::element;
use super::cursor::is_digits;
use super::parts::PartSink;
use crate::find::split_blank;
use crate::signs::{DIGIT, LOWER, Signs, UPPER, sign, signs};
use crate::time::TimeMemo;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The first two letters of severities, as ESX writes them before the priority in brackets.
const SHORT_SEVERITIES: [&str; 8] = ["Em", "Al", "Cr", "Er", "Wa", "No", "In", "Db"];

/// Structured data that is read; what comes behind is left.
const STRUCTURED_MAX: usize = 64;

/// Longest name of a host or program.
const NAME_BYTES_MAX: usize = 128;

/// Longest word for facility and severity.
const SEVERITY_BYTES_MAX: usize = 16;

/// Words between a time and a program.
const WORDS_MAX: usize = 4;

/// Whether a byte may be of a program's name.
const IS_OF_PROGRAM: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'_' | b'.' | b'-' | b'/' | b'@' | b'+' | b'#' | b'(' | b')' | b'~' | b'$');
        byte += 1;
    }
    table
};

/// Whether the name of a facility or severity holds `literal`: it stands in no line, only its number does.
pub(super) fn is_computed(literal: &str) -> bool {
    let literal = literal.to_ascii_lowercase();
    FACILITIES.iter().chain(&SEVERITIES).any(|name| name.contains(&*literal))
}

/// What stands before the message of a syslog line; what is not there is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyslogHeader<'t> {
    facility: Option<u8>,
    severity: Option<u8>,
    /// The severity that a mnemonic says, which the device's sender may have raised or lowered for all.
    severity_of_mnemonic: Option<u8>,
    /// The time as it is written.
    pub time: &'t str,
    /// The host.
    pub hostname: &'t str,
    /// The program.
    pub appname: &'t str,
    /// Its process.
    pub procid: &'t str,
    /// The kind of message; Cisco's mnemonic.
    pub msgid: &'t str,
    structured_data: &'t str,
    /// What follows.
    pub message: &'t str,
}

/// Reads the message of the program that is named.
type Message<'t, 'p> = fn(&str, &'t str, &mut PartSink<'t, 'p>);

/// A syslog message of either form, without what its message says.
pub(super) fn read<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let header = SyslogHeader::of_frame(line);
    if header.facility.is_none() && header.time.is_empty() {
        return None;
    }
    header.fill(found, |_, _| ());
    Some(())
}

/// A line that is surely of syslog, and what the text behind its header says.
pub(super) fn recognise<'t, 'p>(line: &'t str, found: &mut PartSink<'t, 'p>, read: Message<'t, 'p>) -> Option<()> {
    SyslogHeader::of_line(line, found.times)?.fill_all(found, read);
    Some(())
}

impl<'t> SyslogHeader<'t> {
    /// Reads the header of a message that came as syslog. One that has none is all message.
    pub fn of_frame(frame: &'t str) -> Self {
        let mut header = Self::default();
        let rest = header.read_priority(frame.trim_start_matches('\u{feff}'));
        let as_new = rest.strip_prefix("1 ").filter(|_| header.facility.is_some());
        if as_new.and_then(|rest| header.read_5424(rest)).is_none() {
            header.read_3164(rest.trim_start_matches(' '), Host::Likely);
        }
        header
    }

    /// Reads the header of a line of a file, where it is surely one: it has a priority, or a program behind a time, and behind
    /// a time that programs write too, its process.
    pub(super) fn of_line(line: &'t str, times: &TimeMemo) -> Option<Self> {
        let frame = line.trim_start_matches('\u{feff}');
        if frame.starts_with('<') {
            return Some(Self::of_frame(frame)).filter(|header| header.facility.is_some());
        }
        let mut header = Self::default();
        let is_iso = frame.starts_with(|c: char| c.is_ascii_digit());
        let timed = if is_iso { iso_time(frame, times)? } else { traditional_time(frame, times)? };
        if times.lacks(frame, b'%') || header.read_cisco(frame).is_none() {
            header.read_behind_time(timed, Host::Sure);
        }
        let has_process =
            is_digits(header.procid) && (!is_iso || !header.hostname.is_empty() || header.severity.is_some());
        let has_offset = header.time.bytes().rev().take(6).any(|byte| matches!(byte, b'+' | b'-'));
        let is_program = !header.hostname.is_empty()
            && (!is_iso || has_offset && header.appname.starts_with(|c: char| c.is_ascii_lowercase()));
        let is_mnemonic = !header.msgid.is_empty();
        let is_envelope = !is_iso && !header.hostname.is_empty() && has_form(header.message);
        let is_sure = !header.appname.is_empty() && (has_process || is_program) || is_mnemonic || is_envelope;
        (!header.time.is_empty() && is_sure).then_some(header)
    }

    /// Gives the parts of the header; returns the message.
    pub(super) fn fill_around(&self, found: &mut PartSink<'t, '_>) -> &'t str {
        self.fill(found, |_, _| ());
        self.message
    }

    /// Gives the parts of the header, and what the message says.
    pub(super) fn fill_all<'p>(&self, found: &mut PartSink<'t, 'p>, read: Message<'t, 'p>) {
        self.fill(found, |text, found| read(self.appname, text, found));
    }

    /// The program, where its name can be one of a group; empty where it cannot.
    pub fn program(&self) -> &'t str {
        if is_program(self.appname) && self.appname.len() <= NAME_BYTES_MAX { self.appname } else { "" }
    }

    fn fill<'p>(&self, found: &mut PartSink<'t, 'p>, read: impl FnOnce(&'t str, &mut PartSink<'t, 'p>)) {
        if let (Some(facility), Some(severity)) = (self.facility, self.severity) {
            found.known("facility", FACILITIES[usize::from(facility) % FACILITIES.len()]);
            found.known("severity", SEVERITIES[usize::from(severity) % SEVERITIES.len()]);
        }
        found.again("timestamp", self.time);
        found.text("hostname", self.hostname);
        found.text("appname", self.appname);
        found.text("procid", self.procid);
        found.text("msgid", self.msgid);
        let mut rest = self.structured_data;
        for _ in 0..STRUCTURED_MAX {
            if element(&mut rest, found).is_none() {
                break;
            }
        }
        found.again("message", self.message);
        found.time(self.time);
        found.header(self.message, self.severity_of_mnemonic.or(self.severity).and_then(Level::of_syslog), read);
    }

    /// Reads `<34>`; returns the rest.
    fn read_priority(&mut self, frame: &'t str) -> &'t str {
        let inside = frame.strip_prefix('<').and_then(|inside| inside.get(..inside.len().min(4))?.split_once('>'));
        match inside.map(|(digits, _)| (digits, digits.parse::<u8>())) {
            Some((digits, Ok(priority @ 0..=191))) if is_digits(digits) => {
                (self.facility, self.severity) = (Some(priority / 8), Some(priority % 8));
                &frame[digits.len() + 2..]
            }
            _ => frame,
        }
    }

    /// Reads `TIME HOST APP PROCID MSGID DATA MESSAGE`. Where fewer parts follow the host, they are read as of the old form.
    fn read_5424(&mut self, rest: &'t str) -> Option<()> {
        let text = rest;
        let (mut time, mut rest) = split_blank(text).unwrap_or((text, ""));
        // A blank may stand where `T` should.
        if time.len() == 10
            && let Some(end) =
                crate::time::time_end(text.as_bytes()).filter(|end| text.as_bytes().get(*end) == Some(&b' '))
        {
            (time, rest) = (&text[..end], &text[end + 1..]);
        }
        if !time.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return None;
        }
        self.time = if time == "-" { "" } else { time };
        let (host, behind_host) = split_blank(rest).unwrap_or((rest, ""));
        self.hostname = if host == "-" { "" } else { host };
        let mut parts = [""; 3];
        let mut behind = behind_host;
        for part in &mut parts {
            let (word, after) = split_blank(behind).unwrap_or((behind, ""));
            (*part, behind) = (if word == "-" { "" } else { word }, after);
        }
        let is_whole = !behind_host.contains(' ') || behind.is_empty() || behind.starts_with(['-', '[']);
        if !is_whole || has_form(behind_host) || Self::default().tag(behind_host).is_some() {
            self.read_tag(behind_host, Host::Likely);
            return Some(());
        }
        [self.appname, self.procid, self.msgid] = parts;
        let end = data_end(behind.as_bytes());
        self.structured_data = &behind[..end];
        let behind = if end == 0 { behind.strip_prefix('-').unwrap_or(behind) } else { &behind[end..] };
        self.message = behind.strip_prefix(' ').unwrap_or(behind).trim_start_matches('\u{feff}');
        Some(())
    }

    /// Reads `TIME HOST TAG[PID]: …` and its variants.
    fn read_3164(&mut self, rest: &'t str, host: Host) {
        if self.read_cisco(rest).is_some() {
            return;
        }
        let timed = time(rest, &TimeMemo::default()).or_else(|| epoch(rest)).unwrap_or(("", rest));
        self.read_behind_time(timed, host);
    }

    /// Reads what follows a time. Where a relay put a header of its own in front, the sender's counts.
    fn read_behind_time(&mut self, (time, behind): (&'t str, &'t str), host: Host) {
        self.time = time;
        let mut rest = if time.is_empty() { behind } else { behind.trim_start_matches([':', ' ']) };
        let (relay, inner) = split_blank(rest).unwrap_or_default();
        let relayed = traditional_time(inner, &TimeMemo::default()).filter(|_| !time.is_empty());
        let relay = relayed.and_then(|timed| Some((host_name(relay)?, timed)));
        if let Some((_, (time, behind))) = relay {
            (self.time, rest) = (time, behind);
        }
        if rest.starts_with("last message repeated ") {
            self.message = rest;
        } else if self.event_in_brackets(rest).is_none() {
            self.read_tag(rest, host);
        }
        if self.hostname.is_empty() {
            self.hostname = relay.map_or("", |(name, _)| name);
        }
    }

    /// Reads `[node:kind.of.event:severity]: `, as storage systems of NetApp write it.
    fn event_in_brackets(&mut self, text: &'t str) -> Option<()> {
        let (inside, message) = text.strip_prefix('[')?.split_once("]: ")?;
        let (node, event) = inside.split_once(':')?;
        let (event, severity) = event.rsplit_once(':')?;
        let place = SEVERITIES.iter().position(|known| severity.starts_with(known))?;
        self.hostname = host_name(node)?;
        self.severity_of_mnemonic = u8::try_from(place).ok();
        (self.msgid, self.message) = (event.trim(), message);
        Some(())
    }

    /// Reads what stands between the time and the message: a host and a tag, or one of them, and words for the severity.
    fn read_tag(&mut self, mut rest: &'t str, host: Host) {
        for _ in 0..WORDS_MAX {
            rest = rest.trim_start_matches(' ');
            if self.tag(rest).is_some() {
                return;
            }
            let (word, behind) = split_blank(rest).unwrap_or((rest, ""));
            let mut behind = behind.trim_start_matches([' ', ':']);
            let is_no_host = word == "-" && Self::default().tag(behind).is_some();
            if !is_no_host && !self.severity_word(word, behind) {
                let has_place = self.hostname.is_empty() && !self.time.is_empty();
                // A model, a version or pairs may be glued to a host's name.
                let (name, glued) = word.split_once(',').filter(|(_, glued)| !glued.is_empty()).unwrap_or((word, ""));
                let Some(name) = host_name(name).filter(|_| has_place) else { break };
                let mut ahead = Self { hostname: name, ..*self };
                if ahead.tag(behind).is_some() {
                    *self = ahead;
                    return;
                }
                if glued.contains('=') {
                    behind = rest.split_once(',').unwrap_or_default().1;
                } else if !glued.is_empty() {
                    break;
                }
                if !self.may_be_host(name, behind, host) {
                    break;
                }
                self.hostname = name;
            }
            rest = behind;
        }
        self.message = rest;
    }

    /// Whether a name that no tag follows is that of a host: something follows that is no word of a text, or at least it is
    /// no word itself.
    fn may_be_host(&self, name: &str, behind: &str, host: Host) -> bool {
        let mut ahead = *self;
        let (word, next) = split_blank(behind).unwrap_or((behind, ""));
        let has_tag = ahead.severity_word(word, next) && ahead.tag(next.trim_start_matches(' ')).is_some();
        let is_address = name.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        has_tag || has_form(behind) || host == Host::Likely && (is_address || word.contains('=') || word.ends_with(':'))
    }

    /// Takes `daemon.err`, `notice`, `Er(11)`; returns whether the word is such.
    fn severity_word(&mut self, word: &str, behind: &str) -> bool {
        let ends = word.ends_with(|c: char| c.is_ascii_lowercase() || c == ')');
        if !ends || word.len() > SEVERITY_BYTES_MAX {
            return false;
        }
        let severity = |name: &str| {
            let name = match name {
                "panic" => "emerg",
                "error" => "err",
                "warn" => "warning",
                name => name,
            };
            SEVERITIES.iter().position(|known| *known == name)
        };
        let facility = |name: &str| FACILITIES.iter().position(|known| *known == name);
        let of_priority = || {
            let (name, digits) = word.strip_suffix(')')?.split_once('(')?;
            let priority: usize = digits.parse().ok().filter(|priority| *priority < 192)?;
            (SHORT_SEVERITIES[priority % 8] == name).then_some((priority / 8, priority % 8))
        };
        let named = || {
            let (of, name) = word.split_once('.')?;
            let severity = severity(name)?;
            Some((facility(of)?, severity))
        };
        let alone = || {
            let severity = severity(word)?;
            Self::default().tag(behind.trim_start_matches(' '))?;
            Some((usize::from(self.facility.unwrap_or(1)), severity))
        };
        let Some((facility, severity)) = of_priority().or_else(named).or_else(alone) else { return false };
        if self.severity.is_none() {
            (self.facility, self.severity) = (u8::try_from(facility).ok(), u8::try_from(severity).ok());
        }
        true
    }

    /// Reads `app:`, `app[123]:`, `app[123]` at the start of a text; the message is what follows.
    fn tag(&mut self, text: &'t str) -> Option<()> {
        let bytes = text.as_bytes();
        let end = bytes.iter().take(NAME_BYTES_MAX).position(|byte| !IS_OF_PROGRAM[usize::from(*byte)])?;
        // Most words end here.
        if !matches!(bytes[end], b':' | b'[') {
            return None;
        }
        let (name, rest) = text.split_at(end);
        let ends = |rest: &str| matches!(rest.as_bytes().first(), None | Some(b' ' | b'\t'));
        if !has_name_of_program(name) {
            return None;
        }
        let (procid, behind) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((procid, behind)) => (procid, behind),
            None => ("", rest),
        };
        // `http://…` and `a:b` are words of a message.
        let message = match behind.strip_prefix(':') {
            Some(message) if ends(message) || !procid.is_empty() => message,
            None if is_digits(procid) && ends(behind) => behind,
            _ => return None,
        };
        let is_id = procid.len() <= NAME_BYTES_MAX && procid.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id || procid.is_empty() && Level::parse(name).is_some() {
            return None;
        }
        (self.appname, self.procid) = (name, procid);
        self.message = message.strip_prefix(' ').unwrap_or(message);
        Some(())
    }
}

/// What is taken for a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    /// A name that a tag follows.
    Sure,
    /// What looks like a name, too.
    Likely,
}

/// Whether a text begins as something does that is no prose.
fn has_form(text: &str) -> bool {
    ["CEF:", "LEEF:", "{\""].iter().any(|start| text.starts_with(start)) || super::logfmt::packet(text).is_some()
}

/// The time that a text begins with, and what follows. A zone by a name that is not read is passed over.
fn time<'t>(text: &'t str, times: &TimeMemo) -> Option<(&'t str, &'t str)> {
    let end = times.time_end(text.as_bytes())?;
    let (time, behind) = text.split_at_checked(end)?;
    if !matches!(behind.bytes().next(), None | Some(b' ' | b':')) {
        return None;
    }
    let after = behind.trim_start_matches(' ');
    let word = &after[..after.bytes().position(|byte| !byte.is_ascii_uppercase()).unwrap_or(after.len())];
    let is_zone = matches!(word.len(), 2..=4) && (word.ends_with('T') || word == "UTC");
    let is_zone = is_zone && matches!(after.as_bytes().get(word.len()), None | Some(b':' | b' '));
    Some((time, if is_zone { &after[word.len()..] } else { behind }))
}

/// Seconds since 1970 that a host follows.
fn epoch(text: &str) -> Option<(&str, &str)> {
    let (time, behind) = split_blank(text)?;
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_epoch = seconds.len() == 10 && is_digits(seconds) && is_digits(fraction);
    let name = behind.split(' ').next().and_then(host_name).filter(|_| is_epoch)?;
    name.bytes().any(|byte| byte.is_ascii_alphabetic()).then_some((time, behind))
}

/// Reads a hostname, optionally in brackets or after the slot of a chassis: `slot1/name`.
fn host_name(word: &str) -> Option<&str> {
    const LETTERS: Signs = UPPER | LOWER;
    let word = word.trim_end_matches(':');
    let slot = |(slot, name)| is_digits(str::strip_prefix(slot, "slot")?).then_some(name);
    let word = if word.starts_with("slot") { word.split_once('/').and_then(slot).unwrap_or(word) } else { word };
    let name = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let signs = signs(name.as_bytes());
    let is_name = signs & !(LETTERS | DIGIT | sign(b'.') | sign(b'-') | sign(b'_')) == 0
        && signs & (LETTERS | sign(b'.')) != 0
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && Level::parse(name).is_none();
    let is_address = || name.contains("::") || name.matches(':').count() == 7;
    let is_host = (1..=NAME_BYTES_MAX * 2).contains(&name.len());
    (is_host && (is_name || is_address() && name.parse::<Ipv6Addr>().is_ok())).then_some(name)
}

/// Whether a text is the name of a program, which has letters and few other signs.
fn is_program(name: &str) -> bool {
    name.bytes().all(|byte| IS_OF_PROGRAM[usize::from(byte)]) && has_name_of_program(name)
}

/// Reports whether a text with only the signs of program names is the name of a program.
fn has_name_of_program(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !matches!(name.as_bytes().first(), Some(b'-' | b'#' | b'$' | b'+' | b')'))
}

/// `Nov  2 06:00:01`, perhaps with a fraction or a year, and what follows. Minutes alone are no clock of syslog.
fn traditional_time<'t>(line: &'t str, times: &TimeMemo) -> Option<(&'t str, &'t str)> {
    let [month @ .., b' '] = line.as_bytes().first_chunk::<4>()? else { return None };
    crate::time::short_month(month)?;
    let (time, behind) = time(line, times)?;
    let n_colons = time.bytes().filter(|byte| *byte == b':').count();
    (n_colons == 2 && matches!(behind.as_bytes().first(), Some(b' ' | b':'))).then_some((time, behind))
}

/// `2026-11-20T06:00:00.5+01:00`, and what follows.
fn iso_time<'t>(line: &'t str, times: &TimeMemo) -> Option<(&'t str, &'t str)> {
    if line.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let found = time(line, times)?;
    (found.0.len() <= 40 && line.as_bytes().get(found.0.len()) == Some(&b' ')).then_some(found)
}

#[cfg(test)]
mod tests;
