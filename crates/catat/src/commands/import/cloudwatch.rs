//! CloudWatch Logs: counts by Insights, `FilterLogEvents` by spans of time (AWS, *CloudWatch Logs API Reference*), batches as of a subscription.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use types::{GroupName, Timestamp, group_name_of_outside};

use super::side::{Side, quoted};
use super::source::{PIECE_BYTES, Piece, Source, Stored};
use crate::arguments::FromCloudWatch;
use crate::commands::aws::AwsService;
use crate::commands::spans::{Range, Width};
use crate::failure::Failure;

/// Events that are asked for at once, in answers of 10,000 at most.
const SPAN_EVENTS: u64 = 20_000;
const ANSWER_EVENTS: u64 = 10_000;

/// Bytes of messages of one stream that are delivered together, and what an event takes besides its message.
const BATCH_BYTES: usize = 1 << 20;
const EVENT_BYTES: usize = 128;

/// Rows of an answer of Insights.
const ROWS_MAX: i64 = 10_000;

/// How long a count may take, looked at so often.
const COUNT_CHECKS: u32 = 600;
const CHECK_EVERY: Duration = Duration::from_millis(500);

pub(super) struct CloudWatch {
    log_group: String,
    group: GroupName,
    from: String,
    service: AwsService,
}

impl CloudWatch {
    pub(super) fn new(from: &FromCloudWatch) -> Result<Self, Failure> {
        Ok(Self {
            log_group: from.log_group.clone(),
            group: group_name_of_outside(&from.log_group),
            from: from.from.clone(),
            service: AwsService::new(&from.options.source, ("logs", "Logs_20140328"), "application/x-amz-json-1.1")?,
        })
    }

    /// Asks the source for an operation.
    fn ask(&self, at: &Side<'_>, operation: &str, body: &Value) -> Result<Value, Failure> {
        self.service.ask(at, operation, body)
    }

    /// Counts whole spans of a width by Insights. Its ranges are whole seconds.
    fn spans(&self, at: &Side<'_>, (from, to): Range, width: &str) -> Result<Vec<(Timestamp, u64)>, Failure> {
        let second = |at: i64| at.div_euclid(Timestamp::SECOND);
        let query = format!("stats count(*) as n by bin({width}) as t | limit {ROWS_MAX}");
        let (start, end) = (second(from.0), second(to.0 + Timestamp::SECOND - 1));
        let asked = json!({"logGroupName": self.log_group, "startTime": start, "endTime": end, "queryString": query});
        let started = self.ask(at, "StartQuery", &asked)?;
        let id = json!({"queryId": started["queryId"]});
        for _ in 0..COUNT_CHECKS {
            let answer = self.ask(at, "GetQueryResults", &id)?;
            match answer["status"].as_str() {
                Some("Scheduled" | "Running") => std::thread::sleep(CHECK_EVERY),
                Some("Complete") => return counts(&answer, to),
                _ => return Err(Failure::other(format!("{}: the count ended: {}", at.name, quoted(&answer)))),
            }
        }
        Err(Failure::other(format!("{}: the count took too long", at.name)))
    }
}

/// Reads the rows of a count.
fn counts(answer: &Value, to: Timestamp) -> Result<Vec<(Timestamp, u64)>, Failure> {
    let count = |row: &Value| {
        let cell = |name: &str| row.as_array()?.iter().find(|cell| cell["field"] == name)?["value"].as_str();
        let begin = Timestamp::parse_iso8601(&format!("{}Z", cell("t")?.replacen(' ', "T", 1)))?;
        Some((begin, cell("n")?.parse().ok()?))
    };
    let counts: Option<Vec<(Timestamp, u64)>> = answer["results"].as_array().into_iter().flatten().map(count).collect();
    let mut counts = counts.ok_or_else(|| Failure::other(format!("no counts in {}", quoted(answer))))?;
    counts.retain(|(begin, n)| *begin <= to && *n > 0);
    counts.sort_unstable();
    Ok(counts)
}

impl Source for CloudWatch {
    fn about(&self, from: &Side<'_>, _range: Range) -> Result<Vec<String>, Failure> {
        let found = self.ask(from, "DescribeLogGroups", &json!({"logGroupNamePrefix": self.log_group}))?;
        let is_it = |group: &&Value| group["logGroupName"] == *self.log_group;
        let Some(group) = found["logGroups"].as_array().and_then(|groups| groups.iter().find(is_it)) else {
            return Err(Failure::other(format!("{} has no log group {}", from.name, self.log_group)));
        };
        let bytes = types::ByteSize(group["storedBytes"].as_u64().unwrap_or(0));
        let line = format!("{} at {}: {bytes} → group {}; Insights counts them", self.log_group, from.name, self.group);
        Ok(vec![line, "ids of events and times of ingestion are not kept".to_owned()])
    }

    fn asked(&self) -> Value {
        json!({"log_group": self.log_group, "region": self.service.region, "from": self.from})
    }

    fn most(&self) -> u64 {
        SPAN_EVENTS
    }

    /// Whole seconds, as Insights has them.
    fn aligned(&self, (from, to): Range) -> Range {
        let floor = |instant: Timestamp| instant.0.div_euclid(Timestamp::SECOND) * Timestamp::SECOND;
        (Timestamp(floor(from)), Timestamp(floor(to)))
    }

    fn counts(&self, at: &Side<'_>, range: Range, (width, length): Width) -> Result<Vec<(Timestamp, u64)>, Failure> {
        if at.is_server {
            return at.counts(&self.group, range, width);
        }
        if length < Timestamp::SECOND {
            let message = format!("more than {SPAN_EVENTS} events in the second of {} are not told apart", range.0);
            return Err(Failure::other(message).with("Import it with --from and --to around that second."));
        }
        let (mut all, mut from) = (Vec::new(), range.0.0);
        while from <= range.1.0 {
            let begin = from - from.rem_euclid(length);
            let to = range.1.0.min(begin.saturating_add(length.saturating_mul(ROWS_MAX - 1) - 1));
            all.extend(self.spans(at, (Timestamp(from), Timestamp(to)), width)?);
            from = to + 1;
        }
        Ok(all)
    }

    fn read(&self, from: &Side<'_>, range: Range) -> Result<Vec<Piece>, Failure> {
        let [start, end] = [range.0, range.1].map(|end| end.0.div_euclid(Timestamp::MILLISECOND));
        let mut asked =
            json!({"logGroupName": self.log_group, "startTime": start, "endTime": end, "limit": ANSWER_EVENTS});
        // By stream, time and id: pages come in an order of their own.
        let mut streams: BTreeMap<String, Vec<(i64, String, Value)>> = BTreeMap::new();
        loop {
            let mut answer = self.ask(from, "FilterLogEvents", &asked)?;
            for event in answer["events"].as_array_mut().map(std::mem::take).unwrap_or_default() {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                let Some(time) = event["timestamp"].as_i64() else {
                    return Err(Failure::other(format!("{}: an event without a time: {}", from.name, quoted(&event))));
                };
                let kept = json!({"id": event["eventId"], "timestamp": time, "message": event["message"]});
                streams.entry(text("logStreamName")).or_default().push((time, text("eventId"), kept));
            }
            match answer["nextToken"].as_str() {
                Some(token) => asked["nextToken"] = token.into(),
                None => break,
            }
        }
        let mut pieces: Vec<(usize, Vec<Value>, u64)> = Vec::new();
        for (stream, mut events) in streams {
            events.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
            let mut events = events.into_iter().peekable();
            while events.peek().is_some() {
                let (mut part, mut bytes) = (Vec::new(), 0);
                while let Some((_, _, event)) = events.next_if(|_| bytes < BATCH_BYTES) {
                    bytes += event["message"].as_str().map_or(0, str::len) + EVENT_BYTES;
                    part.push(event);
                }
                let n_events = part.len() as u64;
                let batch = json!({"messageType": "DATA_MESSAGE", "logGroup": self.log_group, "logStream": stream, "logEvents": part});
                let data = BASE64.encode(batch.to_string().as_bytes());
                if pieces.last().is_none_or(|(bytes, ..)| bytes + data.len() > PIECE_BYTES) {
                    pieces.push((0, Vec::new(), 0));
                }
                if let Some((bytes, records, n)) = pieces.last_mut() {
                    *bytes += data.len();
                    *n += n_events;
                    records.push(json!({"data": data}));
                }
            }
        }
        let piece = |(_, records, events): (usize, Vec<Value>, u64)| Piece {
            body: Value::from(records).to_string().into_bytes(),
            events,
        };
        Ok(pieces.into_iter().map(piece).collect())
    }

    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure> {
        let records = String::from_utf8_lossy(&piece.body);
        let body = format!("{{\"requestId\":\"{id}\",\"timestamp\":0,\"records\":{records}}}");
        let answer: Value = to.ask(to.request(Method::POST, "/firehose").body(body))?;
        let refused: Vec<String> = answer["errorMessage"].as_str().into_iter().map(str::to_owned).collect();
        let n_refused = refused.iter().filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum();
        Ok(Stored { events: piece.events.saturating_sub(n_refused), n_refused, refused })
    }
}
