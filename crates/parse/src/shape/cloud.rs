//! What Amazon's services and container runtimes write: Lambda's lines, VPC flow logs, the CRI form.

use types::Level;

use super::cursor::{is_digits, time, word};
use super::parts::PartSink;

/// Names of a flow log's columns: as a header line has them, and as fields have them. The first 14 are those of version 2
/// in the order of the default form; those of versions 3 to 5 follow in the order in which Amazon lists them, and then those of
/// later versions, which only a header line brings.
const VPC_FIELDS: [(&str, &str); 42] = [
    ("version", "version"),
    ("account-id", "accountId"),
    ("interface-id", "interfaceId"),
    ("srcaddr", "srcAddr"),
    ("dstaddr", "dstAddr"),
    ("srcport", "srcPort"),
    ("dstport", "dstPort"),
    ("protocol", "protocol"),
    ("packets", "packets"),
    ("bytes", "bytes"),
    ("start", "start"),
    ("end", "end"),
    ("action", "action"),
    ("log-status", "logStatus"),
    ("vpc-id", "vpcId"),
    ("subnet-id", "subnetId"),
    ("instance-id", "instanceId"),
    ("tcp-flags", "tcpFlags"),
    ("type", "type"),
    ("pkt-srcaddr", "pktSrcAddr"),
    ("pkt-dstaddr", "pktDstAddr"),
    ("region", "region"),
    ("az-id", "azId"),
    ("sublocation-type", "sublocationType"),
    ("sublocation-id", "sublocationId"),
    ("pkt-src-aws-service", "pktSrcAwsService"),
    ("pkt-dst-aws-service", "pktDstAwsService"),
    ("flow-direction", "flowDirection"),
    ("traffic-path", "trafficPath"),
    ("ecs-cluster-arn", "ecsClusterArn"),
    ("ecs-cluster-name", "ecsClusterName"),
    ("ecs-container-instance-arn", "ecsContainerInstanceArn"),
    ("ecs-container-instance-id", "ecsContainerInstanceId"),
    ("ecs-container-id", "ecsContainerId"),
    ("ecs-second-container-id", "ecsSecondContainerId"),
    ("ecs-service-name", "ecsServiceName"),
    ("ecs-task-definition-arn", "ecsTaskDefinitionArn"),
    ("ecs-task-arn", "ecsTaskArn"),
    ("ecs-task-id", "ecsTaskId"),
    ("reject-reason", "rejectReason"),
    ("resource-id", "resourceId"),
    ("encryption-status", "encryptionStatus"),
];

/// Columns of a line of version 5 without a header.
const COLUMNS_MAX: usize = 29;

/// The columns of the flow logs that follow a header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcColumns(Vec<u8>);

impl VpcColumns {
    /// The columns that a line names, where it is nothing but names of columns.
    pub(super) fn of_header(line: &str) -> Option<Self> {
        // Words of most lines are looked up in vain.
        if !line.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b' ' | b'-' | b'0'..=b'9')) {
            return None;
        }
        let mut columns = Vec::new();
        for word in line.split_ascii_whitespace() {
            let column = VPC_FIELDS.iter().position(|(name, _)| *name == word)?;
            if columns.contains(&(column as u8)) {
                return None;
            }
            columns.push(column as u8);
        }
        (columns.len() >= 3).then_some(Self(columns))
    }
}

/// A VPC flow log: the 14 columns of version 2, or those with the further ones of versions 3 to 5 behind them.
pub(super) fn vpc<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    // Columns end with a version: 14 of version 2, 21 of 3, 25 of 4, 29 of 5.
    let n_words = columns(line, 0..COLUMNS_MAX, found)?;
    matches!(n_words, 14 | 21 | 25 | 29).then_some(())
}

/// A flow log with the columns of its header line.
pub(super) fn vpc_with<'t>(header: &VpcColumns, line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let n_words = columns(line, header.0.iter().map(|column| usize::from(*column)), found)?;
    (n_words == header.0.len()).then_some(())
}

/// Reads a word a column, as many as there are; `None` where one does not fit or there are more.
fn columns<'t>(line: &'t str, columns: impl Iterator<Item = usize>, found: &mut PartSink<'t, '_>) -> Option<usize> {
    let mut words = line.split_ascii_whitespace();
    let mut n_words = 0;
    for column in columns {
        let Some(word) = words.next() else { return Some(n_words) };
        n_words += 1;
        let is_number = is_digits(word) || word == "-";
        let fits = match column {
            0 => is_digits(word) && word.len() <= 2,
            1 => is_number || word == "unknown",
            5..=11 | 17 | 28 => is_number,
            12 => matches!(word, "ACCEPT" | "REJECT" | "-"),
            13 => matches!(word, "OK" | "NODATA" | "SKIPDATA" | "-"),
            _ => true,
        };
        if !fits {
            return None;
        }
        if column == 10 && word != "-" {
            found.time(word);
        }
        match VPC_FIELDS.get(column)?.1 {
            // An account is a name that happens to have digits only, perhaps leading zeros.
            name @ "accountId" => found.text(name, word),
            name => found.whole_or_text(name, word),
        }
    }
    words.next().is_none().then_some(n_words)
}

/// `START`, `END`, `REPORT` and `INIT_START` of a function's log.
pub(super) fn lambda<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
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

fn report_column<'t>(column: &'t str, found: &mut PartSink<'t, '_>) {
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

fn megabytes(name: &'static str, text: &str, found: &mut PartSink<'_, '_>) {
    if let Some(number) = text.parse::<i64>().ok().and_then(|number| number.checked_mul(1_000_000)) {
        found.integer(name, number);
    }
}

/// `2026-11-20T06:47:13.123456789Z stdout F text`.
pub(super) fn cri<'t>(line: &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut rest = line;
    let at = time(&mut rest, found.times)?;
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
