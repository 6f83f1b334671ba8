//! The functions of values: their names, how many arguments each takes, and what it gives.
//!
//! One table ([`SIGNATURES`]) is what the checker, completion and the reference are made from. What a function
//! computes is in `execute`. Aggregates of `stats` are no functions; see [`crate::operator::AggregateKind`].

mod typed;

use serde::{Deserialize, Serialize};
use types::{Level, Value};

pub use typed::{
    DatePart, DateUnit, DecimalFunction, ListFunction, TypedFunction, TypedKind, WholeOperator, WholeWidth,
};

/// The name of one value that [`Function::JsonSelected`] has selected.
pub const ANY_VALUE: &str = "*";

/// The separator between the steps of a selector's path. It occurs in no name of a member.
pub const SELECTOR_STEP: &str = "\0";
/// The step of a selector that selects all elements or members. It is the name of no member.
pub const SELECTOR_ANY: &str = "\u{1}*";

/// A function of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// Absolute value.
    Abs,
    /// Least whole number not below.
    Ceil,
    /// Greatest whole number not above.
    Floor,
    /// Greatest of the arguments.
    Greatest,
    /// Least of the arguments.
    Least,
    /// Natural logarithm.
    Log,
    /// Square root.
    Sqrt,
    /// Half away from zero to so many decimals.
    Round,
    /// Logarithm to base 2.
    Log2,
    /// Logarithm to base 10.
    Log10,
    /// e to the power.
    Exp,
    /// Power.
    Pow,
    /// -1, 0 or 1.
    Sign,
    /// Whether the value is there.
    IsPresent,
    /// The first argument that is there.
    Coalesce,
    /// Missing or the empty text.
    IsEmpty,
    /// Missing, empty or only white space.
    IsBlank,
    /// The texts one after the other.
    Concat,
    /// Without white space, or without the characters given, in front.
    TrimStart,
    /// … at the end.
    TrimEnd,
    /// … at both ends.
    Trim,
    /// Length in code points.
    TextLength,
    /// Length in bytes of UTF-8. No user writes it; other dialects use it.
    ByteLength,
    /// Without what certainly varies, as the patterns of messages begin. No user writes it; alert rules use it.
    Masked,
    /// In capital letters.
    ToUpper,
    /// In small letters.
    ToLower,
    /// Part of a text by code points from 0.
    Substring,
    /// Every occurrence replaced.
    Replace,
    /// Whether a text holds another.
    Contains,
    /// Where a text first holds another, in code points from 0.
    Position,
    /// Whether a text starts with another.
    StartsWith,
    /// Whether a text ends with another.
    EndsWith,
    /// Start of the span of time that the instant lies in. `bin(d)` is this of `@timestamp`.
    DateFloor,
    /// End of that span, the instant itself where it is a start.
    DateCeil,
    /// Start of the bucket, counted from an origin: instant, origin, span. No user writes it; other dialects use it.
    TimeBucket,
    /// The same by the clocks of the query's time zone. No user writes it; Elasticsearch's histograms use it.
    WallBucket,
    /// An instant later by a length of time. No user writes it: `stats … offset d` shows events with later times.
    Later,
    /// Milliseconds since the epoch as an instant.
    FromMillis,
    /// An instant as milliseconds since the epoch.
    ToMillis,
    /// Seconds since the epoch at the start of the query.
    Now,
    /// Text as JSON value.
    JsonParse,
    /// Value as JSON text.
    JsonStringify,
    /// Whether a text is an IP address.
    IsValidIp,
    /// Whether a text is an IPv4 address.
    IsValidIpV4,
    /// Whether a text is an IPv6 address.
    IsValidIpV6,
    /// Whether an address lies in a subnet.
    IsIpInSubnet,
    /// Whether a text holds an address of a subnet, or of a range `first-last`. No user writes it; LogQL uses it.
    HoldsAddress,
    /// … of IPv4.
    IsIpV4InSubnet,
    /// … of IPv6.
    IsIpV6InSubnet,
    /// One of two values by a condition.
    If,
    /// The value after the first true condition, else the last argument where their number is odd.
    Case,
    /// As number.
    ToNumber,
    /// As text.
    ToString,
    /// As whole number, cut off.
    ToInteger,
    /// `1h30m` in milliseconds.
    ParseDuration,
    /// `3MiB` in bytes.
    ParseBytes,
    /// Milliseconds as `1h30m`.
    FormatDuration,
    /// Bytes as `3.0 MiB`.
    FormatBytes,
    /// An instant by strftime letters.
    FormatDate,
    /// Text as instant by strftime letters.
    ParseDate,
    /// Hour of the day, 0 to 23.
    Hour,
    /// Day of the week, 1 (Monday) to 7.
    Weekday,
    /// Percent-encoding undone.
    UrlDecode,
    /// Base64 undone, as text.
    Base64Decode,
    /// MD5 in hexadecimal.
    Md5,
    /// SHA-256 in hexadecimal.
    Sha256,
    /// First group of the first match, or the whole match. The second argument is [`crate::plan::Expr::Regex`].
    RegexpExtract,
    /// Every match replaced. The second argument is [`crate::plan::Expr::Regex`].
    RegexpReplace,
    /// What a template makes of a line; missing where it fails. Arguments: [`crate::plan::Expr::Template`], the line,
    /// its time, then the labels that the template needs.
    Template,
    /// Text cut at each occurrence of another, as list.
    Split,
    /// How many elements a list has.
    ArrayLength,
    /// The value itself.
    Unmask,
    /// What a value that names a level is ordered by ([`severity_key`]); other values as they are. No user writes it:
    /// where levels are ordered the checker does.
    Severity,
    /// The canonical name of a severity; of lists, the names of the elements.
    LevelName,
    /// Whether a JSON text holds `null` at a path. No user writes it; filter patterns use it.
    IsJsonNull,
    /// Whether a condition on [`ANY_VALUE`] holds for one of the values that a path selects in a JSON text: the text,
    /// the path, the condition. Steps of the path are joined by [`SELECTOR_STEP`]; [`SELECTOR_ANY`] is every element or
    /// member.
    JsonSelected,
    /// The columns of a text whose words are between blanks, as list. No user writes it; filter patterns use it.
    Columns,
    /// … the last one first.
    ColumnsFromEnd,
    /// What LogQL does with labels. No user writes it.
    Labels(LabelsFunction),
    /// What is computed for each value of a field that may have several: the field, the expression, fields above it
    /// that may hold lists. As a condition, whether it holds for one of them ([`crate::each`]).
    Each,
    /// Whether a field has a value that is no empty list or object: the field, fields above it that may hold lists.
    HasValue,
    /// Of a field whose value is a date, or the text of one, the first condition; else the second. No user writes it.
    IfDate,
    /// A number, or the milliseconds since the epoch of a date or its text. No user writes it; other dialects use it.
    Measure,
    /// A function of values of known types. No user writes it; ES|QL uses it.
    Typed(TypedFunction),
    /// What an address is ordered by: a text. No user writes it; other dialects use it.
    AddressKey,
    /// The words of a text, as list. No user writes it; other dialects use it.
    WordList,
    /// A text of a date as milliseconds since the epoch, another value as it is. No user writes it; other dialects use
    /// it.
    DateMillis,
    /// The least value of a list; another value itself. No user writes it; other dialects use it.
    LeastOfList,
    /// … the greatest.
    GreatestOfList,
}

/// Functions of the labels of LogQL. A label set is a text, see [`crate::label_set::LabelSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LabelsFunction {
    /// Whether the name of a stream holds the labels of a Loki sender: stream.
    IsPushed,
    /// A label in the name of a stream: stream, name.
    OfStream,
    /// A label of an event before any stage: name, stream, metadata, and its value where no Loki sender pushed the
    /// event.
    Base,
    /// The label set of an event before any stage: stream, metadata, group, host, service, level.
    Begin,
    /// A label of a set: set, name, the field that stands for it where the set is open.
    Get,
    /// The set with the members of a line in JSON: set, line.
    Json,
    /// … with what is at paths: set, line, then names and paths.
    JsonPaths,
    /// The set with the pairs of a line: set, line, flags (`s`: strict, `e`: keeps empty values).
    Logfmt,
    /// … with the values of some keys: set, line, flags, then names and keys.
    LogfmtKeys,
    /// The set with the named groups of an expression: set, line, [`crate::plan::Expr::Regex`].
    Regex,
    /// The set with the captures of a pattern: set, line, pattern.
    Pattern,
    /// The set with the labels of a packed line: set, line.
    Unpack,
    /// The line in a packed one, else the line itself: line.
    UnpackedLine,
    /// The set without a label where a condition holds: set, name, condition.
    Drop,
    /// The set with some labels alone: set, then of each its name, a condition, its value.
    Keep,
    /// The set with a label: set, name, value.
    Set,
    /// The set with a label under another name: set, new name, old name, old value.
    Rename,
    /// The set with an error where a condition holds: set, condition, error, details.
    Fail,
    /// Why a text is no number, `bytes` or `duration`: text, which of them.
    Unreadable,
    /// Why a template fails: the arguments of [`Function::Template`].
    TemplateProblem,
    /// Whether a label is spelt exactly so: label, text.
    Same,
    /// Whether a stage gave a label of a set a value: set, name.
    IsParsed,
    /// What is wrong with the label that was found first: set, then names, each with what is wrong with it.
    FirstFailure,
    /// Whether a line fits a pattern of `|>`: line, pattern.
    Fits,
    /// A number as Go reads it: text.
    Number,
    /// Nanoseconds of a duration as Go reads it: text.
    Duration,
    /// Bytes of a size such as `117kb`: text.
    Size,
    /// The labels of a series: set, then names that it leaves out.
    Series,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The function.
    pub function: Function,
    /// Its name as we write it; upper and lower case are the same to a query.
    pub name: &'static str,
    /// Its arguments as the reference shows them.
    pub arguments: &'static str,
    /// Fewest arguments.
    pub n_min: usize,
    /// Most arguments; `None` is any number.
    pub n_max: Option<usize>,
}

const fn of(function: Function, name: &'static str, arguments: &'static str, n: (usize, usize)) -> Signature {
    Signature { function, name, arguments, n_min: n.0, n_max: Some(n.1) }
}

const fn many(function: Function, name: &'static str, arguments: &'static str, n_min: usize) -> Signature {
    Signature { function, name, arguments, n_min, n_max: None }
}

/// Every name a query may call. Several names may mean one function.
pub const SIGNATURES: &[Signature] = &[
    of(Function::Abs, "abs", "number", (1, 1)),
    of(Function::Ceil, "ceil", "number", (1, 1)),
    of(Function::Floor, "floor", "number", (1, 1)),
    many(Function::Greatest, "greatest", "value, …", 1),
    many(Function::Least, "least", "value, …", 1),
    of(Function::Log, "log", "number", (1, 1)),
    of(Function::Sqrt, "sqrt", "number", (1, 1)),
    of(Function::Round, "round", "number[, decimals]", (1, 2)),
    of(Function::Log2, "log2", "number", (1, 1)),
    of(Function::Log10, "log10", "number", (1, 1)),
    of(Function::Exp, "exp", "number", (1, 1)),
    of(Function::Pow, "pow", "base, exponent", (2, 2)),
    of(Function::Sign, "sign", "number", (1, 1)),
    of(Function::IsPresent, "ispresent", "field", (1, 1)),
    many(Function::Coalesce, "coalesce", "value, …", 1),
    of(Function::IsEmpty, "isempty", "field", (1, 1)),
    of(Function::IsBlank, "isblank", "field", (1, 1)),
    many(Function::Concat, "concat", "text, …", 1),
    of(Function::TrimStart, "ltrim", "text[, characters]", (1, 2)),
    of(Function::TrimEnd, "rtrim", "text[, characters]", (1, 2)),
    of(Function::Trim, "trim", "text[, characters]", (1, 2)),
    of(Function::TextLength, "strlen", "text", (1, 1)),
    of(Function::ToUpper, "toupper", "text", (1, 1)),
    of(Function::ToUpper, "upper", "text", (1, 1)),
    of(Function::ToLower, "tolower", "text", (1, 1)),
    of(Function::ToLower, "lower", "text", (1, 1)),
    of(Function::Substring, "substr", "text, start[, length]", (2, 3)),
    of(Function::Replace, "replace", "text, what, with", (3, 3)),
    of(Function::Contains, "strcontains", "text, part", (2, 2)),
    of(Function::Position, "strpos", "text, part", (2, 2)),
    of(Function::StartsWith, "startswith", "text, part", (2, 2)),
    of(Function::EndsWith, "endswith", "text, part", (2, 2)),
    of(Function::DateFloor, "datefloor", "time, duration", (2, 2)),
    of(Function::DateCeil, "dateceil", "time, duration", (2, 2)),
    of(Function::FromMillis, "fromMillis", "number", (1, 1)),
    of(Function::ToMillis, "toMillis", "time", (1, 1)),
    of(Function::Now, "now", "", (0, 0)),
    of(Function::JsonParse, "jsonParse", "text", (1, 1)),
    of(Function::JsonStringify, "jsonStringify", "value", (1, 1)),
    of(Function::IsValidIp, "isValidIp", "text", (1, 1)),
    of(Function::IsValidIpV4, "isValidIpV4", "text", (1, 1)),
    of(Function::IsValidIpV6, "isValidIpV6", "text", (1, 1)),
    of(Function::IsIpInSubnet, "isIpInSubnet", "text, subnet", (2, 2)),
    of(Function::IsIpV4InSubnet, "isIpv4InSubnet", "text, subnet", (2, 2)),
    of(Function::IsIpV6InSubnet, "isIpv6InSubnet", "text, subnet", (2, 2)),
    of(Function::If, "if", "condition, then, else", (2, 3)),
    many(Function::Case, "case", "condition, value, …[, else]", 2),
    of(Function::ToNumber, "tonumber", "value", (1, 1)),
    of(Function::ToString, "tostring", "value", (1, 1)),
    of(Function::ToInteger, "toint", "value", (1, 1)),
    of(Function::ParseDuration, "parse_duration", "text", (1, 1)),
    of(Function::ParseBytes, "parse_bytes", "text", (1, 1)),
    of(Function::FormatDuration, "format_duration", "milliseconds", (1, 1)),
    of(Function::FormatBytes, "format_bytes", "bytes", (1, 1)),
    of(Function::FormatDate, "formatdate", "time, format", (2, 2)),
    of(Function::ParseDate, "parsedate", "text, format", (2, 2)),
    of(Function::Hour, "hour", "time", (1, 1)),
    of(Function::Weekday, "weekday", "time", (1, 1)),
    of(Function::UrlDecode, "urldecode", "text", (1, 1)),
    of(Function::Base64Decode, "base64decode", "text", (1, 1)),
    of(Function::Md5, "md5", "text", (1, 1)),
    of(Function::Sha256, "sha256", "text", (1, 1)),
    of(Function::RegexpExtract, "regexp_extract", "text, pattern", (2, 2)),
    of(Function::RegexpReplace, "regexp_replace", "text, pattern, with", (3, 3)),
    of(Function::Split, "split", "text, separator", (2, 2)),
    of(Function::ArrayLength, "array_length", "list", (1, 1)),
    of(Function::Unmask, "unmask", "field", (1, 1)),
];

/// Returns a text that orders levels by severity, and that no other value equals.
pub fn severity_key(level: Level) -> Value {
    Value::text(format!("\0{}", level.code()))
}

/// Returns the level of such a text.
pub fn level_of_key(key: &str) -> Option<Level> {
    key.strip_prefix('\0').and_then(|code| code.parse().ok()).and_then(Level::of_code)
}

impl Signature {
    /// Finds what a query calls, whatever the case of its letters.
    pub fn find(name: &str) -> Option<&'static Self> {
        SIGNATURES.iter().find(|signature| signature.name.eq_ignore_ascii_case(name))
    }
}

impl Function {
    /// Returns the name as a query writes it; of several, the first.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimeBucket => "timebucket",
            Self::WallBucket => "wallbucket",
            Self::Later => "later",
            Self::ByteLength => "bytelength",
            Self::Masked => "masked",
            Self::Severity => "severity",
            Self::LevelName => "levelname",
            Self::IsJsonNull => "isjsonnull",
            Self::JsonSelected => "jsonselected",
            Self::HoldsAddress => "holdsaddress",
            Self::Template => "template",
            Self::Columns => "columns",
            Self::ColumnsFromEnd => "columnsfromend",
            Self::Labels(_) => "labels",
            Self::Each => "each",
            Self::HasValue => "hasvalue",
            Self::IfDate => "ifdate",
            Self::Measure => "measure",
            Self::Typed(_) => "typed",
            Self::AddressKey => "addresskey",
            Self::WordList => "wordlist",
            Self::DateMillis => "datemillis",
            Self::LeastOfList => "leastoflist",
            Self::GreatestOfList => "greatestoflist",
            _ => SIGNATURES.iter().find(|signature| signature.function == self).map_or("", |signature| signature.name),
        }
    }
}

#[cfg(test)]
mod tests;
