//! Cisco's headers.

use super::{SyslogHeader, host_name, time};
use crate::find::split_blank;
use crate::time::TimeMemo;

/// Bytes before the mnemonic.
const HEAD_BYTES_MAX: usize = 160;

impl<'t> SyslogHeader<'t> {
    /// Reads Cisco's header, `123: host: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: …`. Each part is optional, and a
    /// relay's header may precede it.
    pub(super) fn read_cisco(&mut self, text: &'t str) -> Option<()> {
        let head = &text.as_bytes()[..text.len().min(HEAD_BYTES_MAX)];
        let at = memchr::memchr_iter(b'%', head).find(|at| *at == 0 || matches!(head[at - 1], b' ' | b':'))?;
        let mnemonic = text[at + 1..].split([':', ' ']).next()?;
        let (facility, severity) = facility_of_mnemonic(mnemonic)?;
        let message = text[at + 1 + mnemonic.len()..].trim_start_matches(' ').strip_prefix(':')?;
        let mut header = *self;
        let mut rest = &text[..at];
        let mut is_numbered = false;
        loop {
            rest = rest.trim_start_matches([' ', ':', '*', '.']);
            if let Some((time, behind)) = time(rest, &TimeMemo::default()) {
                (header.time, rest) = (time, behind);
                continue;
            }
            let (word, behind) = split_blank(rest).unwrap_or((rest, ""));
            if word.is_empty() {
                break;
            }
            rest = behind;
            // IOS XR's node is glued to the time.
            if let Some((node, _)) = word.split_once(':').filter(|(node, _)| node.contains('/')) {
                rest = &text[word.as_ptr().addr() - text.as_ptr().addr() + node.len()..at];
            } else if word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains('.') {
                // Numbers of messages, and the time since the start.
                is_numbered = true;
            } else if word.contains('[') {
                header.tag(word)?;
            } else {
                // A relay names the sender, the device itself.
                let has_place = header.hostname.is_empty() || is_numbered;
                header.hostname = host_name(word).filter(|_| has_place)?;
            }
        }
        if header.severity.is_none() {
            // Devices of Cisco send as local7.
            (header.facility, header.severity) = (Some(23), Some(severity));
        }
        if header.appname.is_empty() {
            header.appname = facility;
        }
        (header.msgid, header.severity_of_mnemonic) = (mnemonic, Some(severity));
        header.message = message.strip_prefix(' ').unwrap_or(message);
        *self = header;
        Some(())
    }
}

/// The facility and the severity of `FACILITY-SUBFACILITY-5-MNEMONIC`.
fn facility_of_mnemonic(mnemonic: &str) -> Option<(&str, u8)> {
    let mut at = 0;
    for piece in mnemonic.split('-') {
        let name = piece.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if let ([digit @ b'0'..=b'7'], true) = (piece.as_bytes(), at > 0) {
            let facility =
                mnemonic.get(..at - 1).filter(|facility| facility.starts_with(|c: char| c.is_ascii_uppercase()))?;
            return (at + 2 < mnemonic.len()).then_some((facility, digit - b'0'));
        }
        if !name || piece.is_empty() {
            return None;
        }
        at += piece.len() + 1;
    }
    None
}
