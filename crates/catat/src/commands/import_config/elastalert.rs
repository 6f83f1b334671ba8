//! Rules of ElastAlert 2 as ours (ElastAlert 2: *Rule types and configuration options*).

use serde_json::{Map, Value, json};

use super::conditions::{field, groups_of, of_clauses, piped};
use super::document::{Section, text_of};

/// What settings of ways to tell people begin with.
const CHANNELS: [&str; 30] = [
    "alert", "email", "smtp", "from_addr", "slack", "ms_", "mattermost", "discord", "telegram", "pagerduty",
    "opsgenie", "http_post", "jira", "sns", "aws", "victorops", "command", "servicenow", "rocket_chat", "googlechat",
    "hive", "zabbix", "twilio", "dingtalk", "alertmanager", "webhook", "gelf", "lark", "workwechat", "matrix",
];

/// Reports whether a document is a rule.
pub(super) fn is_rule(document: &Value) -> bool {
    let has = |name: &str| document.get(name).is_some();
    document["type"].is_string() && (has("alert") || has("filter") && has("index"))
}

/// How rules differ from each other, once their filter is known.
struct Draft {
    /// What is counted or computed, after the filter.
    query: String,
    condition: String,
    window: String,
    /// What only some kinds of rules have.
    more: Vec<(&'static str, Value)>,
}

impl Draft {
    fn new(query: String, condition: String, window: String) -> Self {
        Self { query, condition, window, more: Vec::new() }
    }
}

/// Returns a rule of ours.
///
/// # Errors
/// What has no equal, without which the rule would mean something else.
pub(super) fn rule(document: Value, notes: &mut Vec<String>) -> Result<Value, String> {
    let Value::Object(members) = document else { return Err("the file has no settings with names".to_owned()) };
    let mut rule = Section::at("", members);
    let kind = rule.text("type").unwrap_or_default();
    let filter = filter_of(rule.take("filter"))?;
    let by = rule.texts("query_key").iter().map(|key| field(key)).collect::<Result<Vec<_>, _>>()?;
    let Draft { query, condition, window, more } = draft(&kind, &mut rule, &by)?;
    let mut made = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) && value != json!({}) && value != json!("") {
            made.insert(name.to_owned(), value);
        }
    };
    set("name", rule.text("name").unwrap_or(kind).into());
    // Kinds of rules with conditions of their own ask for events.
    let all = if query.is_empty() && filter.is_empty() {
        "filter ispresent(@timestamp)".to_owned()
    } else {
        piped(&[&filter, &query])
    };
    set("query", all.into());
    set("groups", json!(rule.text("index").map(|index| groups_of(&index)).unwrap_or_default()));
    set("window", window.into());
    set("condition", condition.into());
    more.into_iter().for_each(|(name, value)| set(name, value));
    set("labels", rule.text("priority").map_or(json!({}), |priority| json!({"priority": priority})));
    set("annotations", annotations(&mut rule, notes));
    set("enabled", if rule.flag("is_enabled") == Some(false) { json!(false) } else { Value::Null });
    leave(rule, notes);
    Ok(Value::Object(made))
}

fn draft(kind: &str, rule: &mut Section, by: &[String]) -> Result<Draft, String> {
    let by_text = |more: Option<&str>| {
        let all: Vec<&str> = more.into_iter().chain(by.iter().map(String::as_str)).collect();
        if all.is_empty() { String::new() } else { format!(" by {}", all.join(", ")) }
    };
    let counted = |more: Option<&str>| format!("stats count(*) as count{}", by_text(more));
    let window = |rule: &mut Section, usual: &str| duration(rule.take("timeframe"), usual);
    Ok(match kind {
        "any" => Draft::new(counted(None), "count > 0".into(), "5m".into()),
        "frequency" => {
            let n = number(rule, "num_events")?;
            Draft::new(counted(None), format!("count >= {n}"), window(rule, "5m")?)
        }
        "flatline" => {
            let mut draft =
                Draft::new(counted(None), format!("count < {}", number(rule, "threshold")?), window(rule, "5m")?);
            // A value of the key that is not there any more has none of its events.
            draft.more = if by.is_empty() { Vec::new() } else { vec![("missing", "alarm".into())] };
            draft
        }
        "blacklist" | "whitelist" => {
            let (condition, key) = listed(kind, rule)?;
            Draft::new(piped(&[&condition, &counted(Some(&key))]), "count > 0".into(), "5m".into())
        }
        "change" if by.is_empty() => return Err("a rule of the type change needs query_key".to_owned()),
        "change" => {
            let (values, condition) = changed(rule)?;
            Draft::new(format!("stats {values}{}", by_text(None)), condition, window(rule, "1h")?)
        }
        "cardinality" => {
            let key = field(&rule.text("cardinality_field").ok_or("cardinality_field is missing")?)?;
            let condition = bounds(rule, ("min_cardinality", "max_cardinality"))?;
            Draft::new(format!("stats count_distinct({key}) as value{}", by_text(None)), condition, window(rule, "5m")?)
        }
        "metric_aggregation" => {
            let value = metric(rule)?;
            let condition = bounds(rule, ("min_threshold", "max_threshold"))?;
            let window = duration(rule.take("buffer_time"), "5m")?;
            Draft::new(format!("stats {value} as value{}", by_text(None)), condition, window)
        }
        "percentage_match" => share(rule, by)?,
        "spike" => spike(rule, &by_text(None))?,
        other => return Err(format!("type {other}: it has no equal here")),
    })
}

/// The condition of events whose value is in a list, or is not, and the field that has it.
fn listed(kind: &str, rule: &mut Section) -> Result<(String, String), String> {
    let key = field(&rule.text("compare_key").ok_or("compare_key is missing")?)?;
    let values = rule.texts(kind);
    if let Some(file) = values.iter().find(|value| value.starts_with("!file")) {
        return Err(format!("{kind}: {file}: values in a file are a lookup table here"));
    }
    let list = values.iter().map(|value| Value::from(value.as_str()).to_string()).collect::<Vec<_>>().join(", ");
    let is_there = rule.flag("ignore_null") == Some(true);
    let condition = match (kind, is_there) {
        ("blacklist", _) => format!("filter {key} in [{list}]"),
        (_, true) => format!("filter ispresent({key}) and {key} not in [{list}]"),
        (_, false) => format!("filter not ispresent({key}) or {key} not in [{list}]"),
    };
    Ok((condition, key))
}

/// How many values each of some fields has, and the condition that one of them has several.
fn changed(rule: &mut Section) -> Result<(String, String), String> {
    let keys = rule.texts("compare_key").iter().map(|key| field(key)).collect::<Result<Vec<_>, _>>()?;
    types::ensure!(!keys.is_empty(), "compare_key is missing".to_owned());
    // An event without the key is none that changes it.
    rule.take("ignore_null");
    let values = |(at, key): (usize, &String)| format!("count_distinct({key}) as n{}", at + 1);
    let values: Vec<String> = keys.iter().enumerate().map(values).collect();
    let condition: Vec<String> = (1..=keys.len()).map(|at| format!("n{at} > 1")).collect();
    Ok((values.join(", "), condition.join(" or ")))
}

/// A share of events in percent.
fn share(rule: &mut Section, by: &[String]) -> Result<Draft, String> {
    let bad = of_clauses(&clauses_of(rule.take("match_bucket_filter").unwrap_or_default()))?;
    let bad = bad.strip_prefix("filter ").ok_or("match_bucket_filter is missing")?;
    let condition = bounds(rule, ("min_percentage", "max_percentage"))?.replace("value", "value * 100");
    let mut draft = Draft::new(String::new(), condition, duration(rule.take("buffer_time"), "5m")?);
    draft.more = vec![("kind", "ratio".into()), ("bad", bad.into()), ("by", json!(by))];
    draft.more.extend(rule.take("min_denominator").map(|min| ("min_count", min)));
    Ok(draft)
}

/// A count beside that of as long a time before.
fn spike(rule: &mut Section, by: &str) -> Result<Draft, String> {
    let seconds = seconds(rule.take("timeframe"))?.filter(|seconds| *seconds > 0).ok_or("timeframe is missing")?;
    let height = number(rule, "spike_height")?;
    let up = format!("recent >= {height} * before");
    let down = format!("before >= {height} * recent");
    let mut condition = match rule.text("spike_type").as_deref() {
        Some("up") => up,
        Some("down") => down,
        Some("both") => format!("({up} or {down})"),
        other => return Err(format!("spike_type: {other:?} is none of up, down, both")),
    };
    // Without a number before, everything would be a spike.
    condition.push_str(" and before > 0 and recent > 0");
    for (name, of) in [("threshold_ref", "before"), ("threshold_cur", "recent")] {
        if let Some(least) = rule.take(name) {
            condition.push_str(&format!(" and {of} >= {}", text_of(&least)));
        }
    }
    let query = format!(
        "eval now_counts = if(@timestamp >= (now() - {seconds}) * 1000, 1, 0) | stats sum(now_counts) as recent, count(*) - sum(now_counts) as before{by}"
    );
    Ok(Draft::new(query, condition, format!("{}s", 2 * seconds)))
}

/// The value of a metric, such as `avg(took)`.
fn metric(rule: &mut Section) -> Result<String, String> {
    let (key, kind) =
        (rule.text("metric_agg_key").unwrap_or_default(), rule.text("metric_agg_type").unwrap_or_default());
    let key = field(&key)?;
    Ok(match &*kind {
        "min" | "max" | "avg" | "sum" => format!("{kind}({key})"),
        "cardinality" => format!("count_distinct({key})"),
        "value_count" => format!("count({key})"),
        "percentiles" => format!("pct({key}, {})", number(rule, "percentile_range")?),
        other => return Err(format!("metric_agg_type {other:?}: it has no equal here")),
    })
}

/// The condition of a value that must not leave its bounds.
fn bounds(rule: &mut Section, (least, most): (&str, &str)) -> Result<String, String> {
    let of = |value: Option<Value>, sign: &str| value.map(|bound| format!("value {sign} {}", text_of(&bound)));
    let found: Vec<String> = of(rule.take(least), "<").into_iter().chain(of(rule.take(most), ">")).collect();
    if found.is_empty() { Err(format!("neither {least} nor {most} is there")) } else { Ok(found.join(" or ")) }
}

fn number(rule: &mut Section, name: &str) -> Result<String, String> {
    let value = rule.take(name).ok_or_else(|| format!("{name} is missing"))?;
    let text = text_of(&value);
    text.parse::<f64>().map(|_| text.clone()).map_err(|_| format!("{name}: {text:?} is no number"))
}

/// Returns a length of time such as `{minutes: 5}`.
fn duration(value: Option<Value>, usual: &str) -> Result<String, String> {
    Ok(seconds(value)?.map_or_else(|| usual.to_owned(), |seconds| format!("{seconds}s")))
}

fn seconds(value: Option<Value>) -> Result<Option<u64>, String> {
    let Some(value) = value else { return Ok(None) };
    let units = [
        ("weeks", 604_800.0),
        ("days", 86_400.0),
        ("hours", 3_600.0),
        ("minutes", 60.0),
        ("seconds", 1.0),
        ("milliseconds", 0.001),
    ];
    let mut sum = 0.0;
    for (name, n) in value.as_object().ok_or_else(|| format!("{value} is no time: write minutes: 5"))? {
        let unit = units.iter().find(|(unit, _)| unit == name).ok_or_else(|| format!("{name:?} is no unit of time"))?;
        sum += unit.1 * n.as_f64().ok_or_else(|| format!("{name}: {n} is no number"))?;
    }
    Ok(Some(sum.ceil() as u64))
}

fn filter_of(filter: Option<Value>) -> Result<String, String> {
    of_clauses(&clauses_of(filter.unwrap_or_default())).map_err(|problem| format!("filter: {problem}"))
}

/// Returns filters as clauses of the query DSL.
fn clauses_of(filter: Value) -> Vec<Value> {
    match filter {
        Value::Array(filters) => filters.into_iter().map(clause).collect(),
        Value::Object(_) => vec![clause(filter)],
        _ => Vec::new(),
    }
}

/// Unwraps `query: {…}`, and writes the connectives of older versions as those of the query DSL.
fn clause(mut filter: Value) -> Value {
    let connectives = [("and", "filter"), ("or", "should"), ("not", "must_not")];
    if let Some(inner) = filter.get_mut("query").filter(|query| query.is_object()) {
        return clause(inner.take());
    }
    for (old, new) in connectives {
        if let Some(inner) = filter.get_mut(old) {
            return json!({"bool": {new: clauses_of(inner.take())}});
        }
    }
    filter
}

/// The words of a rule. Those with places for values of an event are named.
fn annotations(rule: &mut Section, notes: &mut Vec<String>) -> Value {
    let mut made = Map::new();
    for (name, ours) in [("alert_subject", "summary"), ("description", "description"), ("alert_text", "description")] {
        let Some(text) = rule.text(name) else { continue };
        if text.contains(['{', '%']) {
            notes.push(format!(
                "{name} is not taken: values of events are written as templates here, {{{{ .labels.host }}}}"
            ));
            continue;
        }
        made.entry(ours).or_insert(Value::String(text));
    }
    Value::Object(made)
}

/// Names what is left.
fn leave(mut rule: Section, notes: &mut Vec<String>) {
    let own = [
        "use_count_query", "use_terms_query", "doc_type", "terms_size", "use_strftime_index", "max_query_size",
        "scroll", "buffer_time", "query_delay", "run_every",
    ];
    own.iter().for_each(|name| drop(rule.take(name)));
    let times = ["realert", "exponential_realert", "aggregation", "aggregation_key"];
    for name in times {
        if rule.take(name).is_some() {
            notes.push(format!(
                "{name} is not taken: how often a channel tells of an alert is a setting of the channel"
            ));
        }
    }
    let of_channel = rule.names().into_iter().filter(|name| CHANNELS.iter().any(|channel| name.starts_with(channel)));
    for name in of_channel.collect::<Vec<_>>() {
        rule.take(&name);
        notes.push(format!("{name} is not taken: who is told, and how, is a channel of ours"));
    }
    rule.leave("it has no equal here", notes);
}
