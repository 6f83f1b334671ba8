//! What Amazon's services and container runtimes write: Lambda's lines, VPC flow logs, the CRI form.

use types::Level;

use super::cursor::{is_digits, time, word};
use super::parts::Found;

/// Names of a flow log of version 2.
pub(super) const VPC_FIELDS: [&str; 14] = [
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "logStatus",
];

/// Further names of versions 3 to 5, in the order in which Amazon lists them.
const VPC_LATER_FIELDS: [&str; 15] = [
    "vpcId",
    "subnetId",
    "instanceId",
    "tcpFlags",
    "type",
    "pktSrcAddr",
    "pktDstAddr",
    "region",
    "azId",
    "sublocationType",
    "sublocationId",
    "pktSrcAwsService",
    "pktDstAwsService",
    "flowDirection",
    "trafficPath",
];

/// A VPC flow log: the 14 columns of version 2, or those with the further ones of versions 3 to 5 behind them.
pub(super) fn vpc<'t>(line: &'t str, found: &mut Found<'t, '_>) -> Option<()> {
    let mut words = line.split_ascii_whitespace();
    let names = VPC_FIELDS.iter().chain(&VPC_LATER_FIELDS);
    let mut n_words = 0;
    for (at, name) in names.enumerate() {
        let Some(word) = words.next() else { break };
        n_words = at + 1;
        let fits = match at {
            0 => is_digits(word) && word.len() == 1,
            1 => is_digits(word) || word == "unknown" || word == "-",
            10 | 11 => is_digits(word) || word == "-",
            13 => matches!(word, "OK" | "NODATA" | "SKIPDATA" | "-"),
            _ => true,
        };
        if !fits {
            return None;
        }
        if at == 10 && word != "-" {
            found.epoch(word);
        }
        match *name {
            // An account is a name that happens to have digits only, perhaps leading zeros.
            "accountId" => found.text(name, word),
            _ => found.whole_or_text(name, word),
        }
    }
    // Columns end with a version: 14 of version 2, 21 of 3, 25 of 4, 29 of 5.
    (matches!(n_words, 14 | 21 | 25 | 29) && words.next().is_none()).then_some(())
}

/// `START`, `END`, `REPORT` and `INIT_START` of a function's log.
pub(super) fn lambda<'t>(line: &'t str, found: &mut Found<'t, '_>) -> Option<()> {
    let (kind, mut rest) = line.split_once(' ')?;
    if kind == "INIT_START" {
        found.known("@type", "INIT_START");
        return Some(());
    }
    rest = rest.strip_prefix("RequestId: ")?;
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return None;
    }
    found.known(
        "@type",
        match kind {
            "START" => "START",
            "END" => "END",
            "REPORT" => "REPORT",
            _ => return None,
        },
    );
    found.text("@requestId", id);
    if kind == "REPORT" {
        rest.split(['\t', '\n']).for_each(|column| report_column(column.trim(), found));
    }
    Some(())
}

fn report_column<'t>(column: &'t str, found: &mut Found<'t, '_>) {
    let Some((name, value)) = column.split_once(": ") else { return };
    let number = |unit: &str| value.strip_suffix(unit).unwrap_or(value);
    match name {
        "Duration" => found.number("@duration", number(" ms")),
        "Billed Duration" => found.number("@billedDuration", number(" ms")),
        "Init Duration" => found.number("@initDuration", number(" ms")),
        // Amazon's queries count memory in bytes of a thousand thousand: 128 MB are 1.28E8.
        "Memory Size" => megabytes("@memorySize", number(" MB"), found),
        "Max Memory Used" => megabytes("@maxMemoryUsed", number(" MB"), found),
        "XRAY TraceId" => found.text("@xrayTraceId", value),
        "SegmentId" => found.text("@xraySegmentId", value),
        "Status" => {
            found.text("status", value);
            found.level(matches!(value, "error" | "timeout").then_some(Level::Error));
        }
        _ => {}
    }
}

fn megabytes(name: &'static str, text: &str, found: &mut Found<'_, '_>) {
    if let Some(number) = text.parse::<i64>().ok().and_then(|number| number.checked_mul(1_000_000)) {
        found.integer(name, number);
    }
}

/// `2026-11-20T06:47:13.123456789Z stdout F text`.
pub(super) fn cri<'t>(line: &'t str, found: &mut Found<'t, '_>) -> Option<()> {
    let mut rest = line;
    let at = time(&mut rest)?;
    rest = rest.strip_prefix(' ')?;
    let stream = word(&mut rest).filter(|stream| matches!(*stream, "stdout" | "stderr"))?;
    // Tags may follow with colons between them.
    let tag = word(&mut rest)?;
    if !matches!(tag.split(':').next(), Some("F" | "P")) {
        return None;
    }
    found.again("time", at);
    found.text("stream", stream);
    found.again("message", rest);
    found.level(crate::level_of_text(rest));
    Some(())
}
